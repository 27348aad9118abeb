"""The daily proofs of client money, and processors' payouts seen from three sides."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse

from flowlet.audit import trail
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Main, When
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.exports import ExportColumn, ExportFile, Value, csv_response
from flowlet.backoffice.filters import DateSpan, Text
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import Panel, empty_panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register, register_page
from flowlet.backoffice.xlsx import xlsx_response
from flowlet.core import clock
from flowlet.core.money import Money
from ledger.admin_breaks import break_href
from ledger.admin_parts import Sum
from ledger.anchoring import signing
from ledger.models.matching import Break, SafeguardingProof
from ledger.queries.safeguarding import fault_of, list_proofs
from ledger.queries.three_way import PayoutView, list_payouts, views_of

EXPORT = "ledger.export_safeguardingproof"
_SHOWN = 25


def _badge(proof: SafeguardingProof) -> Badge:
    if proof.surplus_minor < 0:
        return Badge("Shortfall", "bad")
    return Badge("Covered", "ok") if proof.complete else Badge("Statement missing", "warn")


def _sum(minor: int, proof: SafeguardingProof) -> Sum:
    return Sum(minor, proof.currency)


def _signature(proof: SafeguardingProof) -> str:
    return base64.b64encode(bytes(proof.signature)).decode()


def _verdict(proof: SafeguardingProof) -> Badge:
    fault = fault_of(proof)
    return Badge(f"Not as signed: {fault}", "bad") if fault else Badge("As signed", "ok")


@register(SafeguardingProof)
class ProofAdmin(ModelAdmin):
    """Proofs of all days, the latest first."""

    path, title, group, icon, nav_order = (
        "ledger/safeguarding",
        "Safeguarding",
        "Reconciliation",
        "shield-check",
        79,
    )
    summary = "What customers were owed at the end of each day, against what lay at banks for them"
    list_order = ("-day", "currency", "-version", "-pk")
    views = (
        View(key="all", title="All", counted=False),
        View(key="short", title="Shortfall", condition=Q(resource_minor__lt=F("requirement_minor"))),
        View(key="incomplete", title="Statement missing", condition=Q(complete=False)),
    )
    filters = (Text("currency", "Currency"), DateSpan("day", "Day", lookup="day"))
    columns = (
        Column(title="Day", cell=lambda p: Main(f"{p.day:%-d %b %Y}", f"{p.currency}, version {p.version}")),
        Column(title="Customers", cell=lambda p: _sum(p.customers_minor, p), width="m", right=True, hide="m"),
        Column(
            title="Not allocated",
            cell=lambda p: _sum(p.unallocated_minor, p),
            width="m",
            right=True,
            hide="m",
        ),
        Column(title="Required", cell=lambda p: _sum(p.requirement_minor, p), width="m", right=True),
        Column(title="At banks", cell=lambda p: _sum(p.resource_minor, p), width="m", right=True),
        Column(title="Surplus", cell=lambda p: _sum(p.surplus_minor, p), width="m", right=True, hide="s"),
        Column(title="State", cell=_badge, width="m"),
    )
    empty = ("No proofs yet", "The first is made in the morning after the first day.")

    def list_buttons(self, request: HttpRequest) -> list[Button]:
        """Return the ways to take the proofs away."""
        if not person_of(request).may(EXPORT):
            return []
        return [
            Button(
                label=name.upper(),
                href=reverse("admin:ledger_safeguarding_export", args=[name]),
                icon="download",
                download=True,
            )
            for name in ("csv", "xlsx")
        ]

    def object_title(self, obj: Any) -> str:
        """Return day and currency."""
        return f"Client money on {obj.day:%-d %b %Y}, {obj.currency}"

    def badges(self, obj: Any) -> list[object]:
        """Return whether it is covered."""
        return [_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return both sides of the proof, and how it can be checked."""
        del request
        broken = Break.objects.filter(proof=obj).first()
        proof: list[tuple[str, object]] = [
            ("Owed to customers", _sum(obj.customers_minor, obj)),
            ("Customers with money", f"{obj.customer_count:,}"),
            ("Received, not allocated", _sum(obj.unallocated_minor, obj)),
            ("Required", Sum(obj.requirement_minor, obj.currency, strong=True)),
            ("At banks", Sum(obj.resource_minor, obj.currency, strong=True)),
            ("Surplus" if obj.surplus_minor >= 0 else "Missing", _sum(abs(obj.surplus_minor), obj)),
            ("On the way, not counted", _sum(obj.on_the_way_minor, obj)),
        ]
        made: list[tuple[str, object]] = [
            ("Made", When(obj.made_at)),
            ("By", Code(obj.made_by)),
            ("Version", str(obj.version)),
            ("SHA-256", Code(obj.sha256)),
            ("Signature", Code(_signature(obj))),
            ("Signed by", f"Anchor key {obj.key_id}"),
            ("Check", _verdict(obj)),
            (
                "Break",
                Main(broken.public_id, broken.get_state_display(), href=break_href(broken)) if broken else "",
            ),
            ("Id", Code(obj.public_id)),
        ]
        return [
            facts_panel("Proof", proof, note="Nobody's debt lessens what another is owed"),
            table_panel(
                "Accounts for client money",
                columns=(
                    Column(
                        title="Account",
                        cell=lambda a: Main(str(a["name"]), str(a["bank_account"]), mono=True),
                    ),
                    Column(title="Statement of", cell=lambda a: a["stated_on"] or "None", width="m"),
                    Column(
                        title="Closing balance",
                        cell=lambda a: Sum(int(a["closing_minor"]), obj.currency),
                        width="l",
                        right=True,
                    ),
                ),
                rows=list(obj.accounts),
                empty=("No account at a bank", "Enter the house's bank accounts for this currency."),
            ),
            facts_panel("How it was made", made, side=True),
        ]


