"""Currency reports follow the day's cash: up, down, late, without a rate; each is checked by itself."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from lxml import etree

from compliance.choices_reports import FilingForm
from compliance.errors_reports import ReportExists, ReportStateConflict
from compliance.models.wall import CurrencyTransactionReport
from compliance.operations.filing import file_batch
from compliance.operations.monitoring_feed import feed_activities
from compliance.operations.reports_cash import BELOW, UNPRICED, build_reports, correct_cash_report
from compliance.tests.reporting import answer, answered
from compliance.tests.watching import cash_in
from flowlet.identity.models import Customer, User
from ledger.operations.posting import Posted, reverse
from wallets.models import Wallet
from wallets.tests.factories import make_customer, make_wallet

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 10, 28, 9, tzinfo=UTC)


@pytest.fixture
def wallet(customer: Customer) -> Wallet:
    return make_wallet(customer, "USD")


def build(now: datetime) -> int:
    feed_activities()
    return build_reports(now=now)


def undo(posted: Posted, now: datetime) -> None:
    reverse(
        transaction_public_id=posted.public_id,
        source="test",
        source_key=f"undo {posted.public_id}",
        effective_date=now.date(),
        now=now,
    )


def the_report() -> CurrencyTransactionReport:
    return CurrencyTransactionReport.objects.get()


def test_a_day_that_falls_to_the_limit_is_not_filed_and_rises_again(wallet: Wallet, now: datetime) -> None:
    cash_in(wallet, 1_000_000, DAY, "a")
    small = cash_in(wallet, 1, DAY, "b")
    build(now)
    assert the_report().state == "APPROVED"

    undo(small, now)
    build(now)
    fallen = the_report()
    cash_in(wallet, 5, DAY, "c")
    build(now)

    assert (fallen.state, fallen.cash_in_cents, fallen.outcome_text) == ("NOT_FILED", 1_000_000, BELOW)
    risen = the_report()
    assert (risen.state, risen.cash_in_cents, risen.outcome_text) == ("APPROVED", 1_000_005, "")


def test_an_old_day_is_looked_at_when_its_cash_is_booked_back(wallet: Wallet, now: datetime) -> None:
    posted = cash_in(wallet, 1_000_001, DAY, "a")
    build(now)

    later = now + timedelta(days=50)
    undo(posted, later)
    build(later)

    assert (the_report().state, the_report().cash_in_cents) == ("NOT_FILED", 0)


def test_one_bad_customer_does_not_hold_up_the_others(
    customer: Customer, wallet: Wallet, officer: User, now: datetime
) -> None:
    other = make_customer(customer.partner, "Second Person")
    cash_in(wallet, 1_000_001, DAY, "a")
    cash_in(make_wallet(other, "USD"), 1_000_001, DAY, "b")
    Customer.objects.filter(pk=other.pk).update(country="ZZ")
    build(now)

    made = file_batch(form=FilingForm.CTRX, user_id=officer.pk, now=now)

    bad = CurrencyTransactionReport.objects.get(customer=other)
    assert made.filing is not None
    assert (made.filing.reports, made.set_aside) == (1, 1)
    assert (bad.state, bad.filing) == ("APPROVED", None)
    assert "ZZ is assigned to no country" in bad.outcome_text
    Customer.objects.filter(pk=other.pk).update(country="NO")
    again = file_batch(form=FilingForm.CTRX, user_id=officer.pk, now=now)
    bad.refresh_from_db()
    assert (again.set_aside, bad.state, bad.outcome_text) == (0, "BATCHED", "")


def test_control_and_zero_width_characters_never_reach_a_file(
    customer: Customer, wallet: Wallet, officer: User, now: datetime
) -> None:
    Customer.objects.filter(pk=customer.pk).update(family_name="Ng\x01u\u200byen")
    cash_in(wallet, 1_000_001, DAY, "a")
    build(now)

    made = file_batch(form=FilingForm.CTRX, user_id=officer.pk, now=now)

    assert made.filing is not None
    assert ">Nguyen<" in made.filing.content


def test_late_cash_is_kept_by_side_and_corrected_with_the_authoritys_number(
    wallet: Wallet, officer: User, now: datetime
) -> None:
    posted = cash_in(wallet, 1_000_001, DAY, "a")
    build(now)
    with pytest.raises(ReportStateConflict):
        correct_cash_report(report_id=the_report().public_id, now=now)
    answered(FilingForm.CTRX, officer, now)
    cash_in(wallet, 70_000, DAY, "b")
    build(now)
    first = the_report()
    assert (first.late_in_cents, first.late_out_cents) == (70_000, 0)

    second = correct_cash_report(report_id=first.public_id, now=now)
    with pytest.raises(ReportExists):
        correct_cash_report(report_id=first.public_id, now=now)
    made = file_batch(form=FilingForm.CTRX, user_id=officer.pk, now=now)

    assert made.filing is not None
    root = etree.fromstring(made.filing.content.encode())
    assert root.findtext(".//{*}EFilingPriorDocumentNumber") == "31000000000001"
    assert root.get("TotalAmount") == "10701"
    assert build(now) == 0
    assert second.cash_in_cents == 1_070_001
    undo(posted, now)
    build(now)
    second.refresh_from_db()
    assert second.late_in_cents == -1_000_001


def test_a_rejected_day_is_reported_anew(wallet: Wallet, officer: User, now: datetime) -> None:
    cash_in(wallet, 1_000_001, DAY, "a")
    build(now)
    answered(FilingForm.CTRX, officer, now, answer(1, fatal=True))

    correct_cash_report(report_id=the_report().public_id, now=now)
    made = file_batch(form=FilingForm.CTRX, user_id=officer.pk, now=now)

    assert made.filing is not None
    assert "EFilingPriorDocumentNumber" not in made.filing.content


def test_cash_without_a_rate_is_shown_and_not_filed(customer: Customer, now: datetime) -> None:
    cash_in(make_wallet(customer, "XPF"), 900_000, DAY, "a")

    build(now)

    assert (the_report().state, the_report().unpriced, the_report().outcome_text) == (
        "NOT_FILED",
        1,
        UNPRICED,
    )


def test_a_currency_report_begins_ready_and_keeps_its_person_and_day(wallet: Wallet, now: datetime) -> None:
    cash_in(wallet, 1_000_001, DAY, "a")
    build(now)
    report = the_report()

    for change in ({"day": date(2026, 1, 1)}, {"state": "FILED"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CurrencyTransactionReport.objects.filter(pk=report.pk).update(**change)
    report.pk, report.public_id, report.day, report.state = None, "rpt_x", date(2026, 1, 1), "ACKNOWLEDGED"
    with pytest.raises(IntegrityError), transaction.atomic():
        report.save(force_insert=True)
