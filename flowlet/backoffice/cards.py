"""The Today page and what apps put on it: figures, the next work, the state of the house."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from flowlet.backoffice.cells import Badge, Due, Tone, ago, minute
from flowlet.backoffice.charts import CHARTS, bars
from flowlet.backoffice.frame import Button, page
from flowlet.backoffice.people import Person, person_of
from flowlet.core import clock
from flowlet.core.registry import Registry

FIGURES_SHOWN = 4
# A queue alone on the page may be longer than one of several.
NEXT_SHOWN_ALONE, NEXT_SHOWN = 7, 4
_NO_HURRY = datetime.max.replace(tzinfo=UTC)


class _HasOrder(Protocol):
    @property
    def order(self) -> int: ...


_Ordered = TypeVar("_Ordered", bound=_HasOrder)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureValue:
    """A figure's number as text, what to compare it with, and whether that is good or bad news."""

    value: str
    note: str = ""
    tone: Literal["", "good", "bad"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    One figure of the Today page; `href` leads to exactly the rows that were counted.

    `value` gets the person and the time and spends one query on an index. The first four a person may see are shown.
    """

    title: str
    permission: str
    icon: str
    value: Callable[[Person, datetime], FigureValue]
    href: Callable[[], str]
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRow:
    """One piece of open work: what it is, where it is decided, and until when."""

    title: str
    meta: str
    href: str
    state: object = ""
    due: object = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A source of open work for the Today page: first due first, one query."""

    title: str
    permission: str
    rows: Callable[[Person, datetime, int], Sequence[NextRow]]
    href: Callable[[], str]
    order: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseState:
    """How one part of the house is: a word, its tone, since when, and where to read more."""

    text: str
    tone: Tone
    note: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseLine:
    """A line of "The house"; `state` gets the time and spends one query."""

    title: str
    permission: str
    state: Callable[[Person, datetime], HouseState]
    order: int = 50


FIGURES: Registry[Figure] = Registry("backoffice.cards")
QUEUES: Registry[Queue] = Registry("backoffice.queues")
HOUSE: Registry[HouseLine] = Registry("backoffice.house")


def today(request: HttpRequest) -> HttpResponse:
    """Answer the index: what is to be done, how much, and whether the house is well."""
    person, now = person_of(request), clock.now()
    queues = [queue for queue in _by_order(QUEUES) if person.may(queue.permission)]
    charts = [chart for chart in _by_order(CHARTS) if person.may(chart.permission)]
    figures = [figure for figure in _by_order(FIGURES) if person.may(figure.permission)][:FIGURES_SHOWN]
    shown = NEXT_SHOWN if len(queues) > 1 else NEXT_SHOWN_ALONE
    work = [(queue, list(queue.rows(person, now, shown))) for queue in queues]
    work.sort(key=lambda pair: _urgency(pair[1]))
    start = [
        Button(label="Start with the first", href=rows[0].href, style="primary") for _, rows in work if rows
    ][:1]
    return page(
        request,
        "admin/index.html",
        title="Today",
        summary=f"{timezone.localtime(now):%A, %-d %B %Y, %H:%M %Z}",
        buttons=start,
        figures=[(figure, figure.value(person, now), figure.href()) for figure in figures],
        queues=[(queue, rows) for queue, rows in work if rows],
        idle=[queue for queue, rows in work if not rows],
        charts=[(chart, bars(*chart.series(person, now))) for chart in charts[:1]],
        house=[
            (line.title, line.state(person, now)) for line in _by_order(HOUSE) if person.may(line.permission)
        ],
    )


def _urgency(rows: Sequence[NextRow]) -> datetime:
    """Return when the first of them is due; what has no time comes after what has one, in its usual order."""
    return min((row.due.at for row in rows if isinstance(row.due, Due)), default=_NO_HURRY)


def _by_order(registry: Registry[_Ordered]) -> list[_Ordered]:
    return sorted(registry.values(), key=lambda entry: entry.order)


def aged(at: datetime | None, now: datetime) -> str:
    """Return how old a state is: `checked 3 min ago`, or that it never was."""
    return f"{ago(at, now)}, {minute(at)}" if at else "never"


def state_badge(state: HouseState) -> Badge:
    """Return the state as a badge."""
    return Badge(state.text, state.tone)
