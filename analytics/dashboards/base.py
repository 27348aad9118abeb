"""What a dashboard is made of: a period, figures, charts and ranked lines; each dashboard is one file beside this."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from flowlet.backoffice.charts import Axis, Plot, Series, day_labels
from flowlet.core.currencies import EXPONENTS
from flowlet.core.money import Money
from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Period:
    """The latest days in the reporting zone, today (not over yet) included, and as many days before them."""

    last: date
    count: int

    @classmethod
    def until(cls, now: datetime, count: int) -> "Period":
        """Return the period of `count` days that ends today."""
        return cls(now.astimezone(ZoneInfo(settings.REPORTING_TIME_ZONE)).date(), count)

    @property
    def first(self) -> date:
        """Return the first day."""
        return self.last - timedelta(days=self.count - 1)

    @property
    def before(self) -> "Period":
        """Return the period of the same length just before."""
        return Period(self.first - timedelta(days=1), self.count)

    @property
    def days(self) -> list[date]:
        """Return every day, oldest first."""
        return [self.first + timedelta(days=at) for at in range(self.count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTile:
    """One number, what it is compared with, and the list it counts ('' where there is none)."""

    title: str
    icon: str
    value: str
    note: str = ""
    tone: Literal["", "good", "bad"] = ""
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a ranking; `share` is 0 to 100, of the longest."""

    title: str
    value: str
    share: float
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartTile:
    """A chart or a ranking in a card; neither means that there is nothing to show."""

    title: str
    plot: Plot | None = None
    lines: Sequence[Line] = ()
    note: str = ""
    wide: bool = False

    @property
    def legend(self) -> list[tuple[Series, str]]:
        """Return each series with its total."""
        return list(zip(self.plot.series, self.plot.totals, strict=True)) if self.plot else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A page of figures; `build` reads facts only and spends at most six queries."""

    title: str
    permission: str
    build: Callable[[Period], tuple[Sequence[FigureTile], Sequence[ChartTile]]]
    order: int = 50


DASHBOARDS: Registry[Dashboard] = Registry("analytics.dashboards")


def change(present: int, before: int, period: Period) -> str:
    """Return how a number compares with the period before, in words."""
    if not before:
        return f"none in the {period.count} days before"
    share = round((present - before) * 100 / before)
    return (
        f"{share:+d} % on the {period.count} days before"
        if share
        else f"as many as the {period.count} days before"
    )


def day_axis(
    period: Period, *, url_name: str = "", prefix: str = "created", wide: bool = False, balance: bool = False
) -> Axis:
    """Return the axis of a period's days; with a list's URL name each day leads to its rows."""
    hrefs = [
        f"{reverse(url_name)}?{urlencode({f'{prefix}_from': day, f'{prefix}_to': day})}"
        for day in period.days
        if url_name
    ]
    return Axis(labels=day_labels(period.days), hrefs=hrefs, running=True, wide=wide, balance=balance)


def span_href(period: Period, url_name: str, *, prefix: str = "created", **fixed: str) -> str:
    """Return the address of a list narrowed to the period."""
    return f"{reverse(url_name)}?{urlencode({**fixed, f'{prefix}_from': period.first, f'{prefix}_to': period.last})}"


def money_axis(period: Period, currency: str, *, balance: bool = False) -> Axis:
    """Return an axis of days whose values are minor units of the currency."""
    return Axis(
        labels=day_labels(period.days),
        full=lambda minor: Money(minor, currency).format(),
        short=lambda minor: _short(minor, currency),
        running=True,
        balance=balance,
    )


def _short(minor: int, currency: str) -> str:
    major = minor / 10 ** EXPONENTS[currency]  # for the axis only; the table holds the exact amounts
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if major >= size:
            return f"{major / size:g}{letter}"
    return f"{major:g}"


def ranked(rows: Sequence[tuple[str, int, str, str]]) -> list[Line]:
    """Return (title, number, text, address) as lines, as long as their number is large."""
    top = max((number for _, number, _, _ in rows), default=0)
    return [
        Line(title=title, value=text, share=round(number * 100 / top, 1) if top else 0, href=href)
        for title, number, text, href in rows
    ]
