"""Suspicious activity reports: drafted from a confirmed case, finished by an officer, approved by a second person."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse

from compliance.choices_monitoring import CaseState
from compliance.choices_reports import WRITABLE, ReportState
from compliance.errors_reports import CaseNotConfirmed, ReportExists, ReportInvalid, ReportStateConflict
from compliance.models.cases import Case
from compliance.models.wall import SuspiciousActivityReport
from compliance.operations.reports_facts import classes_of, digest_of, narrative_of, sar_facts
from compliance.queries_cases import get_case_facts
from compliance.reports import sar
from compliance.reports.checking import Fault, check_file
from compliance.reports.facts import SarFacts
from flowlet.audit import trail
from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock

ACTION = "compliance.approve_report"
DAYS_TO_FILE = 30
APPROVE, NOT_FILE = "File it", "Do not file it"


@transaction.atomic
def draft_report(*, case_id: str, user_id: int, now: datetime) -> SuspiciousActivityReport:
    """
    Draft the report of a confirmed case from its evidence; an officer finishes the narrative.

    :raises NotFound: if there is no such case
    :raises CaseNotConfirmed: if two people have not confirmed it
    :raises ReportExists: if it has a report
    """
    case = _lock_case(case_id)
    if case.state != CaseState.CLOSED_CONFIRMED:
        raise CaseNotConfirmed
    if SuspiciousActivityReport.objects.filter(case=case).exists():
        raise ReportExists
    return _draft(case, user_id, now)


def _lock_case(case_id: str) -> Case:
    """Return the case, locked: two people who draft at once wait for each other."""
    case = lock(Case.objects.filter(public_id=case_id)).select_related("customer").first()
    if case is None:
        raise NotFound
    return case


def _draft(
    case: Case, user_id: int, now: datetime, corrects: SuspiciousActivityReport | None = None
) -> SuspiciousActivityReport:
    facts = get_case_facts(case.public_id)
    detected = case.closed_at or now
    report = SuspiciousActivityReport.objects.create(
        customer=case.customer,
        case=case,
        corrects=corrects,
        state=ReportState.DRAFT,
        narrative=corrects.narrative if corrects else narrative_of(facts),
        total_cents=sum(one.usd_minor or 0 for one in facts.activities),
        from_date=(facts.first_at or case.opened_at).date(),
        to_date=(facts.latest_at or case.opened_at).date(),
        classes=classes_of(facts) or [["8", "812"]],
        drafted_by_id=user_id,
        due_on=(detected + timedelta(days=DAYS_TO_FILE)).date(),
        created_at=now,
    )
    _record(report, "report.draft", state=[None, report.state])
    return report


@transaction.atomic
def write_narrative(*, report_id: str, narrative: str, now: datetime) -> SuspiciousActivityReport:
    """
    Replace the narrative of a draft.

    :raises ReportStateConflict: if it is no draft any more
    :raises ReportInvalid: if it is empty or too long, saying by how much
    """
    report = lock_report(report_id)
    _check_state(report, *WRITABLE)
    try:
        sar.blocks(narrative)
    except ValueError as error:
        raise ReportInvalid(faults=[Fault("Narrative", str(error))]) from error
    report.narrative = narrative
    report.save(update_fields=["narrative"])
    _record(report, "report.write", state=[report.state, report.state])
    del now
    return report


@transaction.atomic
def submit_report(
    *, report_id: str, user_id: int, reason_code: str, note: str, now: datetime, file: bool = True
) -> SuspiciousActivityReport:
    """
    Ask a second person to approve a report, or that it is not filed.

    :raises ReportStateConflict: if it is no draft
    :raises ReportInvalid: if the authority would refuse it
    :raises NotYourApproval: if the person may not draft reports
    """
    report = lock_report(report_id)
    _check_state(report, *WRITABLE)
    if file and (faults := faults_of(report, now)):
        raise ReportInvalid(faults=faults)
    before = report.state
    report.approval = request_approval(
        action=ACTION,
        object_type="report",
        object_id=report.public_id,
        payload={"decision": APPROVE if file else NOT_FILE},
        maker_id=user_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )
    report.state = ReportState.IN_REVIEW
    report.save(update_fields=["approval", "state"])
    _record(report, "report.submit", reason_code=reason_code, state=[before, report.state])
    return report


def decide_report(*, approval: Approval, now: datetime) -> SuspiciousActivityReport:
    """
    Approve a report as it was asked for; called by the approval in its own transaction.

    :raises ReportStateConflict: if it does not wait for this
    """
    report = lock_report(approval.object_id)
    _check_state(report, ReportState.IN_REVIEW)
    file = approval.payload["decision"] == APPROVE
    report.state = ReportState.APPROVED if file else ReportState.NOT_FILED
    report.outcome_text = ""
    report.save(update_fields=["state", "outcome_text"])
    _record(report, "report.decide", state=[ReportState.IN_REVIEW, report.state])
    del now
    return report


def _ended(approval: Approval, now: datetime) -> object:
    """Give the report that waits for this request back to its writer: it ended without approval."""
    del now
    report = lock(SuspiciousActivityReport.objects.filter(public_id=approval.object_id)).first()
    if report is None or report.state != ReportState.IN_REVIEW or report.approval_id != approval.pk:
        return None
    report.state, report.approval = ReportState.RETURNED, None
    report.save(update_fields=["state", "approval"])
    _record(report, "report.return", state=[ReportState.IN_REVIEW, report.state])
    return report


@transaction.atomic
def correct_report(*, report_id: str, user_id: int, now: datetime) -> SuspiciousActivityReport:
    """
    Draft what replaces a report: the correction of an acknowledged one names the authority's number of the first; what
    replaces a rejected one is an initial report again, for the authority never had it.

    :raises NotFound: if there is none of that id
    :raises ReportStateConflict: if the authority did not answer
    :raises ReportExists: if it has a correction
    """
    found = SuspiciousActivityReport.objects.select_related("case").filter(public_id=report_id).first()
    if found is None:
        raise NotFound
    case = _lock_case(found.case.public_id)  # cases are locked before reports
    report = lock_report(report_id)
    _check_state(report, ReportState.ACKNOWLEDGED, ReportState.REJECTED)
    if SuspiciousActivityReport.objects.filter(corrects=report).exists():
        raise ReportExists
    return _draft(case, user_id, now, corrects=report)


def was_changed(report: SuspiciousActivityReport, facts: SarFacts) -> bool:
    """Tell whether an approved report would now say something else than what the second person approved."""
    approved = report.approval.evidence.get("content_digest") if report.approval else None
    return bool(digest_of(replace(facts, filed_on=report.due_on)) != approved)


def return_report(report: SuspiciousActivityReport, why: str) -> None:
    """Give a locked, approved report back to its writer with the reason; the caller's transaction keeps it."""
    before = report.state
    report.state, report.approval, report.outcome_text = ReportState.RETURNED, None, why[:500]
    report.save(update_fields=["state", "approval", "outcome_text"])
    _record(report, "report.return", state=[before, report.state])


