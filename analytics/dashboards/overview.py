"""Overview: the house at a glance."""

from collections.abc import Sequence

from analytics.dashboards.base import DASHBOARDS, ChartTile, Dashboard, FigureTile, Period
from analytics.dashboards.customers import new_figure
from analytics.dashboards.payments import count_chart, count_figures, volume_charts


def _build(period: Period) -> tuple[Sequence[FigureTile], Sequence[ChartTile]]:
    return [*count_figures(period), new_figure(period)], [
        count_chart(period),
        *volume_charts(period),
    ]


DASHBOARDS.register("overview")(
    Dashboard(title="Overview", permission="analytics.view_overview", build=_build, order=10)
)
