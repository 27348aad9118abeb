"""What identification puts on pages of others: Today, the customer page, the search, time lines."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from compliance import queries_kyc
from compliance.admin_kyc import due_cell, kyc_href, queue_href, why
from compliance.admin_kyc_parts import risk_badge, state_badge
from compliance.choices_kyc import WAITS_FOR_PERSON, DecisionReason
from compliance.models.kyc import KycApplication, KycDecision
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.cards import FIGURES, QUEUES, Figure, FigureValue, NextRow, Queue
from flowlet.backoffice.cells import Main, Tone, words
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel, table_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import FORMATTERS, Sentence
from flowlet.core.countries import country_name
from flowlet.core.ids import is_id
from flowlet.identity.models import Customer

VIEW = "compliance.view_kycapplication"
_WEEK = timedelta(days=7)


def _open_figure(_person: Person, now: datetime) -> FigureValue:
    waiting = queries_kyc.list_waiting()
    decided = KycDecision.objects.filter(decided_at__gte=now - _WEEK)
    found = count_each(
        {
            "open": waiting,
            "overdue": waiting.filter(due_at__lt=now),
            "policy": decided.filter(outcome="AUTO_APPROVED"),
        }
    )
    late = found["overdue"]
    note = f"{shown(late)} overdue" if late else f"{shown(found['policy'])} by policy in 7 days"
    return FigureValue(value=shown(found["open"]), note=note, tone="bad" if late else "")


FIGURES.register("identities")(
    Figure(
        title="Identity files",
        permission=VIEW,
        icon="contact",
        value=_open_figure,
        href=queue_href,
        order=12,
    )
)


def _next_files(_person: Person, now: datetime, limit: int) -> Sequence[NextRow]:
    rows = queries_kyc.list_waiting().select_related("customer")[:limit]
    return [
        NextRow(
            title=row.customer.name,
            meta=why(row) or row.get_document_type_display(),
            href=kyc_href(row),
            state=state_badge(row),
            due=due_cell(row, now),
        )
        for row in rows
    ]


QUEUES.register("identities")(
    Queue(title="Identity files to decide", permission=VIEW, rows=_next_files, href=queue_href, order=12)
)


def _customer_panel(customer: Customer, _person: Person, now: datetime) -> Panel:
    rows = KycApplication.objects.filter(customer=customer).order_by("-created_at", "-pk")[:20]
    return table_panel(
        "Identity files",
        columns=(
            Column(
                title="Document",
                cell=lambda row: Main(
                    f"{row.get_document_type_display()}, {country_name(row.document_country)}",
                    f"{row.get_wanted_tier_display()} tier · {row.public_id}",
                ),
            ),
            Column(title="Look at", cell=why, hide="m"),
            Column(title="Risk", cell=risk_badge, width="m", hide="m"),
            Column(title="State", cell=state_badge, width="m"),
            Column(title="Due or closed", cell=lambda row: due_cell(row, now), width="m", right=True),
        ),
        rows=list(rows),
        link=kyc_href,
        empty=("No identity file", "The partner has not sent data or documents of this customer."),
        empty_icon="contact",
        note=f"{customer.get_tier_display()} tier, {customer.get_risk_level_display().lower()} risk",
    )


PANELS.register("identities")(CustomerPanel(build=_customer_panel, permission=VIEW, tab="Identity", order=10))


def _find(term: str, _person: Person) -> Iterable[Found]:
    rows = KycApplication.objects.select_related("customer")
    if is_id(term, "kya"):
        found = rows.filter(public_id=term)
    else:
        found = rows.filter(state__in=WAITS_FOR_PERSON, customer__name__icontains=term)
    for row in found.order_by("due_at", "pk")[:5]:
        yield Found(
            title=row.customer.name,
            meta=f"{row.get_state_display()}: {row.get_document_type_display().lower()} · {row.public_id}",
            href=kyc_href(row),
        )


SEARCH.register("identities")(
    SimpleSource(
        title="Identity files",
        icon="contact",
        permission=VIEW,
        find=_find,
        wants=lambda term: is_id(term, "kya") or (len(term) > 2 and "_" not in term),  # noqa: PLR2004 - short words find everybody
        order=22,
    )
)

_REASONS = dict(DecisionReason.choices)


def _decided(record: AuditRecord) -> Sentence:
    detail = f"Reason: {_REASONS.get(record.reason_code, words(record.reason_code)).lower()}"
    for state, text, tone in _DECIDED:
        if f'"{state}"]' in record.changes:
            return Sentence(text=text, icon="contact", tone=tone, detail=detail)
    return Sentence(text="Identity file decided", icon="contact", detail=detail)


_DECIDED: tuple[tuple[str, str, Tone], ...] = (
    ("AUTO_APPROVED", "Identity approved by policy", "ok"),
    ("APPROVED", "Identity approved", "ok"),
    ("REJECTED", "Identity refused", "bad"),
    ("INFORMATION_NEEDED", "More was asked for", "wait"),
)


def _plain(text: str, icon: str) -> Callable[[AuditRecord], Sentence]:
    return lambda _record: Sentence(text=text, icon=icon, detail="")


FORMATTERS.register("kyc.decide")(_decided)
for _name, _text, _icon in (
    ("kyc.open", "Identity data sent", "contact"),
    ("kyc.correct", "Identity data corrected", "contact"),
    ("kyc.add_document", "Identity document sent", "file-text"),
    ("kyc.submit", "Identity file handed in", "contact"),
    ("kyc.check", "Identity checks run", "list-checks"),
    ("kyc.viewed", "Identity file looked at", "eye"),
    ("document.viewed", "Identity document looked at", "eye"),
    ("document.downloaded", "Original of a document taken", "download"),
):
    FORMATTERS.register(_name)(_plain(_text, _icon))