def _rows() -> Iterator[Sequence[Value]]:
    for proof in list_proofs().iterator(500):
        amounts = [
            Money(minor, proof.currency).decimal() if abs(minor) < 10**15 else str(minor)
            for minor in (
                proof.customers_minor,
                proof.unallocated_minor,
                proof.requirement_minor,
                proof.resource_minor,
                proof.surplus_minor,
                proof.on_the_way_minor,
            )
        ]
        yield [
            proof.day,
            proof.currency,
            proof.version,
            proof.customer_count,
            *amounts,
            "yes" if proof.complete else "no",
            proof.made_at,
            proof.sha256,
            proof.public_id,
            proof.key_id,
            _signature(proof),
            signing.public_key(proof.key_id),
        ]


_HEADS = (
    "Day",
    "Currency",
    "Version",
    "Customers",
    "Owed to customers",
    "Not allocated",
    "Required",
    "At banks",
    "Surplus",
    "On the way",
    "Complete",
    "Made",
    "SHA-256",
    "Id",
    "Key",
    "Signature",
    "Public key",
)


@register_page(
    route="ledger/safeguarding-export/<str:form>/", name="ledger_safeguarding_export", permission=EXPORT
)
def export(request: HttpRequest, form: str) -> HttpResponse | StreamingHttpResponse:
    """
    Answer all proofs as CSV or XLSX.

    :raises PermissionDenied: if the form is not known
    """
    if form not in ("csv", "xlsx"):
        raise PermissionDenied
    with acting_as(request, person_of(request)):
        trail.record(
            action="safeguarding.export",
            object_type="safeguarding",
            object_id="all",
            changes={"format": [None, form]},
        )
    file = ExportFile(
        name=f"safeguarding-{clock.now():%Y%m%d}",
        title="Safeguarding proofs",
        facts=[("Made", f"{clock.now():%Y-%m-%d %H:%M} UTC")],
        columns=[ExportColumn(title=head, right=4 <= at <= 9) for at, head in enumerate(_HEADS)],  # noqa: PLR2004 - the amounts
        rows=_rows(),
        orientation="landscape",
    )
    answer: Any = csv_response(file) if form == "csv" else xlsx_response(file)
    return answer  # type: ignore[no-any-return]


@register_page(
    route="ledger/payouts/",
    name="ledger_three_way",
    permission="ledger.view_workbench",
    navigation=Item(
        title="Processor payouts",
        url_name="admin:ledger_three_way",
        group="Reconciliation",
        icon="banknote",
        permission="ledger.view_workbench",
        order=80,
    ),
)
def three_way(request: HttpRequest) -> HttpResponse:
    """Answer processors' payouts as the processor, the bank and our books have them."""
    paper = Paginator(list_payouts(), _SHOWN).get_page(request.GET.get("page"))
    rows = views_of(list(paper.object_list))
    columns = (
        Column(
            title="Payout",
            cell=lambda v: Main(
                v.payout, f"{v.processor.capitalize()}, {v.count} movements, {v.at:%-d %b %Y}", mono=True
            ),
        ),
        Column(title="Gross", cell=lambda v: Sum(v.gross_minor, v.currency), width="m", right=True, hide="m"),
        Column(title="Fees", cell=lambda v: Sum(v.fee_minor, v.currency), width="m", right=True, hide="m"),
        Column(title="Net, processor", cell=lambda v: Sum(v.net_minor, v.currency), width="m", right=True),
        Column(title="At the bank", cell=lambda v: _side(v, v.bank_minor), width="m", right=True),
        Column(title="In our books", cell=lambda v: _side(v, v.booked_minor), width="m", right=True),
        Column(title="State", cell=_agreement, width="m"),
    )
    pages = [
        Button(label=label, href=f"?page={number}", style="quiet")
        for label, there, number in (
            ("Newer", paper.has_previous(), paper.number - 1),
            ("Older", paper.has_next(), paper.number + 1),
        )
        if there
    ]
    panel = (
        table_panel(
            "Payouts",
            columns=columns,
            rows=rows,
            note="Net of the processor's movements = its payout = the bank's line = our postings",
        )
        if rows
        else empty_panel(
            "Payouts",
            what="No payouts yet",
            text="Import a processor's balance transactions first.",
            icon="banknote",
        )
    )
    return page(
        request,
        "admin/change_form.html",
        title="Processor payouts",
        path=[("Reconciliation", "")],
        summary="What processors paid out, from three sides",
        buttons=pages,
        panels=[panel],
        side_panels=[],
    )


def _side(view: PayoutView, minor: int | None) -> object:
    return "" if minor is None else Sum(minor, view.currency)


def _agreement(view: PayoutView) -> Badge:
    if view.agrees:
        return Badge("All agree", "ok")
    if view.bank_minor is None:
        return Badge("Not at the bank", "wait")
    if view.sent_minor is not None and view.net_minor != view.sent_minor:
        return Badge("Processor differs", "bad")
    if view.bank_minor != view.net_minor:
        return Badge("Bank differs", "bad")
    return Badge("Not matched", "warn") if view.booked_minor is None else Badge("Books differ", "bad")
