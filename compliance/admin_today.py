"""What compliance puts on pages of others: Today, the customer page, the search, time lines."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.urls import reverse

from compliance import queries
from compliance.admin import due_cell, hit_href, queue_href, score_cell, status_badge
from compliance.choices import PENDING_STATUSES
from compliance.models.screening import HitDecision, ScreeningHit
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.cards import (
    FIGURES,
    HOUSE,
    QUEUES,
    Figure,
    FigureValue,
    HouseLine,
    HouseState,
    NextRow,
    Queue,
)
from flowlet.backoffice.cells import Main, ago, words
from flowlet.backoffice.charts import CHARTS, Chart, Series, day_labels, days_until
from flowlet.backoffice.counts import count_each, shown
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import PANELS, CustomerPanel, Panel, table_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.search import SEARCH, Found, SimpleSource
from flowlet.backoffice.timeline import FORMATTERS, TIMELINE, Entry, Sentence, Subject, actor_of, sentence_of
from flowlet.core.ids import is_id
from flowlet.identity.models import Customer

VIEW = "compliance.view_screeninghit"
LIST_STALE = timedelta(days=7)  # OFAC publishes several times a month


def _open_figure(_person: Person, now: datetime) -> FigureValue:
    waiting = queries.list_open_hits()
    found = count_each({"open": waiting, "today": waiting.filter(opened_at__gte=now - timedelta(days=1))})
    return FigureValue(value=shown(found["open"]), note=f"{shown(found['today'])} in the last 24 hours")


def _overdue_figure(_person: Person, now: datetime) -> FigureValue:
    number = count_each({"overdue": queries.list_open_hits().filter(due_at__lt=now)})["overdue"]
    return FigureValue(value=shown(number), note="past their time", tone="bad" if number else "good")


FIGURES.register("hits")(
    Figure(
        title="Open hits",
        permission=VIEW,
        icon="shield-alert",
        value=_open_figure,
        href=queue_href,
        order=10,
    )
)
FIGURES.register("hits_overdue")(
    Figure(
        title="Overdue hits",
        permission=VIEW,
        icon="clock-alert",
        value=_overdue_figure,
        href=lambda: f"{queue_href()}?view=overdue",
        order=11,
    )
)


def _next_hits(_person: Person, now: datetime, limit: int) -> Sequence[NextRow]:
    rows = queries.list_open_hits().select_related("customer", "entity__source")[:limit]
    return [
        NextRow(
            title=hit.customer.name,
            meta=f"{hit.main_reason} · {hit.matched_name}",
            href=hit_href(hit),
            state=status_badge(hit),
            due=due_cell(hit, now),
        )
        for hit in rows
    ]


QUEUES.register("hits")(
    Queue(title="Hits to decide", permission=VIEW, rows=_next_hits, href=queue_href, order=10)
)


def _list_state(_person: Person, now: datetime) -> HouseState:
    versions = list(queries.live_versions())
    href = reverse("admin:compliance_listversion_changelist")
    if not versions:
        return HouseState(text="None", tone="bad", note="New customers cannot send money", href=href)
    oldest = min(versions, key=lambda version: version.live_at or now)
    since = oldest.live_at or now
    stale = now - since > LIST_STALE
    note = f"{oldest.source.title}, {oldest.counts.get('entities', 0):,} entities, loaded {ago(since, now)}"
    return HouseState(
        text="Old" if stale else "Current", tone="warn" if stale else "ok", note=note, href=href
    )


HOUSE.register("lists")(
    HouseLine(title="Watch lists", permission="compliance.view_listversion", state=_list_state, order=10)
)


def _per_day(_person: Person, now: datetime) -> tuple[Sequence[str], Sequence[Series]]:
    days = days_until(now)
    since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=len(days) - 1)
    opened = ScreeningHit.objects.filter(opened_at__gte=since)
    decided = HitDecision.objects.filter(decided_at__gte=since)
    series = []
    for name, rows, column in (("Opened", opened, "opened_at"), ("Decided", decided, "decided_at")):
        counted = rows.annotate(day=TruncDate(column, tzinfo=UTC)).values("day").annotate(number=Count("pk"))
        numbers = dict(counted.values_list("day", "number"))
        series.append(Series(name, [numbers.get(day, 0) for day in days]))
    return day_labels(days), series


CHARTS.register("hits")(
    Chart(
        title="Hits opened and decided",
        permission=VIEW,
        note="By day, the last 14 days, UTC.",
        series=_per_day,
        order=10,
    )
)


def _screening_panel(customer: Customer, _person: Person, now: datetime) -> Panel:
    subject = queries.find_subject(customer.pk)
    note = "Never screened"
    if subject is not None:
        checked = f", last looked at {ago(subject.screened_at, now)}" if subject.screened_at else ""
        note = f"{subject.get_state_display()}{checked}"
    return table_panel(
        "Screening",
        columns=(
            Column(title="Listed as", cell=lambda hit: Main(hit.matched_name, hit.entity.source.title)),
            Column(title="Main reason", cell=lambda hit: hit.main_reason, hide="m"),
            Column(title="Score", cell=score_cell, width="m", right=True),
            Column(title="Status", cell=status_badge, width="s"),
            Column(title="Due or closed", cell=lambda hit: due_cell(hit, now), width="m", right=True),
        ),
        rows=list(queries.list_hits_of(customer.pk)[:20]),
        link=hit_href,
        empty=("No hits", "This customer was compared with the lists and resembles nobody on them."),
        empty_icon="shield-check",
        note=note,
    )


PANELS.register("screening")(
    CustomerPanel(build=_screening_panel, permission=VIEW, tab="Screening", order=10)
)


def _find(term: str, _person: Person) -> Iterable[Found]:
    rows = ScreeningHit.objects.select_related("customer")
    if is_id(term, "hit"):
        found = rows.filter(public_id=term)
    else:
        found = rows.filter(status__in=PENDING_STATUSES, customer__name__icontains=term)
    for hit in found.order_by("due_at", "pk")[:5]:
        yield Found(
            title=hit.customer.name,
            meta=f"{hit.get_status_display()} hit: {hit.matched_name} · {hit.public_id}",
            href=hit_href(hit),
        )


SEARCH.register("hits")(
    SimpleSource(
        title="Hits",
        icon="shield-alert",
        permission=VIEW,
        find=_find,
        wants=lambda term: is_id(term, "hit") or (len(term) > 2 and "_" not in term),  # noqa: PLR2004 - short words find everybody
        order=20,
    )
)


@TIMELINE.register("hits")
class HitSource:
    """Hits on a customer's time line; their trail rows carry no customer, so that others do not see them."""

    permission = VIEW

    @staticmethod
    def entries(subject: Subject, person: Person, limit: int) -> Iterable[Entry]:
        """Return what happened to this customer's hits."""
        del person
        if subject.object_type != "customer":
            return
        hits = ScreeningHit.objects.filter(customer__public_id=subject.object_id)
        ids = list(hits.order_by("-opened_at", "-pk").values_list("public_id", flat=True)[:limit])
        records = AuditRecord.objects.filter(object_type="hit", object_id__in=ids).order_by("-pk")[:limit]
        for record in records:
            sentence = sentence_of(record)
            yield Entry(
                at=record.recorded_at,
                text=sentence.text,
                actor=actor_of(record),
                detail=sentence.detail or "",
                href=reverse("admin:compliance_screeninghit_change", args=[record.object_id]),
                icon=sentence.icon,
                tone=sentence.tone,
                source="Screening",
            )


