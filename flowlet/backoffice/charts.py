"""Charts made on the server: the geometry is worked out here, the template only prints it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from flowlet.backoffice.people import Person
from flowlet.core.registry import Registry

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 208, 40, 24, 8
STEPS = 4
BAR = 12
LEFT_WIDE, RIGHT = 52, 18
NARROW, WIDE = 540, 1120  # of a half and of a whole card, so that letters are of one size in both
_HIGH = HEIGHT - BOTTOM - TOP


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A drawn value, a bar or a dot: where it is, its sentence, and the list of what it counts."""

    x: float
    y: float
    width: float = 0
    height: float = 0
    series: int
    text: str
    href: str = ""
    running: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A chart of a dashboard, worked out; `paths` are (series, points of a line, whether it is still running)."""

    kind: Literal["stacked", "lines"]
    series: list[Series]
    totals: list[str]
    bars: list[Mark]
    dots: list[Mark]
    paths: list[tuple[int, str, bool]]
    grid: list[tuple[float, str]]
    ticks: list[tuple[float, str]]
    rows: list[tuple[str, str, list[str]]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT_WIDE

    @property
    def wide(self) -> bool:
        """Tell whether it fills a whole row: on a phone its letters must grow more."""
        return self.width == WIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """
    What a chart's values stand on: labels, the address behind each, how a number is written, the unfinished end.

    `short` writes the numbers beside the lines, `full` those of the table. `running` tells that the last label is not
    over: it is drawn lighter, or dashed. Values of a `balance` are never added up: the legend shows the last one.
    """

    labels: Sequence[str]
    hrefs: Sequence[str] = ()
    full: Callable[[int], str] = "{:,}".format
    short: Callable[[int], str] = "{:,}".format
    running: bool = False
    wide: bool = False
    balance: bool = False

    @property
    def width(self) -> int:
        """Return how wide the drawing is."""
        return WIDE if self.wide else NARROW

    def href(self, at: int) -> str:
        """Return the address of a label's rows, or ''."""
        return self.hrefs[at] if self.hrefs else ""


def stacked(axis: Axis, series: Sequence[Series]) -> Plot:
    """Return bars on top of each other, from zero; at most four series, no value below zero."""
    sums = [sum(one.values[at] for one in series) for at in range(len(axis.labels))]
    top, room = scale_top(max(sums, default=0)), _room(axis)
    width = max(1.0, min(22.0, room * 0.68))
    drawn, feet = [], [0] * len(axis.labels)
    for which, one in enumerate(series):
        for at, value in enumerate(one.values):
            feet[at] += value
            if value:
                drawn.append(
                    Mark(
                        x=round(LEFT_WIDE + room * at + (room - width) / 2, 1),
                        y=_y(feet[at], top),
                        width=round(width, 1),
                        height=round(_HIGH * value / top, 1),
                        series=which + 1,
                        text=f"{axis.labels[at]}: {axis.full(value)} {one.name.lower()}",
                        href=axis.href(at),
                        running=axis.running and at == len(axis.labels) - 1,
                    )
                )
    return _plot("stacked", axis, series, top, bars=drawn)


def lines(axis: Axis, series: Sequence[Series]) -> Plot:
    """Return lines from zero; the piece to an unfinished last label is dashed."""
    top = scale_top(max((value for one in series for value in one.values), default=0))
    dots, paths = [], []
    for which, one in enumerate(series):
        points = [(_x(axis, at), _y(max(value, 0), top)) for at, value in enumerate(one.values)]
        solid = points[:-1] if axis.running else points
        paths.append((which + 1, _points(solid), False))
        if axis.running:
            paths.append((which + 1, _points(points[-2:]), True))
        dots += [
            Mark(
                x=x,
                y=y,
                series=which + 1,
                text=f"{axis.labels[at]}: {axis.full(one.values[at])} {one.name.lower()}",
                href=axis.href(at),
            )
            for at, (x, y) in enumerate(points)
        ]
    return _plot("lines", axis, series, top, dots=dots, paths=paths)


def _plot(
    kind: Literal["stacked", "lines"],
    axis: Axis,
    series: Sequence[Series],
    top: int,
    *,
    bars: Sequence[Mark] = (),
    dots: Sequence[Mark] = (),
    paths: Sequence[tuple[int, str, bool]] = (),
) -> Plot:
    count = len(axis.labels)
    every = max(1, -(-count // 7))
    return Plot(
        kind=kind,
        series=list(series),
        totals=[axis.full((one.values or [0])[-1] if axis.balance else one.total) for one in series],
        bars=list(bars),
        dots=list(dots),
        paths=list(paths),
        grid=[(_y(top * step // STEPS, top), axis.short(top * step // STEPS)) for step in range(STEPS + 1)],
        ticks=[
            (_x(axis, at), label) for at, label in enumerate(axis.labels) if (count - 1 - at) % every == 0
        ],
        rows=[
            (label, axis.href(at), [axis.full(one.values[at]) for one in series])
            for at, label in enumerate(axis.labels)
        ],
        width=axis.width,
    )


def _room(axis: Axis) -> float:
    return (axis.width - LEFT_WIDE - RIGHT) / max(len(axis.labels), 1)


def _x(axis: Axis, at: int) -> float:
    return round(LEFT_WIDE + _room(axis) * (at + 0.5), 1)


def _y(value: int, top: int) -> float:
    return round(HEIGHT - BOTTOM - _HIGH * value / top, 1)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
