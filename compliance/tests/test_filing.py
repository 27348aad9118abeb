"""Files and answers: only what was approved goes out, one bad report stops no other, no answer is taken twice or mixed up."""

from datetime import datetime

import pytest
from django.conf import settings as live_settings
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from compliance.checks import the_filer_is_named
from compliance.choices_reports import FilingForm
from compliance.errors_reports import AcknowledgementRefused, ReportExists, ReportStateConflict
from compliance.models.wall import SuspiciousActivityReport
from compliance.operations import reports
from compliance.operations.filing import file_batch, mark_filed, record_acknowledgement
from compliance.tests.reporting import answer, answered, make_file, say, submit
from flowlet.identity.models import Customer, User

pytestmark = pytest.mark.django_db
FATAL = "<EFilingActivityErrorXML><ErrorLevelText>FATAL</ErrorLevelText><ErrorText>x</ErrorText></EFilingActivityErrorXML>"


@pytest.mark.parametrize("what", ["name", "filer"])
def test_what_changed_after_the_approval_goes_back_to_its_writer(
    draft: SuspiciousActivityReport,
    officer: User,
    lead: User,
    now: datetime,
    what: str,
    settings: Settings,
) -> None:
    say(submit(draft, officer, now), lead, now)
    if what == "name":
        Customer.objects.filter(pk=draft.customer_id).update(family_name="Otherwise")
    else:
        settings.FILER = {**live_settings.FILER, "name": "Another House"}

    made = file_batch(form=FilingForm.SARX, user_id=officer.pk, now=now)

    draft.refresh_from_db()
    assert (made.filing, made.set_aside) == (None, 1)
    assert (draft.state, draft.approval) == ("RETURNED", None)
    assert "changed after it was approved" in draft.outcome_text
    say(submit(draft, officer, now), lead, now)
    assert "Otherwise" in make_file(FilingForm.SARX, officer, now).content or what == "filer"


def test_a_rejected_report_is_replaced_by_an_initial_one(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now)
    answered(FilingForm.SARX, officer, now, answer(1, fatal=True))

    again = reports.correct_report(report_id=draft.public_id, user_id=officer.pk, now=now)

    with pytest.raises(ReportExists):
        reports.correct_report(report_id=draft.public_id, user_id=officer.pk, now=now)
    say(submit(again, officer, now), lead, now)
    content = make_file(FilingForm.SARX, officer, now).content
    assert "InitialReportIndicator" in content
    assert "EFilingPriorDocumentNumber" not in content


def test_what_was_not_answered_is_not_replaced(
    draft: SuspiciousActivityReport, officer: User, now: datetime
) -> None:
    with pytest.raises(ReportStateConflict):
        reports.correct_report(report_id=draft.public_id, user_id=officer.pk, now=now)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (answer(1, 1), "names a report twice"),
        (answer(1).replace(b'"1"', '"\u0661"'.encode()), "has no number"),
        (answer(1).replace(b"31000000000001", "\u0663\u0661".encode() + b"000000000001"), "14 digits"),
        (answer(1).replace(b"<EFilingActivityErrorXML/>", FATAL.replace("FATAL", "BAD").encode()), "neither"),
    ],
)
def test_an_answer_that_is_ambiguous_is_refused(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime, content: bytes, why: str
) -> None:
    say(submit(draft, officer, now), lead, now)

    with pytest.raises(AcknowledgementRefused, match=why):
        answered(FilingForm.SARX, officer, now, content)

    draft.refresh_from_db()
    assert (draft.state, draft.bsa_id) == ("FILED", "")


def test_fatal_in_any_case_rejects(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now)

    words = FATAL.replace("FATAL", "Fatal").encode()
    answered(FilingForm.SARX, officer, now, answer(1).replace(b"<EFilingActivityErrorXML/>", words))

    draft.refresh_from_db()
    assert (draft.state, draft.bsa_id) == ("REJECTED", "")


def test_the_answer_to_another_file_of_the_same_size_is_refused(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now)
    answered(FilingForm.SARX, officer, now)
    second = reports.correct_report(report_id=draft.public_id, user_id=officer.pk, now=now)
    say(submit(second, officer, now), lead, now)
    filing = make_file(FilingForm.SARX, officer, now)
    mark_filed(filing_id=filing.public_id, filed_on=now.date(), now=now)

    with pytest.raises(AcknowledgementRefused, match="belongs to another file"):
        record_acknowledgement(filing_id=filing.public_id, content=answer(1), user_id=None, now=now)
    with pytest.raises(AcknowledgementRefused, match="answer to another file"):
        record_acknowledgement(filing_id=filing.public_id, content=answer(1) + b"\n", user_id=None, now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        SuspiciousActivityReport.objects.filter(pk=second.pk).update(bsa_id="31000000000001")


def test_not_to_file_works_however_long_the_narrative_is(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    draft.narrative = "word " * 5_000
    draft.save(update_fields=["narrative"])

    say(submit(draft, officer, now, file=False), lead, now)

    draft.refresh_from_db()
    assert draft.state == "NOT_FILED"


def test_who_drafted_and_which_case_never_change(draft: SuspiciousActivityReport, lead: User) -> None:
    rows = SuspiciousActivityReport.objects.filter(pk=draft.pk)

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(drafted_by=lead)


def test_a_live_house_files_under_its_own_name(settings: Settings) -> None:
    sandbox = settings.FILER

    settings.FLOWLET_MODE = "live"
    refused = " ".join(error.msg for error in the_filer_is_named())
    settings.FILER = {
        **sandbox,
        "name": "Harbour Pay Inc",
        "tin": "123456789",
        "tcc": "PBSA1234",
        "street": "1 Quay",
    }
    taken = the_filer_is_named()
    settings.FILER = {**settings.FILER, "phone": " "}
    empty = the_filer_is_named()

    for name in ("FILER_NAME", "FILER_TIN", "FILER_TCC", "FILER_STREET"):
        assert name in refused
    assert (taken, len(empty)) == ([], 1)
