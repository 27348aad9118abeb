"""Finance: what customers hold, what came and went, income, and whether the figures agree with the books."""

from collections.abc import Sequence
from datetime import date

from django.db.models import F, Sum
from django.urls import reverse

from analytics.dashboards.base import (
    DASHBOARDS,
    ChartTile,
    Dashboard,
    FigureTile,
    Period,
    money_axis,
    ranked,
)
from analytics.facts.ledger_day import LedgerDay
from analytics.queries import running_series, series_of
from flowlet.backoffice.cells import words
from flowlet.backoffice.charts import Series, lines, stacked
from flowlet.core.money import Money

WALLETS = "CUSTOMER_WALLETS"
_Days = dict[date, tuple[int, int]]


def _movements(period: Period) -> dict[str, _Days]:
    """Return credits and debits of customers' wallets by currency and day; one query."""
    rows = (
        LedgerDay.objects.filter(account=WALLETS, date__range=(period.first, period.last))
        .values_list("currency", "date")
        .annotate(credits=Sum("credit_minor"), debits=Sum("debit_minor"))
    )
    found: dict[str, _Days] = {}
    for currency, day, into, out in rows:
        found.setdefault(currency, {})[day] = (int(into), int(out))
    return found


def _held_before(period: Period) -> dict[str, int]:
    rows = (
        LedgerDay.objects.filter(account=WALLETS, date__lt=period.first)
        .values_list("currency")
        .annotate(minor=Sum(F("credit_minor") - F("debit_minor")))
    )
    return {currency: int(minor) for currency, minor in rows}


def _build(period: Period) -> tuple[Sequence[FigureTile], Sequence[ChartTile]]:
    found, before = _movements(period), _held_before(period)
    currencies = sorted({*found, *before}, key=lambda one: (-len(found.get(one, {})), one))
    figures, charts = [], []
    for at, currency in enumerate(currencies[:4]):
        days = found.get(currency, {})
        net = {day: into - out for day, (into, out) in days.items()}
        held = running_series(before.get(currency, 0), net, period.days)
        figures.append(
            FigureTile(
                title=f"Held for customers, {currency}",
                icon="landmark",
                value=Money(held[-1], currency).format(),
                note=f"{_signed(held[-1] - before.get(currency, 0), currency)} in {period.count} days",
                href=reverse("admin:ledger_trial_balance"),
            )
        )
        if at < 2:  # noqa: PLR2004 - two currencies fill the page
            charts += _charts(period, currency, held, days)
    return figures, [*charts, _headings(period)]


def _signed(minor: int, currency: str) -> str:
    return f"{'+' if minor > 0 else ''}{Money(minor, currency).format()}"


def _charts(period: Period, currency: str, held: Sequence[int], days: _Days) -> list[ChartTile]:
    axis = money_axis(period, currency)
    into = series_of({day: pair[0] for day, pair in days.items()}, period.days)
    out = series_of({day: pair[1] for day, pair in days.items()}, period.days)
    return [
        ChartTile(
            title=f"Held for customers, {currency}",
            plot=lines(money_axis(period, currency, balance=True), [Series("At the day's end", held)]),
            note="By booking date.",
        ),
        ChartTile(
            title=f"Booked on wallets, {currency}",
            plot=stacked(axis, [Series("In", into), Series("Out", out)]),
            note="Credits and debits, by booking date.",
        ),
    ]


def _headings(period: Period) -> ChartTile:
    rows = (
        LedgerDay.objects.filter(date__range=(period.first, period.last))
        .values_list("account")
        .annotate(total=Sum("postings"))
        .order_by("-total", "account")[:8]
    )
    named = [(words(account), int(total), f"{total:,}", "") for account, total in rows]
    return ChartTile(title="Postings by heading", lines=ranked(named), wide=True)


DASHBOARDS.register("finance")(
    Dashboard(title="Finance", permission="analytics.view_finance_figures", build=_build, order=30)
)
