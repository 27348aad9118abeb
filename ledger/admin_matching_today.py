"""What reconciliation puts on Today: breaks as work, their number, and whether client money is covered."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from flowlet.backoffice.cards import (
    FIGURES,
    HOUSE,
    QUEUES,
    Figure,
    FigureValue,
    HouseLine,
    HouseState,
    NextRow,
    Queue,
)
from flowlet.backoffice.cells import Due
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.people import Person
from flowlet.core.money import Money
from ledger.admin_breaks import break_href, state_badge
from ledger.queries.breaks import age_text, list_live_breaks
from ledger.queries.safeguarding import get_shortfalls, list_proofs

VIEW = "ledger.view_break"


def _list_href() -> str:
    return reverse("admin:ledger_break_changelist")


def _figure(_person: Person, now: datetime) -> FigureValue:
    live = list_live_breaks()
    found = count_each({"open": live, "late": live.filter(due_at__lt=now)})
    late = found["late"]
    return FigureValue(
        value=shown(found["open"]),
        note=f"{shown(late)} past their time" if late else "none past its time",
        tone="bad" if late else "good",
    )


FIGURES.register("ledger.breaks")(
    Figure(
        title="Open breaks", permission=VIEW, icon="circle-alert", value=_figure, href=_list_href, order=14
    )
)


def _next(_person: Person, now: datetime, limit: int) -> Sequence[NextRow]:
    rows = list_live_breaks().select_related("line__bank_account", "posting__transaction")
    return [
        NextRow(
            title=f"{one.get_kind_display()}: {Money(one.amount_minor, one.currency).format()}",
            meta=f"Age: {age_text(one.since, now.date())}",
            href=break_href(one),
            state=state_badge(one),
            due=Due(one.due_at, now),
        )
        for one in rows[:limit]
    ]


QUEUES.register("ledger.breaks")(
    Queue(title="Breaks to settle", permission=VIEW, rows=_next, href=_list_href, order=30)
)


def _covered(_person: Person, _now: datetime) -> HouseState:
    href = reverse("admin:ledger_safeguardingproof_changelist")
    latest = list_proofs().first()
    if latest is None:
        return HouseState(text="Not proven yet", tone="", href=href)
    short = [currency for currency, minor in get_shortfalls().items() if minor]
    return HouseState(
        text="Shortfall" if short else "Covered",
        tone="bad" if short else "ok",
        note=", ".join([f"{latest.day:%-d %b %Y}", *short]),
        href=href,
    )


HOUSE.register("ledger.safeguarding")(
    HouseLine(title="Client money", permission="ledger.view_safeguardingproof", state=_covered, order=40)
)
