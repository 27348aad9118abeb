"""Cards: what merchants asked for, how it was answered and why, and what was cleared."""

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
from analytics.facts.card_day import CardDay
from analytics.queries import per_day, series_of
from cards.choices import DECLINE_WORDS
from flowlet.backoffice.cells import words
from flowlet.backoffice.charts import Series, lines, stacked

RANKED = 6
LIST = "admin:cards_cardauthorization_changelist"


def _figures(period: Period) -> list[FigureTile]:
    """Return authorisations, how many were declined, how long decisions took; one query."""
    now = Q(date__gte=period.first)
    names = ("count", "approved", "declined", "decision_us")
    found = CardDay.objects.filter(date__range=(period.before.first, period.last)).aggregate(
        **{f"{name}_now": Sum(name, filter=now) for name in names},
        **{f"{name}_before": Sum(name, filter=~now) for name in names},
    )
    present, before = (
        {name: int(found[f"{name}_{when}"] or 0) for name in names} for when in ("now", "before")
    )
    share, share_before = (
        one["declined"] * 100 / one["count"] if one["count"] else 0.0 for one in (present, before)
    )
    took = present["decision_us"] / present["count"] / 1000 if present["count"] else 0.0
    return [
        FigureTile(
            title="Authorisations",
            icon="list-checks",
            value=f"{present['count']:,}",
            note=change(present["count"], before["count"], period),
            href=span_href(period, LIST),
        ),
        FigureTile(
            title="Approved",
            icon="circle-check",
            value=f"{present['approved']:,}",
            note=change(present["approved"], before["approved"], period),
        ),
        FigureTile(
            title="Declined share",
            icon="ban",
            value=f"{share:.1f} %",
            note=f"{present['declined']:,} declined; {share_before:.1f} % before",
            tone="bad" if before["count"] and share > share_before + 1 else "",
            href=span_href(period, LIST, view="declined"),
        ),
        FigureTile(
            title="Average decision",
            icon="activity",
            value=f"{took:.1f} ms",
            note="From the question to the answer",
        ),
    ]


def _count_chart(period: Period) -> ChartTile:
    """Return authorisations per day by their answer; one query."""
    found = per_day(CardDay, by="outcome", sums="count", first=period.first, last=period.last)
    series = [
        Series(title, series_of(found.get(code, {}), period.days))
        for code, title in (("APPROVED", "Approved"), ("DECLINED", "Declined"), ("PARTIAL", "In part"))
        if code in found or code != "PARTIAL"
    ]
    return ChartTile(
        title="Authorisations per day",
        plot=stacked(day_axis(period, url_name=LIST, wide=True), series),
        note="By the day the merchant asked. Today is not over.",
        wide=True,
    )


def _cleared_charts(period: Period) -> list[ChartTile]:
    """Return what merchants collected per day of the authorisation, for the two busiest currencies; one query."""
    found = per_day(CardDay, by="currency", sums="cleared_minor", first=period.first, last=period.last)
    busiest = sorted(found.items(), key=lambda pair: (-sum(1 for one in pair[1].values() if one), pair[0]))
    return [
        ChartTile(
            title=f"Cleared, {currency}",
            plot=lines(money_axis(period, currency), [Series("Cleared", series_of(days, period.days))]),
            note="By the day of the authorisation; recent days still grow.",
        )
        for currency, days in busiest[:2]
    ]


def _rankings(period: Period) -> list[ChartTile]:
    """Return why cards were declined and where they were used; one query."""
    reasons: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    rows = CardDay.objects.filter(date__range=(period.first, period.last)).values_list("category", "reason")
    for category, reason, count, approved in rows.annotate(n=Sum("count"), ok=Sum("approved")).order_by(
        "category", "reason"
    ):
        groups[category] += int(approved)
        if reason:
            reasons[reason] += int(count)
    return [
        ChartTile(
            title="Declined because",
            lines=ranked(
                [
                    (
                        DECLINE_WORDS.get(reason, words(reason)).rstrip("."),
                        count,
                        f"{count:,}",
                        span_href(period, LIST, reason=reason),
                    )
                    for reason, count in reasons.most_common(RANKED)
                ]
            ),
        ),
        ChartTile(
            title="Used for",
            lines=ranked(
                [
                    (words(group), count, f"{count:,}", "")
                    for group, count in groups.most_common(RANKED)
                    if count
                ]
            ),
            note="Approved authorisations by kind of merchant.",
        ),
    ]


def _build(period: Period) -> tuple[Sequence[FigureTile], Sequence[ChartTile]]:
    return _figures(period), [_count_chart(period), *_cleared_charts(period), *_rankings(period)]


DASHBOARDS.register("cards")(
    Dashboard(title="Cards", permission="analytics.view_card_figures", build=_build, order=25)
)
