"""The page of a transaction: its legs with the balances after them, why it was posted, by whom, and what undoes it."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Day, Link, Main, Masked, When, words
from flowlet.backoffice.filters import DateSpan, Text
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.core.ids import is_id
from flowlet.core.money import Money
from ledger.admin_actors import actor_words
from ledger.admin_parts import (
    Sum,
    Total,
    account_link,
    account_title,
    amount_cell,
    cause_cell,
    side_cell,
    transaction_link,
)
from ledger.admin_seals import proof_panel
from ledger.models.transactions import LedgerTransaction, Posting, TransactionText
from ledger.operations import journals
from ledger.operations.sealing import erase_text
from ledger.queries.seals import get_proof
from ledger.queries.transactions import list_transactions

REASONS = (
    ("WRONG_ACCOUNT", "Booked on the wrong account"),
    ("WRONG_AMOUNT", "Booked with the wrong amount"),
    ("BOOKED_TWICE", "Booked twice"),
    ("NOT_OURS", "Should not have been booked"),
)
ERASE_REASONS = (
    ("ERASURE_REQUEST", "The person asked for erasure"),
    ("NOT_NEEDED", "The words hold personal data that are not needed"),
    ("AUTHORITY", "Order of a court or authority"),
)

# Asked beside the row, so that the words themselves are not read.
_TOLD = Exists(TransactionText.objects.filter(transaction=OuterRef("pk")))


def _turnover(transaction: LedgerTransaction) -> object:
    """Return what was moved: the debits of each currency."""
    parts = [
        amount_cell(minor, code).html() for code, minor in sorted(_debits(transaction.postings.all()).items())
    ]
    return format_html("{}" + "<br>{}" * (len(parts) - 1), *parts) if parts else ""


def _debits(legs: Iterable[Posting]) -> dict[str, int]:
    debits: dict[str, int] = defaultdict(int)
    for leg in legs:
        debits[leg.currency] += max(leg.amount, 0)
    return debits


@register(LedgerTransaction)
class TransactionAdmin(ModelAdmin):
    """All transactions, newest first."""

    path, title, group, icon, nav_order = (
        "ledger/transactions",
        "Transactions",
        "Books",
        "receipt",
        71,
    )
    summary = "Every booking with its legs; they sum to zero in each currency and are never changed"
    list_order = ("-pk",)
    search_by = ("public_id",)
    search_hint = "txn_ id or the id of its cause"
    views = (
        View(key="all", title="All", counted=False),
        View(key="manual", title="Manual journals", condition=Q(kind="MANUAL"), counted=False),
        View(key="reversals", title="Reversals", condition=Q(reverses__isnull=False)),
    )
    filters = (
        Text("kind", "Kind"),
        Text("source", "Source"),
        DateSpan("posted", "Posted", lookup="posted_at"),
    )
    columns = (
        Column(title="Transaction", cell=lambda t: Main(words(t.kind), t.public_id, mono=True)),
        Column(
            title="Cause", cell=lambda t: Main(words(t.source), t.source_key, mono=True), width="l", hide="m"
        ),
        Column(title="Amount", cell=_turnover, width="m", right=True),
        Column(title="Value date", cell=lambda t: Day(t.effective_date), width="s", hide="m"),
        Column(title="Posted", cell=lambda t: When(t.posted_at), width="m", right=True),
    )
    empty = ("No transactions yet", "The first deposit makes the first one.")

    def search_for(self, term: str) -> Q:
        """Find by the transaction's own id or by its cause's: one index each."""
        return Q(public_id=term) if is_id(term, "txn") else Q(source_key=term)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return all transactions with their legs."""
        del request
        return list_transactions().prefetch_related("reversals").annotate(told=_TOLD)

    def object_title(self, obj: Any) -> str:
        """Return what it was."""
        return words(obj.kind)

    def badges(self, obj: Any) -> list[object]:
        """Return whether the legs sum to zero, and its part in a reversal."""
        sums: dict[str, int] = defaultdict(int)
        for leg in obj.postings.all():
            sums[leg.currency] += leg.amount
        zero = Badge("Sum not zero", "bad") if any(sums.values()) or not sums else Badge("Sum zero", "ok")
        return [zero, *([Badge("Reversal", "info")] if obj.reverses else [])]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the legs with their sums, why and by whom it was posted, and the booking."""
        del request
        reversal = next(iter(obj.reversals.all()), None)
        return [
            _legs_panel(obj),
            facts_panel("Why", _cause(obj), side=True),
            facts_panel("Booking", _booking(obj, reversal), side=True),
            proof_panel(obj, get_proof(obj.pk)),
        ]


def _cause(transaction: LedgerTransaction) -> list[tuple[str, object]]:
    approval = transaction.approval
    agreed = (
        Link(
            approval.public_id,
            reverse("admin:backoffice_approval_change", args=[approval.public_id]),
            mono=True,
        )
        if approval
        else ""
    )
    return [
        ("Kind", words(transaction.kind)),
        ("By", actor_words([transaction.actor])[transaction.actor]),
        *([("Agreed to in", agreed)] if approval else []),
        *((words(name), cause_cell(name, str(value))) for name, value in sorted(transaction.context.items())),
        ("Source", words(transaction.source)),
        ("Key", Code(transaction.source_key)),
    ]


def _booking(transaction: LedgerTransaction, reversal: LedgerTransaction | None) -> list[tuple[str, object]]:
    return [
        ("Value date", Day(transaction.effective_date)),
        ("Posted", When(transaction.posted_at)),
        ("Reverses", transaction_link(transaction.reverses) if transaction.reverses else ""),
        ("Reversed by", transaction_link(reversal) if reversal else ""),
        ("Text", Masked("kept encrypted" if getattr(transaction, "told", False) else "")),
        ("Id", Code(transaction.public_id)),
    ]


def _legs_panel(transaction: LedgerTransaction) -> Panel:
    legs = list(transaction.postings.all())
    debits = _debits(legs)
    totals = [
        Total(code, debits[code], debits[code] - sum(leg.amount for leg in legs if leg.currency == code))
        for code in sorted(debits)
    ]
    return table_panel(
        "Legs",
        columns=(
            Column(title="Account", cell=_leg_account),
            Column(title="Debit", cell=lambda r: _leg_side(r, debit=True), width="m", right=True),
            Column(title="Credit", cell=lambda r: _leg_side(r, debit=False), width="m", right=True),
            Column(title="Balance after", cell=_leg_after, width="m", right=True, hide="s"),
        ),
        rows=[*legs, *totals],
        note="Debits equal credits in each currency"
        if all(total.debit == total.credit for total in totals)
        else "Debits and credits differ",
    )


def _leg_account(row: Posting | Total) -> object:
    if isinstance(row, Total):
        return row.title
    heading = f"{row.account.chart_account} · no. {row.account_seq:,}"
    return Main(account_title(row.account), heading, href=account_link(row.account).href)


def _leg_after(row: Posting | Total) -> object:
    return "" if isinstance(row, Total) else amount_cell(row.balance_after, row.currency)


def _leg_side(row: Posting | Total, *, debit: bool) -> object:
    if isinstance(row, Total):
        return Sum(row.debit if debit else row.credit, row.currency, strong=True)
    return side_cell(row.amount, row.currency, debit=debit)


def _impact(transaction: LedgerTransaction) -> list[str]:
    return [
        f"{account_title(leg.account)}: {Money(abs(leg.amount), leg.currency).format()} "
        f"{'taken off the debit' if leg.amount > 0 else 'taken off the credit'} side"
        for leg in transaction.postings.select_related("account__chart_account", "account__customer")[:20]
    ]


def _can_be_undone(transaction: LedgerTransaction) -> bool:
    return transaction.reverses_id is None and not transaction.reversals.all()


@action(
    name="ledger_transaction.ask_reverse",
    model=LedgerTransaction,
    permission="ledger.reverse_ledgertransaction",
    label="Reverse",
    title=lambda t: f"Ask to reverse {words(t.kind).lower()} {t.public_id}?",
    text=(
        "A second person must agree. Then the exact mirror is posted on the first open day; this transaction stays. "
        "What it belongs to, such as a payment, keeps its state."
    ),
    done="A second person is asked to agree to the reversal.",
    reasons=REASONS,
    note="required",
    impact=_impact,
    available=_can_be_undone,
    danger=True,
    icon="history",
    version=lambda t: t.public_id,
)
def _ask_reverse(call: ActionCall, transaction: LedgerTransaction) -> None:
    journals.ask_to_reverse(
        transaction_public_id=transaction.public_id,
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


def _correction_href(call: ActionCall, transaction: LedgerTransaction) -> str:
    draft = transaction.corrections.filter(maker=call.person.user).latest("pk")
    return reverse("admin:ledger_journal_edit", args=[draft.public_id])


@action(
    name="ledger_transaction.correct",
    model=LedgerTransaction,
    permission="ledger.make_journal",
    label="Correct",
    title=lambda t: f"Write a correction of {words(t.kind).lower()} {t.public_id}?",
    text=(
        "A journal is drafted with the same lines for you to change. When a second person agrees to it, this "
        "transaction is reversed and the journal posted, both at once."
    ),
    done="The correction is drafted. Change its lines, then ask for a second person.",
    reason=False,
    note="none",
    available=_can_be_undone,
    icon="file-text",
    next_href=_correction_href,
    version=lambda t: t.public_id,
)
def _correct(call: ActionCall, transaction: LedgerTransaction) -> None:
    journals.draft_correction(
        transaction_public_id=transaction.public_id, maker_id=call.person.user.pk, now=call.now
    )


class EraseForm(forms.Form):
    """Said once more: what is erased is gone."""

    confirm = forms.CharField(
        label="Type ERASE to confirm",
        max_length=5,
        widget=forms.TextInput({"class": "input", "autocomplete": "off"}),
        error_messages={"required": "Type ERASE: the words cannot be brought back."},
    )

    def clean_confirm(self) -> str:
        """
        Return the word.

        :raises ValidationError: if it is another
        """
        word: str = self.cleaned_data["confirm"]
        if word != "ERASE":
            raise forms.ValidationError("Type ERASE in capitals: the words cannot be brought back.")
        return word


def _has_words(transaction: LedgerTransaction) -> bool:
    told: bool | None = getattr(transaction, "told", None)  # known where the page asked already
    return TransactionText.objects.filter(transaction=transaction).exists() if told is None else told


@action(
    name="ledger_transaction.erase_text",
    model=LedgerTransaction,
    # The right to delete the row of the words, and nothing else: that of the data protection role.
    permission="ledger.delete_transactiontext",
    label="Erase words",
    title=lambda t: f"Erase the words of {words(t.kind).lower()} {t.public_id}?",
    text=(
        "The free text is erased for good, for staff, partner and customer. Amounts, dates and accounts stay, and every "
        "digest still verifies."
    ),
    done="The words are erased.",
    reasons=ERASE_REASONS,
    note="required",
    form=EraseForm,
    available=_has_words,
    danger=True,
    icon="ban",
    keep_label="Keep the words",
    order=80,
    version=lambda t: t.public_id,
)
def _erase(call: ActionCall, transaction: LedgerTransaction) -> None:
    erase_text(transaction_public_id=transaction.public_id, reason_code=call.reason, note=call.note)
