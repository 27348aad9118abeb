"""Payments: how many, how they ended, what they moved, why some were refused."""

from collections import Counter
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
    money_axis,
    ranked,
    span_href,
)
from analytics.facts.payment_day import PaymentDay
from analytics.queries import per_day, series_of
from flowlet.backoffice.cells import words
from flowlet.backoffice.charts import Series, lines, stacked
from flowlet.core.money import Money

RANKED = 6
LIST = "admin:payments_payment_changelist"


def count_chart(period: Period, *, wide: bool = True) -> ChartTile:
    """Return payments per day by how they ended; one query."""
    found = per_day(PaymentDay, by="status", sums="count", first=period.first, last=period.last)
    refused, completed = found.pop("REFUSED", {}), found.pop("COMPLETED", {})
    others = {day: sum(one.get(day, 0) for one in found.values()) for day in period.days}
    series = [
        Series("Completed", series_of(completed, period.days)),
        Series("Refused", series_of(refused, period.days)),
        *([Series("Other", series_of(others, period.days))] if any(others.values()) else []),
    ]
    return ChartTile(
        title="Payments per day",
        plot=stacked(day_axis(period, url_name=LIST, wide=wide), series),
        note="By the day they were made. Today is not over.",
        wide=wide,
    )


def volume_charts(period: Period, *, most: int = 2) -> list[ChartTile]:
    """Return what completed payments moved per day, one chart for each of the busiest currencies; one query."""
    found = per_day(PaymentDay, by="currency", sums="settled_minor", first=period.first, last=period.last)
    counts = sorted(found.items(), key=lambda pair: (-len(pair[1]), -sum(pair[1].values()), pair[0]))
    return [
        ChartTile(
            title=f"Settled per day, {currency}",
            plot=lines(money_axis(period, currency), [Series("Settled", series_of(days, period.days))]),
            note="Completed payments. Currencies are never added up.",
        )
        for currency, days in counts[:most]
    ]


def totals(period: Period) -> tuple[dict[str, int], dict[str, int]]:
    """Return the counts of the period and of the one before; one query."""
    rows = PaymentDay.objects.filter(date__range=(period.before.first, period.last))
    now = Q(date__gte=period.first)
    names = ("count", "completed", "refused")
    found = rows.aggregate(
        **{f"{name}_now": Sum(name, filter=now) for name in names},
        **{f"{name}_before": Sum(name, filter=~now) for name in names},
    )
    present, before = (
        {name: int(found[f"{name}_{when}"] or 0) for name in names} for when in ("now", "before")
    )
    return present, before


def count_figures(period: Period) -> list[FigureTile]:
    """Return payments and the refused share beside the period before; one query."""
    present, before = totals(period)
    share, share_before = _share(present), _share(before)
    return [
        FigureTile(
            title="Payments",
            icon="arrow-left-right",
            value=f"{present['count']:,}",
            note=change(present["count"], before["count"], period),
            href=span_href(period, LIST),
        ),
        FigureTile(
            title="Completed",
            icon="circle-check",
            value=f"{present['completed']:,}",
            note=change(present["completed"], before["completed"], period),
            href=span_href(period, LIST, view="completed"),
        ),
        FigureTile(
            title="Refused share",
            icon="ban",
            value=f"{share:.1f} %",
            note=f"{present['refused']:,} refused or failed; {share_before:.1f} % before",
            tone="bad" if before["count"] and share > share_before + 1 else "",
            href=span_href(period, LIST, view="refused"),
        ),
    ]


def _share(found: dict[str, int]) -> float:
    return found["refused"] * 100 / found["count"] if found["count"] else 0.0


def _rankings(period: Period) -> list[ChartTile]:
    """Return why payments were refused and what each currency settled; one query."""
    rows = PaymentDay.objects.filter(date__range=(period.first, period.last)).values_list(
        "currency", "reason"
    )
    reasons: Counter[str] = Counter()
    done: Counter[str] = Counter()
    minor: Counter[str] = Counter()
    for currency, reason, count, completed, settled in rows.annotate(
        n=Sum("count"), done=Sum("completed"), minor=Sum("settled_minor")
    ).order_by("currency", "reason"):
        done[currency] += int(completed)
        minor[currency] += int(settled)
        if reason:
            reasons[reason] += int(count)
    refused = [
        (words(reason), count, f"{count:,}", span_href(period, LIST, reason=reason))
        for reason, count in reasons.most_common(RANKED)
    ]
    settled_by = [
        (f"{currency}: {count:,} payments", count, Money(minor[currency], currency).format(), "")
        for currency, count in done.most_common(RANKED)
        if count
    ]
    return [
        ChartTile(title="Refused because", lines=ranked(refused)),
        ChartTile(title="Settled by currency", lines=ranked(settled_by)),
    ]


def _build(period: Period) -> tuple[Sequence[FigureTile], Sequence[ChartTile]]:
    return count_figures(period), [
        count_chart(period),
        *volume_charts(period),
        *_rankings(period),
    ]


DASHBOARDS.register("payments")(
    Dashboard(title="Payments", permission="analytics.view_payment_figures", build=_build, order=20)
)