def _opened(_record: AuditRecord) -> Sentence:
    return Sentence(text="Possible match found", icon="shield-alert", tone="warn", detail="")


def _decided(record: AuditRecord) -> Sentence:
    detail = f"Reason: {words(record.reason_code).lower()}"
    if '"TRUE_MATCH"' in record.changes:
        return Sentence(text="Confirmed as a true match", icon="shield-alert", tone="bad", detail=detail)
    if '"FALSE_POSITIVE"' in record.changes:
        return Sentence(text="Hit cleared", icon="shield-check", tone="ok", detail=detail)
    return Sentence(text="Hit escalated", icon="flag", tone="info", detail=detail)


def _ended(record: AuditRecord) -> Sentence:
    how = "the entry left the list" if record.reason_code == "DELISTED" else "the entry is described anew"
    return Sentence(text="Hit ended", icon="history", detail=f"Because {how}")


FORMATTERS.register("hit.open")(_opened)
FORMATTERS.register("hit.decide")(_decided)
FORMATTERS.register("hit.end")(_ended)
FORMATTERS.register("customer.reveal")(
    lambda record: Sentence(
        text="Birth date shown", icon="eye", detail=f"Purpose: {words(record.reason_code).lower()}"
    )
)
FORMATTERS.register("list.load")(
    lambda _record: Sentence(text="Watch list taken into use", icon="list-checks")
)
FORMATTERS.register("list.rescreen")(
    lambda _record: Sentence(text="Customers screened again", icon="refresh-cw")
)
FORMATTERS.register("customer.pass_screening")(
    lambda _record: Sentence(text="Checked by hand", icon="user-round-check", tone="ok")
)
