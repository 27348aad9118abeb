"""What cases put on pages of others: Today, the search, the customer page; for those who may see cases only."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from compliance import queries_cases as queries
from compliance.admin_cases import VIEW, due_cell, queue_href, severity_badge, state_badge
from compliance.choices_monitoring import OPEN_STATES
from compliance.models.cases import Case
from compliance.operations.cases_deciding import case_href
from flowlet.backoffice.cards import FIGURES, QUEUES, Figure, FigureValue, NextRow, Queue
from flowlet.backoffice.cells import Main, When
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel, table_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import FORMATTERS, Sentence
from flowlet.core.ids import is_id
from flowlet.identity.models import Customer


def _figure(_person: Person, now: datetime) -> FigureValue:
    waiting = queries.list_open_cases()
    found = count_each({"open": waiting, "overdue": waiting.filter(due_at__lt=now)})
    overdue = found["overdue"]
    return FigureValue(
        value=shown(found["open"]),
        note=f"{shown(overdue)} past their time" if overdue else "none past its time",
        tone="bad" if overdue else "good",
    )


FIGURES.register("cases")(
    Figure(title="Open cases", permission=VIEW, icon="briefcase", value=_figure, href=queue_href, order=12)
)


def _next(_person: Person, now: datetime, limit: int) -> Sequence[NextRow]:
    return [
        NextRow(
            title=case.customer.name,
            meta=case.title,
            href=case_href(case.public_id),
            state=severity_badge(case.severity),
            due=due_cell(case, now),
        )
        for case in queries.list_open_cases().select_related("customer")[:limit]
    ]


QUEUES.register("cases")(
    Queue(title="Cases to decide", permission=VIEW, rows=_next, href=queue_href, order=12)
)


def _panel(customer: Customer, _person: Person, now: datetime) -> Panel:
    return table_panel(
        "Cases",
        columns=(
            Column(title="Case", cell=lambda case: Main(case.title, case.public_id, mono=True)),
            Column(title="Severity", cell=lambda case: severity_badge(case.severity), width="s"),
            Column(title="State", cell=state_badge, width="m"),
            Column(title="Due or closed", cell=lambda case: due_cell(case, now), width="m", right=True),
            Column(title="Opened", cell=lambda case: When(case.opened_at), width="m", right=True, hide="m"),
        ),
        rows=list(Case.objects.filter(customer=customer).order_by("-opened_at", "-pk")[:20]),
        link=lambda case: case_href(case.public_id),
        empty=("No cases", "Monitoring has raised nothing about this customer."),
        empty_icon="shield-check",
    )


PANELS.register("cases")(CustomerPanel(build=_panel, permission=VIEW, tab="Screening", order=20))


def _find(term: str, _person: Person) -> Iterable[Found]:
    rows = Case.objects.select_related("customer")
    if is_id(term, "cas"):
        found = rows.filter(public_id=term)
    else:
        found = rows.filter(state__in=OPEN_STATES, customer__name__icontains=term)
    for case in found.order_by("due_at", "pk")[:5]:
        yield Found(
            title=case.customer.name,
            meta=f"{case.get_state_display()}: {case.title} · {case.public_id}",
            href=case_href(case.public_id),
        )


SEARCH.register("cases")(
    SimpleSource(
        title="Cases",
        icon="briefcase",
        permission=VIEW,
        find=_find,
        wants=lambda term: is_id(term, "cas") or (len(term) > 2 and "_" not in term),  # noqa: PLR2004 - short words find everybody
        order=21,
    )
)

_SENTENCES = {
    "case.open": Sentence(text="Case opened", icon="flag", tone="warn"),
    "case.take": Sentence(text="Case taken", icon="user"),
    "case.note": Sentence(text="Note added to the case"),
    "case.wait": Sentence(text="Case put on hold", icon="clock"),
    "case.resume": Sentence(text="Case resumed"),
    "case.propose": Sentence(text="Decision proposed", icon="users", tone="info"),
    "case.close": Sentence(text="Case closed", icon="shield-check", tone="ok"),
    "case.return": Sentence(text="Proposal returned", icon="history", tone="warn"),
    "alert.raise": Sentence(text="Alert raised", icon="flag", tone="warn"),
    "alert.drop": Sentence(text="Alert dropped"),
    "scenario.propose": Sentence(text="Other parameters proposed", icon="settings", tone="info"),
    "scenario.activate": Sentence(text="Other parameters in force", icon="settings", tone="ok"),
}
for _name, _sentence in _SENTENCES.items():
    FORMATTERS.register(_name)(lambda _record, sentence=_sentence: sentence)
