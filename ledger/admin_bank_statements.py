"""Statements and lines of banks, with the proof that each statement adds up."""

from typing import Any

from django.db.models import Q, Sum
from django.http import HttpRequest
from django.urls import reverse

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Day, Link, Main, When
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.core.money import Money
from ledger.admin_bank_parts import (
    STATEMENT_COLUMNS,
    bank_account_href,
    line_badge,
    line_facts,
    statement_badge,
    statement_days,
)
from ledger.admin_parts import amount_cell
from ledger.choices_bank import BankLineStatus
from ledger.models.reconciliation import BankLine, BankStatement

_SHOWN = 100


def _line_title(line: BankLine) -> Main:
    words = line.counterparty_name or line.text or line.kind or "No words"
    return Main(words, line.end_to_end_id or line.bank_reference or line.public_id, mono=True)


_LINE_COLUMNS = (
    Column(title="Line", cell=_line_title),
    Column(title="Text", cell=lambda line: line.text or "", width="l", hide="m"),
    Column(title="Booked", cell=lambda line: Day(line.booking_date), width="s", hide="s"),
    Column(
        title="Amount",
        cell=lambda line: Amount(Money(line.amount_minor, line.currency), signed=True),
        width="m",
        right=True,
    ),
    Column(title="State", cell=line_badge, width="s"),
)


