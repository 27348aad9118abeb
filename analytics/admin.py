"""The pages of analytics: dashboards here, reports beside, and the line of the house on Today."""

import pkgutil
from datetime import datetime
from importlib import import_module
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from analytics import admin_reports as _reports  # noqa: F401 - registers the pages of reports
from analytics import dashboards
from analytics.dashboards.base import DASHBOARDS, Dashboard, Period
from analytics.models import FactDifference, Reconciliation
from analytics.queries import behind_since
from flowlet.backoffice.cards import HOUSE, HouseLine, HouseState, aged
from flowlet.backoffice.cells import ago
from flowlet.backoffice.frame import page
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock

for _found in pkgutil.iter_modules(dashboards.__path__):
    import_module(f"{dashboards.__name__}.{_found.name}")

VIEW, DAYS, DIFFERENCES_SHOWN = "analytics.view_overview", (30, 90), 5


def boards_of(person: Person) -> list[tuple[str, Dashboard]]:
    """Return the dashboards a person may see, in order."""
    found = [(key, board) for key, board in DASHBOARDS.items() if person.may(board.permission)]
    return sorted(found, key=lambda pair: pair[1].order)


@register_page(
    route="dashboards/",
    name="dashboards",
    permission=VIEW,
    navigation=Item(
        title="Dashboards",
        url_name="admin:dashboards",
        group="Work",
        icon="activity",
        permission=VIEW,
        order=5,
    ),
)
@require_safe
def first_dashboard(request: HttpRequest) -> HttpResponse:
    """Lead to the first dashboard the person may see."""
    key, _ = boards_of(person_of(request))[0]
    return HttpResponseRedirect(reverse("admin:dashboard", args=[key]))


@register_page(route="dashboards/<slug:key>/", name="dashboard", permission=VIEW)
@require_safe
def dashboard(request: HttpRequest, key: str) -> HttpResponse:
    """
    Answer one dashboard.

    :raises Http404: if there is none of that name
    :raises PermissionDenied: if the person may not see it
    """
    if key not in DASHBOARDS:
        raise Http404
    board, person, now = DASHBOARDS.get(key), person_of(request), clock.now()
    if not person.may(board.permission):
        raise PermissionDenied
    asked = request.GET.get("days", "")
    period = Period.until(now, int(asked) if asked in {str(days) for days in DAYS} else DAYS[0])
    figures, charts = board.build(period)
    here = reverse("admin:dashboard", args=[key])
    return page(
        request,
        "analytics/dashboard.html",
        title=board.title,
        path=[("Dashboards", "")],
        summary=_summary(period, now),
        figures=figures,
        charts=charts,
        differences=list(FactDifference.objects.order_by("fact", "subject", "pk")[:DIFFERENCES_SHOWN]),
        boards=[
            (
                one.title,
                f"{reverse('admin:dashboard', args=[name])}?{urlencode({'days': period.count})}",
                name == key,
            )
            for name, one in boards_of(person)
        ],
        periods=[(f"{days} days", f"{here}?days={days}", days == period.count) for days in DAYS],
    )


def _summary(period: Period, now: datetime) -> str:
    since = behind_since()
    age = f"figures are behind since {ago(since, now)}" if isinstance(since, datetime) else "up to date"
    return f"{period.first:%-d %b} to {period.last:%-d %b %Y} · {age}"


def _house(_person: Person, now: datetime) -> HouseState:
    latest = Reconciliation.objects.order_by("-finished_at", "-pk").first()
    href = reverse("admin:dashboards")
    if latest is None:
        return HouseState(
            text="Not compared yet", tone="", note="compared with the books every night", href=href
        )
    note = aged(latest.finished_at, now)
    if latest.differences:
        return HouseState(text=f"{latest.differences} differ", tone="bad", note=note, href=href)
    return HouseState(text="Agree", tone="ok", note=note, href=href)


HOUSE.register("analytics.figures")(
    HouseLine(title="Figures and books", permission=VIEW, state=_house, order=60)
)
