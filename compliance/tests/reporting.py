"""What two people and the authority do about a report."""

from datetime import datetime

from compliance.choices_reports import FilingForm
from compliance.models.wall import Filing, SuspiciousActivityReport
from compliance.operations import reports
from compliance.operations.filing import file_batch, mark_filed, record_acknowledgement
from flowlet.backoffice.approvals.operations import approve, reject
from flowlet.backoffice.models import Approval
from flowlet.identity.models import User


def say(approval: Approval, checker: User, now: datetime, *, yes: bool = True) -> Approval:
    """Decide a request as the second person."""
    act = approve if yes else reject
    return act(
        approval_id=approval.pk,
        checker_id=checker.pk,
        seen_hash=approval.content_hash,
        note="Read it",
        now=now,
    )


def submit(report: SuspiciousActivityReport, maker: User, now: datetime, *, file: bool = True) -> Approval:
    """Ask for a second person."""
    done = reports.submit_report(
        report_id=report.public_id,
        user_id=maker.pk,
        reason_code="CONFIRMED_CASE",
        note="Complete",
        file=file,
        now=now,
    )
    assert done.approval is not None
    return done.approval


def make_file(form: FilingForm, maker: User, now: datetime) -> Filing:
    """Make a file into which every report that waits must get."""
    made = file_batch(form=form, user_id=maker.pk, now=now)
    assert made.filing is not None
    assert made.set_aside == 0
    return made.filing


def answer(*numbers: int, status: str = "A", fatal: bool = False) -> bytes:
    rows = "".join(
        f'<EFilingActivityXML SeqNum="{number}"><BSAID>{"" if fatal else f"3100000000{number:04}"}</BSAID>'
        + (
            "<EFilingActivityErrorXML><ErrorElementNameText>PartyName</ErrorElementNameText>"
            "<ErrorLevelText>FATAL</ErrorLevelText><ErrorText>Name is missing</ErrorText>"
            "</EFilingActivityErrorXML>"
            if fatal
            else "<EFilingActivityErrorXML/>"
        )
        + "</EFilingActivityXML>"
        for number in numbers
    )
    return (
        f'<EFilingBatchXML StatusCode="{status}"><EFilingSubmissionXML>{rows}</EFilingSubmissionXML></EFilingBatchXML>'
    ).encode()


def answered(form: FilingForm, maker: User, now: datetime, content: bytes | None = None) -> Filing:
    """Make a file of what waits, send it and take in an answer; without `content` everything is taken."""
    filing = make_file(form, maker, now)
    mark_filed(filing_id=filing.public_id, filed_on=now.date(), now=now)
    content = answer(*range(1, filing.reports + 1)) if content is None else content
    record_acknowledgement(filing_id=filing.public_id, content=content, user_id=None, now=now)
    return filing