@register(BankStatement)
class BankStatementAdmin(ModelAdmin):
    """Every statement that counts or is being read in."""

    path, title, group, icon, nav_order = (
        "ledger/bank-statements",
        "Bank statements",
        "Reconciliation",
        "file-text",
        77,
    )
    summary = "Opening balance and lines make the closing balance, and each continues the one before"
    detail_template = "ledger/bank_page.html"
    related = ("bank_account", "file")
    list_order = ("-closing_date", "-pk")
    search_by = ("public_id", "number", "reference")
    search_hint = "Number, reference or bst_ id"
    filters = (
        Text("account", "Bank account id", lookup="bank_account__public_id"),
        Text("currency", "Currency"),
        DateSpan("day", "Last day", lookup="closing_date"),
    )
    columns = STATEMENT_COLUMNS
    empty = ("No statement yet", "Bring in a file from a bank.")

    def object_title(self, obj: Any) -> str:
        """Return account and number."""
        return f"{obj.bank_account.name}, statement {obj.number or obj.sequence}"

    def object_summary(self, obj: Any) -> str:
        """Return bank and days."""
        return f"{obj.bank_account.bank_name} · {statement_days(obj)}"

    def badges(self, obj: Any) -> list[object]:
        """Return whether it counts."""
        return [statement_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the proof, the lines, and where it came from."""
        del request
        lines = BankLine.objects.filter(statement=obj).order_by("position", "pk")
        facts: list[tuple[str, object]] = [
            ("Bank account", Link(str(obj.bank_account), bank_account_href(obj.bank_account))),
            ("File", Link(obj.file.name, reverse("admin:ledger_bankfile_change", args=[obj.file.public_id]))),
            ("Bank's number", obj.number),
            ("Bank's reference", Code(obj.reference)),
            ("Our number", f"{obj.sequence:,}"),
            ("Accepted", When(obj.accepted_at)),
            ("Taken before", f"{obj.lead:,} lines" if obj.lead else ""),
            ("Id", Code(obj.public_id)),
        ]
        return [
            _proof_panel(obj),
            table_panel(
                "Lines",
                columns=_LINE_COLUMNS,
                rows=list(lines[:_SHOWN]),
                link=lambda line: reverse("admin:ledger_bankline_change", args=[line.public_id]),
                empty=("No lines", "Nothing was booked in these days."),
                note=f"The first {_SHOWN}" if obj.line_count > _SHOWN else "",
                href=f"{reverse('admin:ledger_bankline_changelist')}?statement={obj.public_id}",
            ),
            facts_panel("Statement", facts, side=True),
        ]


def _proof_panel(statement: BankStatement) -> Panel:
    """Return opening + in - out = closing, added up from the lines as they are stored."""
    lines = BankLine.objects.filter(statement=statement)
    sums = lines.aggregate(
        came=Sum("amount_minor", filter=Q(amount_minor__gt=0), default=0),
        went=Sum("amount_minor", filter=Q(amount_minor__lt=0), default=0),
    )
    reached = statement.opening_minor + int(sums["came"]) + int(sums["went"])
    even = reached == statement.closing_minor
    steps = (
        ("Opening balance", "", statement.opening_minor),
        ("Money in", "+", int(sums["came"])),
        ("Money out", "\N{MINUS SIGN}", -int(sums["went"])),
        ("Closing balance", "=", statement.closing_minor),
    )
    return Panel(
        title="Proof",
        template="ledger/proof.html",
        data={
            "steps": [(title, sign, amount_cell(minor, statement.currency)) for title, sign, minor in steps],
            "badge": Badge("Adds up", "ok") if even else Badge("Does not add up", "bad"),
        },
        note=f"{statement.line_count:,} lines",
    )


@register(BankLine)
class BankLineAdmin(ModelAdmin):
    """Every line of every statement."""

    path, title, group, icon, nav_order = (
        "ledger/bank-lines",
        "Bank lines",
        "Reconciliation",
        "list-checks",
        78,
    )
    summary = "What banks booked, line by line; a line is never changed"
    related = ("bank_account", "statement", "stated_in")
    list_order = ("-booking_date", "-pk")
    search_by = ("public_id", "end_to_end_id", "bank_reference", "batch_id")
    search_hint = "Reference or bln_ id"
    views = (
        View(key="all", title="All", counted=False),
        View(key="open", title="Open", condition=Q(status=BankLineStatus.OPEN)),
        View(key="broken", title="Breaks", condition=Q(status=BankLineStatus.BROKEN)),
    )
    filters = (
        Text("statement", "Statement id", lookup="statement__public_id"),
        Text("account", "Bank account id", lookup="bank_account__public_id"),
        Choice("state", "State", tuple(BankLineStatus.choices), lookup="status"),
        DateSpan("booked", "Booked", lookup="booking_date"),
    )
    columns = _LINE_COLUMNS
    empty = ("No lines yet", "Bring in a file from a bank.")

    def object_title(self, obj: Any) -> str:
        """Return amount and day."""
        amount = Money(obj.amount_minor, obj.currency).format()
        return f"{'+' if obj.amount_minor > 0 else ''}{amount}, {obj.booking_date:%-d %b %Y}"

    def badges(self, obj: Any) -> list[object]:
        """Return how it stands."""
        return [line_badge(obj), *([Badge("Reversal", "info")] if obj.reversal else [])]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what the bank said and where it stands."""
        del request
        said: list[tuple[str, object]] = [
            ("Amount", Amount(Money(obj.amount_minor, obj.currency), signed=True)),
            ("Booked", Day(obj.booking_date)),
            ("Value date", Day(obj.value_date)),
            ("Other side", obj.counterparty_name or ""),
            ("IBAN", Code(obj.counterparty_iban or "")),
            ("Text", obj.text or ""),
            ("Kind", obj.kind),
            ("Payer's reference", Code(obj.end_to_end_id)),
            ("Bank's reference", Code(obj.bank_reference)),
            ("Batch", Code(obj.batch_id)),
        ]
        origin: list[tuple[str, object]] = [
            ("Bank account", Link(str(obj.bank_account), bank_account_href(obj.bank_account))),
            ("Statement", _statement_link(obj)),
            (
                "File",
                Link(
                    obj.stated_in.name,
                    reverse("admin:ledger_bankfile_change", args=[obj.stated_in.public_id]),
                ),
            ),
            *line_facts(obj),
            ("Place", Code(obj.place)),
            ("Key", Code(obj.key)),
            ("Id", Code(obj.public_id)),
        ]
        return [
            facts_panel("What the bank says", said),
            *([_details_panel(obj)] if obj.details else []),
            facts_panel("Where it stands", origin, side=True),
        ]


def _statement_link(line: BankLine) -> object:
    if line.statement is None:
        return ""
    href = reverse("admin:ledger_bankstatement_change", args=[line.statement.public_id])
    return Link(line.statement.number or str(line.statement.sequence), href)


def _details_panel(line: BankLine) -> Panel:
    return table_panel(
        "Booked in one sum",
        columns=(
            Column(
                title="Reference",
                cell=lambda d: Main(d["end_to_end_id"] or "None", d["reference"], mono=True),
            ),
            Column(
                title="Amount",
                cell=lambda d: (
                    "" if d["amount_minor"] is None else amount_cell(d["amount_minor"], line.currency)
                ),
                width="m",
                right=True,
            ),
        ),
        rows=line.details,
    )