def faults_of(report: SuspiciousActivityReport, now: datetime) -> list[Fault]:
    """Return what keeps a report from being filed, as the authority's schema and our rules see its file."""
    try:
        content = sar.write([sar_facts(report, filed_on=now.date())])
    except ValueError as error:
        return [Fault("Narrative", str(error))]
    return check_file(content)


def lock_report(report_id: str) -> SuspiciousActivityReport:
    """
    Return a report, locked.

    :raises NotFound: if there is none of that id
    """
    rows = lock(SuspiciousActivityReport.objects.filter(public_id=report_id))
    report = rows.select_related("case", "customer", "corrects", "approval").first()
    if report is None:
        raise NotFound
    return report


def report_href(report_id: str) -> str:
    """Return the address of a report's page."""
    return reverse("admin:compliance_suspiciousactivityreport_change", args=[report_id])


def _check_state(report: SuspiciousActivityReport, *allowed: ReportState) -> None:
    if report.state not in allowed:
        raise ReportStateConflict(state=ReportState(report.state).label.lower())


def _record(
    report: SuspiciousActivityReport, verb: str, *, state: list[object], reason_code: str = ""
) -> None:
    """Leave a row in the trail; it names no customer, so that the customer's time line stays silent."""
    trail.record(
        action=verb,
        object_type="report",
        object_id=report.public_id,
        changes={"state": state},
        reason_code=reason_code,
    )


def _evidence(report_id: str) -> Mapping[str, object]:
    """Return what a second person is bound to: digests and figures, no words; the words stand on the report's page."""
    report = SuspiciousActivityReport.objects.select_related("case", "customer", "corrects").get(
        public_id=report_id
    )
    facts = sar_facts(report, filed_on=report.due_on)  # a fixed date: the digest is over the content
    return {
        "content_digest": digest_of(facts),
        "total_dollars": -(-report.total_cents // 100),
        "characters": len(report.narrative),
        "due": report.due_on.isoformat(),
    }


def _writers(report_id: str) -> Collection[int]:
    return [SuspiciousActivityReport.objects.values_list("drafted_by_id", flat=True).get(public_id=report_id)]


def _execute(approval: Approval, now: datetime) -> object:
    return decide_report(approval=approval, now=now)


APPROVALS.register(ACTION)(
    ApprovalKind(
        title="Approve the document",  # neutral: everybody who may open the page of approvals reads it
        permission="compliance.approve_report",
        maker_permission="compliance.draft_report",
        evidence=_evidence,
        execute=_execute,
        object_href=report_href,
        ended=_ended,
        excluded=_writers,
        hours=72,
    )
)
