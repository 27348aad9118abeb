"""Reports to the authority, for those inside the wall: drafts, files, answers; every view is in the trail."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from compliance.choices_reports import (
    OPEN_REPORTS,
    WRITABLE,
    ReportState,
)
from compliance.models.wall import (
    Filing,
    SuspiciousActivityReport,
)
from compliance.operations import reports
from compliance.operations.cases_deciding import case_href
from compliance.operations.reports_facts import evidence_of
from compliance.reports.sar import NARRATIVE_MAX
from flowlet.audit import trail
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cards import QUEUES, NextRow, Queue
from flowlet.backoffice.cells import Amount, Badge, Code, Day, Link, Main, Tone
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.exports import ExportColumn, ExportFile, csv_response
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.pages.approvals import approval_href
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register, register_page
from flowlet.backoffice.timeline import Subject, timeline_panel
from flowlet.core import clock
from flowlet.core.money import Money

WALL, DRAFT, FILE = "compliance.open_wall", "compliance.draft_report", "compliance.file_report"
TONES: dict[str, Tone] = {
    ReportState.DRAFT: "info",
    ReportState.IN_REVIEW: "wait",
    ReportState.RETURNED: "warn",
    ReportState.APPROVED: "ok",
    ReportState.BATCHED: "info",
    ReportState.FILED: "wait",
    ReportState.ACKNOWLEDGED: "ok",
    ReportState.REJECTED: "bad",
}
_SHORT: dict[str, str] = {ReportState.IN_REVIEW: "In review"}
_OPEN = Q(state__in=OPEN_REPORTS)
EVIDENCE_SHOWN = 100


def state_badge(report: Any) -> Badge:
    """Return the state of a report."""
    label = _SHORT.get(report.state, report.get_state_display())
    return Badge(label, TONES.get(report.state, ""))


def dollars(cents: int) -> Amount:
    """Return US cents as an amount."""
    return Amount(Money(cents, "USD"))


def due_cell(report: Any) -> object:
    """Return until when an open report must be filed."""
    if report.state not in OPEN_REPORTS:
        return ""
    late = report.due_on < clock.now().date()
    return Badge(f"Overdue since {report.due_on:%-d %b}", "bad") if late else Day(report.due_on)


def outcome_title(report: Any) -> str:
    """Return who says the words that stand with a report."""
    return "The authority said" if report.filing_id else "To note"


class WalledAdmin(ModelAdmin):
    """What the pages inside the wall share: one permission, and a row in the trail for each object that is opened."""

    group, view_permission = "Compliance", WALL
    noted_as = "report"
    list_order = ("-created_at", "-id")
    search_by = ("public_id", "bsa_id")
    search_hint = "Report or BSA id"

    def object_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Note who opens what before it is shown."""
        answer = super().object_view(request, object_id)
        note_view(request, f"{self.noted_as}.view", self.noted_as, object_id)
        return answer


def note_view(request: HttpRequest, verb: str, object_type: str, object_id: str) -> None:
    """Leave in the trail who looked at what."""
    with acting_as(request, person_of(request)):
        trail.record(action=verb, object_type=object_type, object_id=object_id)


