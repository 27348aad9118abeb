"""Bar charts made on the server: the geometry is worked out here, the template only prints it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 208, 40, 24, 8
STEPS = 4
BAR = 12


@dataclass(frozen=True, slots=True)
class Series:
    """One row of bars: its name, and one whole number for each label."""

    name: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        """Return the sum, shown in the legend."""
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn bar with its sentence for who points at it or cannot see it."""

    x: float
    y: float
    width: float
    height: float
    series: int
    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """All that the template draws."""

    series: list[Series]
    bars: list[Bar]
    grid: list[tuple[float, str]]
    ticks: list[tuple[float, str]]
    rows: list[tuple[str, list[int]]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """
    A chart of the Today page.

    `series` returns labels and up to four series of the same length for the person; one or two queries, and from an
    index, never a scan. The first chart by `order` that the person may see is shown.
    """

    title: str
    permission: str
    note: str
    series: Callable[[Person, datetime], tuple[Sequence[str], Sequence[Series]]]
    order: int = 50
    href: Callable[[], str] | None = None


CHARTS: Registry[Chart] = Registry("backoffice.charts")


def days_until(now: datetime, *, count: int = 14) -> list[date]:
    """Return the latest `count` days in UTC, oldest first, today included."""
    return [now.date() - timedelta(days=back) for back in range(count - 1, -1, -1)]


def day_labels(days: Sequence[date]) -> list[str]:
    """Return days as short level labels: `24 Nov`."""
    return [f"{day:%-d %b}" for day in days]


def bars(labels: Sequence[str], series: Sequence[Series]) -> Bars:
    """Return the drawing of grouped bars; the scale's top is a round number, zero is always its foot."""
    top = scale_top(max((value for one in series for value in one.values), default=0))
    room = (WIDTH - LEFT) / max(len(labels), 1)
    bar = min(BAR, room * 0.8 / max(len(series), 1))
    high = HEIGHT - BOTTOM - TOP
    drawn = [
        Bar(
            x=round(LEFT + room * at + (room - bar * len(series)) / 2 + bar * which, 1),
            y=round(HEIGHT - BOTTOM - high * value / top, 1),
            width=round(bar - 1, 1),
            height=round(high * value / top, 1),
            series=which + 1,
            text=f"{label}: {value:,} {one.name.lower()}",
        )
        for which, one in enumerate(series)
        for at, (label, value) in enumerate(zip(labels, one.values, strict=True))
    ]
    every = max(1, -(-len(labels) // 8))
    return Bars(
        series=list(series),
        bars=drawn,
        grid=[
            (round(HEIGHT - BOTTOM - high * step / STEPS, 1), f"{top * step // STEPS:,}")
            for step in range(STEPS + 1)
        ],
        ticks=[
            (round(LEFT + room * (at + 0.5), 1), label)
            for at, label in enumerate(labels)
            if (len(labels) - 1 - at) % every == 0
        ],
        rows=[(label, [one.values[at] for one in series]) for at, label in enumerate(labels)],
    )


def scale_top(value: int) -> int:
    """Return the smallest of 4, 8, 20, 40, 80, 200 … that holds the value, so that the four steps are whole."""
    size = 1
    while True:
        for factor in (4, 8, 20):
            if value <= factor * size:
                return factor * size
        size *= 10
