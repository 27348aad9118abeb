"""What people do about a report to the authority: draft, write, submit, drop, replace, file."""

from typing import Any

from django import forms
from django.urls import reverse

from compliance.admin_reports import DRAFT, FILE
from compliance.choices_monitoring import CaseState
from compliance.choices_reports import DROP_REASONS, SUBMIT_REASONS, WRITABLE, FilingForm, ReportState
from compliance.models.cases import Case
from compliance.models.wall import SuspiciousActivityReport
from compliance.operations import filing as filings
from compliance.operations import reports
from compliance.reports.sar import NARRATIVE_MAX
from flowlet.backoffice.actions import ActionCall, action


class NarrativeForm(forms.Form):
    """The words of a report."""

    narrative = forms.CharField(
        label="Narrative",
        max_length=60_000,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 16}),
        help_text=f"Who, what, when, where, why, how. Up to {NARRATIVE_MAX:,} characters.",
    )


def _writable(report: SuspiciousActivityReport) -> bool:
    return report.state in WRITABLE


@action(
    name="case.report",
    model=Case,
    permission=DRAFT,
    label="Draft report",
    title="Draft a report to the authority?",
    text="It is filled from the evidence of the case; you finish the narrative, a second person approves it.",
    reason=False,
    note="none",
    available=lambda case: (
        case.state == CaseState.CLOSED_CONFIRMED
        and not SuspiciousActivityReport.objects.filter(case=case).exists()
    ),
    done="The report is drafted.",
    primary=True,
    icon="file-text",
    next_href=lambda _call, case: reports.report_href(
        SuspiciousActivityReport.objects.values_list("public_id", flat=True).get(case=case, corrects=None)
    ),
)
def _draft(call: ActionCall, case: Case) -> None:
    reports.draft_report(case_id=case.public_id, user_id=call.person.user.pk, now=call.now)


@action(
    name="report.write",
    model=SuspiciousActivityReport,
    permission=DRAFT,
    label="Write",
    title="Write the narrative",
    text="It replaces the text that is there; copy from it what stays.",
    reason=False,
    note="none",
    form=NarrativeForm,
    available=_writable,
    done="The narrative is kept.",
    icon="scroll-text",
    key="w",
    order=10,
)
def _write(call: ActionCall, report: SuspiciousActivityReport) -> None:
    reports.write_narrative(report_id=report.public_id, narrative=call.data["narrative"], now=call.now)


@action(
    name="report.submit",
    model=SuspiciousActivityReport,
    permission=DRAFT,
    label="Submit",
    title="Ask a second person to approve the report?",
    text="It is checked against the authority's schema first and does not change any more.",
    reasons=SUBMIT_REASONS,
    note="required",
    available=_writable,
    done="The report waits for a second person.",
    primary=True,
    icon="users",
    order=20,
)
def _submit(call: ActionCall, report: SuspiciousActivityReport) -> None:
    reports.submit_report(
        report_id=report.public_id,
        user_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


@action(
    name="report.drop",
    model=SuspiciousActivityReport,
    permission=DRAFT,
    label="Do not file",
    title="Ask a second person that this is not filed?",
    text="Not to file is a decision too and needs two people.",
    reasons=DROP_REASONS,
    note="required",
    available=_writable,
    done="The request waits for a second person.",
    icon="ban",
    order=30,
)
def _drop(call: ActionCall, report: SuspiciousActivityReport) -> None:
    reports.submit_report(
        report_id=report.public_id,
        user_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
        file=False,
    )


@action(
    name="report.correct",
    model=SuspiciousActivityReport,
    permission=DRAFT,
    label="Correct",
    title="Draft a report that replaces this one?",
    text="It is a report of its own; if the authority took this one, it names its BSA id.",
    reason=False,
    note="none",
    available=lambda report: (
        report.state in (ReportState.ACKNOWLEDGED, ReportState.REJECTED)
        and not SuspiciousActivityReport.objects.filter(corrects=report).exists()
    ),
    done="The new report is drafted.",
    icon="history",
    next_href=lambda _call, report: reports.report_href(
        SuspiciousActivityReport.objects.values_list("public_id", flat=True).get(corrects=report)
    ),
)
def _correct(call: ActionCall, report: SuspiciousActivityReport) -> None:
    reports.correct_report(report_id=report.public_id, user_id=call.person.user.pk, now=call.now)


def filed_words(report: Any) -> str:
    """Return what came of making a file, as seen from one report."""
    if report.state == ReportState.BATCHED:
        return "The file is made."
    return "This report was set aside; its page says why. The others are in a file."


def file_href(report: Any) -> str:
    """Return the address of the file that a report is in, or '' when it was set aside."""
    return reverse("admin:compliance_filing_change", args=[report.filing.public_id]) if report.filing else ""


@action(
    name="report.file",
    model=SuspiciousActivityReport,
    permission=FILE,
    label="Make the file",
    title="Put all approved reports into one file?",
    text="Everything that is approved and valid goes in. What changed since it was approved goes back to its writer.",
    reason=False,
    note="none",
    available=lambda report: report.state == ReportState.APPROVED,
    done=filed_words,
    primary=True,
    icon="file-text",
    next_href=lambda _call, report: file_href(report),
)
def _file(call: ActionCall, report: SuspiciousActivityReport) -> None:
    del report
    filings.file_batch(form=FilingForm.SARX, user_id=call.person.user.pk, now=call.now)
