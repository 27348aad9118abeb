"""Customers: who came, who was active, wallets opened and closed."""

from collections.abc import Sequence

from django.db.models import Q, Sum

from analytics.dashboards.base import (
    DASHBOARDS,
    ChartTile,
    Dashboard,
    FigureTile,
    Period,
    change,
    day_axis,
    ranked,
)
from analytics.facts.customer_day import CustomerDay
from analytics.facts.wallet_day import WalletDay
from analytics.queries import per_day, series_of
from flowlet.backoffice.charts import Series, lines, stacked

_KINDS = (("PERSON", "People"), ("BUSINESS", "Businesses"))


def active_chart(period: Period) -> ChartTile:
    """Return customers with an entry per day; one query."""
    found = per_day(CustomerDay, by="kind", sums="active", first=period.first, last=period.last)
    series = [Series(title, series_of(found.get(kind, {}), period.days)) for kind, title in _KINDS]
    return ChartTile(
        title="Active customers per day",
        plot=lines(day_axis(period, balance=True), series),
        note="With at least one entry that day; the legend shows today. Not to be added over days.",
    )


def new_figure(period: Period) -> FigureTile:
    """Return new customers beside the period before; one query."""
    rows = CustomerDay.objects.filter(date__range=(period.before.first, period.last))
    now = Q(date__gte=period.first)
    found = rows.aggregate(present=Sum("new", filter=now), before=Sum("new", filter=~now))
    present, before = int(found["present"] or 0), int(found["before"] or 0)
    return FigureTile(
        title="New customers", icon="users", value=f"{present:,}", note=change(present, before, period)
    )


def _build(period: Period) -> tuple[Sequence[FigureTile], Sequence[ChartTile]]:
    new = per_day(CustomerDay, by="kind", sums="new", first=period.first, last=period.last)
    wallets = (
        WalletDay.objects.filter(date__range=(period.first, period.last))
        .values_list("currency")
        .annotate(opened=Sum("opened"), closed=Sum("closed"))
        .order_by("-opened", "currency")
    )
    rows = list(wallets)
    opened, closed = sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)
    figures = [
        new_figure(period),
        FigureTile(
            title="Wallets opened",
            icon="wallet",
            value=f"{opened:,}",
            note=f"{closed:,} closed in these days",
        ),
    ]
    series = [Series(title, series_of(new.get(kind, {}), period.days)) for kind, title in _KINDS]
    return figures, [
        ChartTile(
            title="New customers per day", plot=stacked(day_axis(period, wide=True), series), wide=True
        ),
        active_chart(period),
        ChartTile(
            title="Wallets opened by currency",
            lines=ranked([(currency, int(count), f"{count:,}", "") for currency, count, _ in rows if count]),
        ),
    ]


DASHBOARDS.register("customers")(
    Dashboard(title="Customers", permission="analytics.view_customer_figures", build=_build, order=40)
)
