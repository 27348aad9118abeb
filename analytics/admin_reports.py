"""The page of reports: choose measures, see the rows, take them away as a file, keep the question."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from analytics.definitions import GRAINS, PERIODS, Question, answer, count_rows, read
from analytics.errors import BadDefinition
from analytics.facts.base import FACTS
from analytics.models import FactDifference, Report
from analytics.operations.reports import save_report
from analytics.queries import behind_since
from flowlet.audit import trail
from flowlet.backoffice.cells import Amount, Day, stamp
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.exports import ExportColumn, ExportFile, Value, csv_response
from flowlet.backoffice.frame import page
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register_page
from flowlet.backoffice.timeline import say
from flowlet.backoffice.xlsx import xlsx_response
from flowlet.core import clock
from flowlet.core.errors import AppError
from flowlet.core.money import Money

BUILD, EXPORT = "analytics.build_report", "analytics.export_report"
PREVIEW, SAVED = 500, 30
_FORMATS = {"csv": csv_response, "xlsx": xlsx_response}


@register_page(
    route="reports/",
    name="reports",
    permission=BUILD,
    navigation=Item(
        title="Reports",
        url_name="admin:reports",
        group="Money",
        icon="list-filter",
        permission=BUILD,
        order=65,
    ),
)
@require_http_methods(["GET", "HEAD", "POST"])
def reports(request: HttpRequest) -> Any:
    """
    Answer the builder with its preview; a POST takes a file away or saves the question.

    :raises PermissionDenied: if a file is asked for by somebody who may not export
    """
    person, raw = person_of(request), _raw(request)
    try:
        question = read(raw, may=person.may)
        if request.method == "POST":
            return _act(request, person, question)
    except AppError as refusal:
        asked = bool(request.GET) or request.method == "POST"
        return _form(
            request,
            person,
            raw,
            fault=refusal.detail if asked else "",
            status=refusal.http_status if asked else 200,
        )
    return _form(request, person, raw, question=question)


def _raw(request: HttpRequest) -> dict[str, Any]:
    """Return the definition in the address: a saved one by its id, or the form's own fields."""
    given = request.GET
    if given.get("report"):
        found = _saved(person_of(request)).filter(public_id=given["report"].replace("\0", "")).first()
        if found is None:
            raise Http404
        return dict(found.definition)
    raw: dict[str, Any] = {key: given.get(key, "") for key in ("fact", "grain", "period", "first", "last")}
    raw["measures"], raw["dimensions"] = given.getlist("measure"), given.getlist("dimension")
    raw["filters"] = {"currency": [given["currency"]]} if given.get("currency") else {}
    return raw


def _saved(person: Person) -> Any:
    return Report.objects.filter(Q(owner=person.user) | Q(visibility="ALL"))


def _act(
    request: HttpRequest, person: Person, question: Question
) -> HttpResponse | StreamingHttpResponse | FileResponse:
    wanted = request.POST.get("do", "")
    if wanted in _FORMATS:
        if not person.may(EXPORT):
            raise PermissionDenied
        return _file(request, person, question, wanted)
    if wanted != "save":
        raise BadDefinition(pointer="/do", why="Choose what to do.")
    with acting_as(request, person):
        report = save_report(
            owner_id=person.user.pk,
            name=request.POST.get("name", ""),
            definition=question.definition.stored(),
            may=person.may,
            visibility=request.POST.get("visibility", "OWN"),
            now=clock.now(),
        )
    messages.success(request, f"Saved as {report.name}.")
    return HttpResponseRedirect(f"{reverse('admin:reports')}?{urlencode({'report': report.public_id})}")


def _file(
    request: HttpRequest, person: Person, question: Question, wanted: str
) -> StreamingHttpResponse | FileResponse:
    now = clock.now()
    today = _today(now)
    rows = count_rows(question, today=today)
    first, last = question.definition.span(today)
    export = ExportFile(
        name=f"{question.definition.fact.replace('_', '-')}-{first}-{last}",
        title=question.fact.title,
        facts=[
            ("Period", f"{first} to {last}"),
            ("Time zone", settings.REPORTING_TIME_ZONE),
            ("As of", stamp(now)),
            ("Rows", f"{rows:,}"),
            ("Compared with the books", _trust()),
        ],
        columns=[ExportColumn(title=head.title, right=head.right) for head in question.heads],
        rows=answer(question, today=today),
    )
    changes: dict[str, list[object]] = {
        "format": [None, wanted.upper()],
        "span": [None, f"{first} to {last}"],
        "rows": [None, rows],
        "fact": [None, question.definition.fact],
    }
    with acting_as(request, person):
        trail.record(
            action="report.export", object_type="report", object_id=question.definition.fact, changes=changes
        )
    return _FORMATS[wanted](export)


def _trust() -> str:
    return "with differences" if FactDifference.objects.exists() else "no difference known"


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings.REPORTING_TIME_ZONE)).date()


def _form(
    request: HttpRequest,
    person: Person,
    raw: dict[str, Any],
    *,
    question: Question | None = None,
    fault: str = "",
    status: int = 200,
) -> HttpResponse:
    today = _today(clock.now())
    rows = list(answer(question, today=today, limit=PREVIEW)) if question else []
    facts = [(key, fact) for key, fact in FACTS.items() if fact.measures and person.may(fact.permission)]
    chosen = raw.get("fact") if raw.get("fact") in dict(facts) else (facts[0][0] if facts else "")
    fact = FACTS.get(chosen) if chosen else None
    span = question.definition.span(today) if question else None
    return page(
        request,
        "analytics/report.html",
        title="Reports",
        path=[("Money", "")],
        summary="Figures by day facts: choose, look, take away",
        status=status,
        fault=fault,
        raw=raw,
        facts=facts,
        chosen=chosen,
        measures=[
            (key, one, key in raw.get("measures", ())) for key, one in (fact.measures if fact else {}).items()
        ],
        dimensions=[
            (key, one, key in raw.get("dimensions", ()))
            for key, one in (fact.dimensions if fact else {}).items()
        ],
        grains=GRAINS.items(),
        periods=PERIODS.items(),
        period=raw.get("period") or "last_30_days",
        question=question,
        span=f"{span[0]:%-d %b} to {span[1]:%-d %b %Y}" if span else "",
        heads=question.heads if question else [],
        rows=[[_cell(value) for value in row] for row in rows],
        preview=PREVIEW,
        full=len(rows) == PREVIEW,
        may_export=person.may(EXPORT),
        behind=behind_since() is not None,
        visibilities=Report.Visibility.choices,
        saved=list(_saved(person).select_related("owner").order_by("name", "pk")[:SAVED]),
    )


def _cell(value: Value) -> tuple[object, bool]:
    if isinstance(value, Money):
        return Amount(value), True
    if isinstance(value, date):
        return Day(value), False
    if isinstance(value, str) or value is None:
        return value or "", False
    return f"{value:,}", True


say("report.save", "Report of figures saved", "file-text")
