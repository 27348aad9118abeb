"""Reports from the confirmed case to the authority's answer; two people, right sums, nothing invalid."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from lxml import etree

from compliance.choices_reports import FilingForm
from compliance.errors_reports import (
    AcknowledgementRefused,
    CaseNotConfirmed,
    NothingToFile,
    ReportExists,
    ReportInvalid,
    ReportStateConflict,
)
from compliance.models.cases import Case
from compliance.models.wall import (
    Acknowledgement,
    CurrencyTransactionReport,
    Filing,
    SuspiciousActivityReport,
)
from compliance.operations import reports
from compliance.operations.filing import mark_filed, record_acknowledgement
from compliance.operations.monitoring_feed import feed_activities
from compliance.operations.reports_cash import build_reports, cash_days
from compliance.reports.checking import check_file
from compliance.tests.reporting import answer, make_file, say, submit
from compliance.tests.watching import at, cash_in
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.approvals.errors import OwnApproval
from flowlet.events.models import Event
from flowlet.identity.models import Customer, User
from wallets.tests.factories import make_customer, make_wallet

pytestmark = pytest.mark.django_db


def test_a_draft_says_who_what_when_where_why_and_how(
    draft: SuspiciousActivityReport, customer: Customer
) -> None:
    assert draft.total_cents == 2_700_003
    assert (draft.from_date, draft.to_date) == (at(0).date(), at(2).date())
    assert draft.classes == [["1", "114"]]
    for word in ("WHO: Mirela Sandvik", "WHAT: 3 movements", "WHEN:", "WHERE:", "WHY:", "HOW:"):
        assert word in draft.narrative
    assert customer.public_id in draft.narrative


def test_only_a_confirmed_case_gives_one_report(case: Case, officer: User, now: datetime) -> None:
    with pytest.raises(CaseNotConfirmed):
        reports.draft_report(case_id=case.public_id, user_id=officer.pk, now=now)


def test_a_case_has_one_report(draft: SuspiciousActivityReport, officer: User, now: datetime) -> None:
    with pytest.raises(ReportExists):
        reports.draft_report(case_id=draft.case.public_id, user_id=officer.pk, now=now)


def test_from_draft_to_the_authoritys_number(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now)
    filing = make_file(FilingForm.SARX, officer, now)
    content = filing.content.encode()
    mark_filed(filing_id=filing.public_id, filed_on=now.date(), now=now)

    row = record_acknowledgement(filing_id=filing.public_id, content=answer(1), user_id=officer.pk, now=now)
    again = record_acknowledgement(filing_id=filing.public_id, content=answer(1), user_id=officer.pk, now=now)

    draft.refresh_from_db()
    assert check_file(content) == []
    assert (draft.state, draft.bsa_id) == ("ACKNOWLEDGED", "31000000000001")
    assert (row.accepted, row.rejected, again.pk) == (1, 0, row.pk)
    correction = reports.correct_report(report_id=draft.public_id, user_id=officer.pk, now=now)
    say(submit(correction, officer, now), lead, now)
    second = make_file(FilingForm.SARX, officer, now)
    root = etree.fromstring(second.content.encode())
    assert root.findtext(".//{*}EFilingPriorDocumentNumber") == "31000000000001"
    assert check_file(second.content.encode()) == []


def test_the_writer_cannot_approve(draft: SuspiciousActivityReport, lead: User, now: datetime) -> None:
    approval = submit(draft, lead, now)

    with pytest.raises(OwnApproval):
        say(approval, lead, now)


def test_who_drafted_cannot_approve_what_another_submitted(
    draft: SuspiciousActivityReport, lead: User, officer: User, now: datetime
) -> None:
    officer.groups.set(lead.groups.all())
    approval = submit(draft, lead, now)

    with pytest.raises(OwnApproval):
        say(approval, User.objects.get(pk=officer.pk), now)


def test_a_rejected_report_comes_back_and_can_be_mended(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now, yes=False)

    draft.refresh_from_db()
    assert (draft.state, draft.approval) == ("RETURNED", None)
    reports.write_narrative(report_id=draft.public_id, narrative="Clearer words.", now=now)
    say(submit(draft, officer, now), lead, now)

    draft.refresh_from_db()
    assert (draft.state, draft.narrative) == ("APPROVED", "Clearer words.")


def test_not_to_file_needs_two_people_too(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now, file=False), lead, now)

    draft.refresh_from_db()
    assert draft.state == "NOT_FILED"
    with pytest.raises(NothingToFile):
        make_file(FilingForm.SARX, officer, now)


def test_what_the_authority_would_refuse_cannot_be_submitted(
    draft: SuspiciousActivityReport, officer: User, now: datetime
) -> None:
    with pytest.raises(ReportInvalid, match="must go"):
        reports.write_narrative(report_id=draft.public_id, narrative="word " * 4_100, now=now)
    with pytest.raises(ReportInvalid, match="empty"):
        reports.write_narrative(report_id=draft.public_id, narrative=" \n ", now=now)
    SuspiciousActivityReport.objects.filter(pk=draft.pk).update(classes=[["1", "1"]])
    with pytest.raises(ReportInvalid, match="SuspiciousActivitySubtypeID"):
        submit(draft, officer, now)


def test_words_written_after_submission_are_refused(
    draft: SuspiciousActivityReport, officer: User, now: datetime
) -> None:
    submit(draft, officer, now)

    with pytest.raises(ReportStateConflict):
        reports.write_narrative(report_id=draft.public_id, narrative="Other words.", now=now)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no xml", "not XML"),
        (b'<!DOCTYPE x [<!ENTITY e "x">]><EFilingBatchXML StatusCode="A"/>', "document type"),
        (b"<Other/>", "no acknowledgement"),
        (answer(1, status="R"), "status R"),
        (answer(1, 2), "number 2"),
        (answer(), "number 1"),
        (answer(1).replace(b"31000000000001", b"31"), "14 digits"),
        (b"x" * (5 * 1024 * 1024 + 1), "larger"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_changes_nothing(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime, content: bytes, why: str
) -> None:
    say(submit(draft, officer, now), lead, now)
    filing = make_file(FilingForm.SARX, officer, now)
    mark_filed(filing_id=filing.public_id, filed_on=now.date(), now=now)

    with pytest.raises(AcknowledgementRefused, match=why):
        record_acknowledgement(filing_id=filing.public_id, content=content, user_id=None, now=now)

    filing.refresh_from_db()
    assert filing.state == "FILED"
    assert not Acknowledgement.objects.exists()


def test_a_fatal_answer_rejects_the_report_with_its_words(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now)
    filing = make_file(FilingForm.SARX, officer, now)
    mark_filed(filing_id=filing.public_id, filed_on=now.date(), now=now)

    record_acknowledgement(filing_id=filing.public_id, content=answer(1, fatal=True), user_id=None, now=now)

    draft.refresh_from_db()
    assert (draft.state, draft.bsa_id) == ("REJECTED", "")
    assert "Name is missing" in draft.outcome_text


def test_nothing_of_a_report_reaches_partners_or_the_customers_time_line(
    draft: SuspiciousActivityReport, officer: User, lead: User, customer: Customer, now: datetime
) -> None:
    say(submit(draft, officer, now), lead, now)
    make_file(FilingForm.SARX, officer, now)

    assert not Event.objects.filter(data__icontains="rpt_").exists()
    about = AuditRecord.objects.filter(customer=customer.public_id).values_list("action", flat=True)
    assert not [action for action in about if action.startswith(("report.", "filing."))]


@pytest.mark.parametrize(
    "change",
    [
        {"state": "APPROVED"},
        {"state": "FILED"},
        {"state": "NOT_FILED"},
    ],
)
def test_raw_sql_skips_no_step_and_no_person(
    draft: SuspiciousActivityReport, officer: User, now: datetime, change: dict[str, str]
) -> None:
    submit(draft, officer, now)

    with pytest.raises(IntegrityError), transaction.atomic():
        SuspiciousActivityReport.objects.filter(pk=draft.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        SuspiciousActivityReport.objects.filter(pk=draft.pk).update(total_cents=1)


def test_cash_is_summed_by_person_day_and_side_before_it_is_rounded(
    customer: Customer, now: datetime
) -> None:
    dollars, euros = make_wallet(customer, "USD"), make_wallet(customer, "EUR")
    other = make_wallet(make_customer(customer.partner), "USD")
    day = datetime(2026, 10, 28, 9, tzinfo=now.tzinfo)
    cash_in(dollars, 600_000, day, "a")
    cash_in(euros, 370_371, day + timedelta(hours=3), "b")  # 400,000.68 cents
    cash_in(other, 1_000_000, day, "c")  # exactly the limit: no report
    cash_in(dollars, 900_000, day + timedelta(days=1), "d")  # another day
    feed_activities()

    made = build_reports(now=now)
    again = build_reports(now=now)

    report = CurrencyTransactionReport.objects.get()
    assert (made, again) == (1, 0)
    assert (report.customer_id, report.day, report.movements) == (customer.pk, day.date(), 2)
    assert report.cash_in_cents == 1_000_001
    assert report.due_on == date(2026, 11, 12)
    found = cash_days(first=day.date(), latest=day.date())
    assert [one.is_reportable for one in found if one.customer_id != customer.pk] == [False]


def test_a_day_is_filed_whole_and_late_cash_is_noted(
    customer: Customer, officer: User, now: datetime
) -> None:
    wallet = make_wallet(customer, "USD")
    day = datetime(2026, 10, 28, 9, tzinfo=now.tzinfo)
    cash_in(wallet, 1_000_001, day, "a")
    feed_activities()
    build_reports(now=now)
    cash_in(wallet, 50_000, day, "b")
    feed_activities()
    assert build_reports(now=now) == 1

    filing = make_file(FilingForm.CTRX, officer, now)
    cash_in(wallet, 70_000, day, "c")
    feed_activities()
    build_reports(now=now)

    report = CurrencyTransactionReport.objects.get()
    assert check_file(filing.content.encode()) == []
    assert (report.state, report.cash_in_cents, report.late_in_cents) == ("BATCHED", 1_050_001, 70_000)
    root = etree.fromstring(filing.content.encode())
    assert root.get("TotalAmount") == "10501"
    with pytest.raises(IntegrityError), transaction.atomic():
        CurrencyTransactionReport.objects.filter(pk=report.pk).update(cash_in_cents=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Filing.objects.filter(pk=filing.pk).update(sha256="x")