@register(SuspiciousActivityReport)
class SuspiciousActivityReportAdmin(WalledAdmin):
    """Suspicious activity reports."""

    path, title, icon, nav_order = "activity-reports", "Activity reports", "file-text", 60
    summary = "Reports on confirmed cases; nobody outside may learn that one exists"
    related = ("customer", "case", "drafted_by", "approval", "filing", "corrects")
    nav_count_text = "open"
    views = (
        View(key="open", title="Open", condition=_OPEN, order=("due_on", "id")),
        View(key="filed", title="Filed", condition=Q(state__in=("FILED", "ACKNOWLEDGED", "REJECTED"))),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice("state", "State", tuple(ReportState.choices)),
        DateSpan("made", "Drafted", lookup="created_at"),
    )
    columns = (
        Column(title="Subject", cell=lambda r: Main(r.customer.name, r.public_id, mono=True)),
        Column(
            title="Case",
            cell=lambda r: Link(r.case.public_id, case_href(r.case.public_id)),
            width="l",
            hide="m",
        ),
        Column(title="Amount", cell=lambda r: dollars(r.total_cents), width="m", right=True),
        Column(title="File by", cell=due_cell, width="m"),
        Column(title="State", cell=state_badge, width="m"),
        Column(title="BSA id", cell=lambda r: Code(r.bsa_id), width="m", hide="s"),
    )
    empty = ("No report yet", "A confirmed case has a button that drafts one.")

    def nav_rows(self, person: Person) -> QuerySet[Any] | None:
        """Return what is open."""
        del person
        return SuspiciousActivityReport.objects.filter(_OPEN)

    def object_title(self, obj: Any) -> str:
        """Return whom it is about."""
        return f"Report on {obj.customer.name}"

    def badges(self, obj: Any) -> list[object]:
        """Return the state."""
        return [state_badge(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the attachment, and the request that waits."""
        del request
        found = [
            Button(
                label="Evidence as CSV",
                href=reverse("admin:report_evidence", args=[obj.public_id]),
                icon="download",
                download=True,
            )
        ]
        if obj.state == ReportState.IN_REVIEW and obj.approval:
            found.append(Button(label="Request", href=approval_href(obj.approval), icon="users"))
        return found

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return narrative, what is wrong with it, movements, facts and what people did."""
        person = person_of(request)
        subject = Subject(object_type="report", object_id=obj.public_id)
        facts: list[tuple[str, object]] = [
            (
                "Subject",
                Link(
                    obj.customer.name,
                    reverse("admin:identity_customer_change", args=[obj.customer.public_id]),
                ),
            ),
            ("Case", Link(obj.case.public_id, case_href(obj.case.public_id))),
            ("Amount", dollars(obj.total_cents)),
            ("Activity from", Day(obj.from_date)),
            ("Activity to", Day(obj.to_date)),
            ("Drafted by", obj.drafted_by.full_name),
            ("File by", due_cell(obj) or Day(obj.due_on)),
            ("File", filing_link(obj.filing)),
            ("BSA id", Code(obj.bsa_id)),
            ("Corrects", Code(obj.corrects.public_id) if obj.corrects else ""),
            (outcome_title(obj), obj.outcome_text),
        ]
        panels = [_narrative_panel(obj)]
        if obj.state in WRITABLE:
            panels.append(_faults_panel(obj))
        return [
            *panels,
            _evidence_panel(obj),
            facts_panel("Report", facts, side=True),
            timeline_panel(subject, person, limit=10, side=True),
        ]


def filing_link(filing: Filing | None) -> object:
    """Return a link to a file, or nothing."""
    if filing is None:
        return ""
    return Link(
        filing.public_id, reverse("admin:compliance_filing_change", args=[filing.public_id]), mono=True
    )


def _narrative_panel(report: SuspiciousActivityReport) -> Panel:
    length = len(" ".join(report.narrative.split()))
    note = f"{length:,} of {NARRATIVE_MAX:,} characters"
    return facts_panel("Narrative", [("Text", report.narrative)], note=note)


def _faults_panel(report: SuspiciousActivityReport) -> Panel:
    faults = reports.faults_of(report, clock.now())
    return table_panel(
        "Would the authority take it?",
        columns=(
            Column(title="Field", cell=lambda f: Main(f.field), width="l"),
            Column(title="What is wrong", cell=lambda f: f.text),
        ),
        rows=faults,
        empty=("Yes, as far as we can check", "The schema and the rules beyond it find nothing."),
        empty_icon="circle-check",
    )


def _evidence_panel(report: SuspiciousActivityReport) -> Panel:
    found = evidence_of(report)
    columns = (
        Column(title="When", cell=lambda a: Main(f"{a.at:%-d %b %Y, %H:%M}", a.transaction, mono=True)),
        Column(title="What", cell=lambda a: a.kind.replace("_", " ").capitalize(), width="m"),
        Column(title="Other side", cell=lambda a: a.counterparty_name, hide="s"),
        Column(
            title="Amount",
            cell=lambda a: Amount(a.amount if a.side == "IN" else -a.amount, signed=True),
            width="m",
            right=True,
        ),
    )
    return table_panel(
        "Movements behind it",
        columns=columns,
        rows=found[:EVIDENCE_SHOWN],
        note=""
        if len(found) <= EVIDENCE_SHOWN
        else f"The first {EVIDENCE_SHOWN} of {len(found):,}; the CSV holds all",
    )


@register_page(route="activity-reports/<str:report_id>/evidence.csv", name="report_evidence", permission=WALL)
@require_safe
def evidence(request: HttpRequest, report_id: str) -> StreamingHttpResponse:
    """
    Answer with the movements behind a report, to be attached to it.

    :raises Http404: if there is no such report
    """
    report = SuspiciousActivityReport.objects.select_related("case").filter(public_id=report_id).first()
    if report is None:
        raise Http404
    note_view(request, "report.export", "report", report_id)

    def rows() -> Iterator[Sequence[Any]]:
        for one in evidence_of(report):
            yield (
                one.at,
                one.transaction,
                "in" if one.side == "IN" else "out",
                one.kind.replace("_", " ").lower(),
                one.amount,
                one.amount.currency,
                one.counterparty_name,
                one.counterparty_country,
                one.wallet,
            )

    titles = (
        *("Time (UTC)", "Transaction", "Direction", "Kind", "Amount", "Currency"),
        *("Other side", "Country", "Wallet"),
    )
    return csv_response(
        ExportFile(
            name=report.public_id,
            title="Movements",
            facts=(),
            columns=tuple(ExportColumn(title=title) for title in titles),
            rows=rows(),
        )
    )


def _next(person: Person, now: datetime, limit: int) -> list[NextRow]:
    del person, now
    rows = SuspiciousActivityReport.objects.filter(state__in=WRITABLE).select_related("customer")
    return [
        NextRow(
            title=f"Report on {row.customer.name}",
            meta=row.public_id,
            href=reports.report_href(row.public_id),
            state=state_badge(row),
            due=due_cell(row),
        )
        for row in rows.order_by("due_on", "pk")[:limit]
    ]


QUEUES.register("activity_reports")(
    Queue(
        title="Reports to finish",
        permission=DRAFT,
        rows=_next,
        href=lambda: reverse("admin:compliance_suspiciousactivityreport_changelist"),
        order=45,
    )
)
