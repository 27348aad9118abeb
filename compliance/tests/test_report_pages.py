"""The pages of reports and files: open inside the wall, shut outside, each look in the trail, exports that run nothing."""

from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from compliance.choices_reports import FilingForm
from compliance.models.wall import CurrencyTransactionReport, SuspiciousActivityReport
from compliance.operations.monitoring_feed import feed_activities
from compliance.operations.reports_cash import build_reports
from compliance.tests.reporting import make_file, say, submit
from compliance.tests.watching import at, cash_in
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.identity.models import Customer, Partner, User
from flowlet.identity.operations import create_user
from wallets.tests.factories import make_customer, make_wallet

pytestmark = pytest.mark.django_db
LISTS = ("/admin/activity-reports/", "/admin/currency-reports/", "/admin/filings/")


def test_each_page_opens_inside_the_wall_and_leaves_a_row(
    draft: SuspiciousActivityReport, officer: User, lead: User, now: datetime
) -> None:
    cash_in(make_wallet(draft.customer, "EUR"), 1_500_000, at(3), "big")
    feed_activities()
    build_reports(now=at(5))
    say(submit(draft, officer, now), lead, now)
    filing = make_file(FilingForm.SARX, officer, now)
    cash = CurrencyTransactionReport.objects.get()
    pages = {
        f"/admin/activity-reports/{draft.public_id}/": (
            "report.view",
            draft.public_id,
            "WHO: Mirela Sandvik",
        ),
        f"/admin/currency-reports/{cash.public_id}/": ("report.view", cash.public_id, "Cash in"),
        f"/admin/filings/{filing.public_id}/": ("filing.view", filing.public_id, filing.sha256),
        f"/admin/filings/{filing.public_id}/file.xml": (
            "filing.download",
            filing.public_id,
            "EFilingBatchXML",
        ),
    }

    for person in (officer, lead):
        desk = log_in(person)
        for href, (verb, object_id, words) in pages.items():
            answer = desk.get(href)
            assert answer.status_code == 200, href
            assert words in answer.content.decode(), href
            rows = AuditRecord.objects.filter(action=verb, object_id=object_id, actor=person.public_id)
            assert rows.count() == 1, href


def test_lists_of_reports_stay_within_twelve_queries(
    draft: SuspiciousActivityReport,
    partner: Partner,
    officer: User,
    lead: User,
    now: datetime,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(8):
        wallet = make_wallet(make_customer(partner, f"Person Number{number}"), "USD")
        cash_in(wallet, 1_200_000, at(3), f"big{number}")
    feed_activities()
    build_reports(now=at(5))
    say(submit(draft, officer, now), lead, now)
    make_file(FilingForm.SARX, officer, now)
    desk = log_in(officer)
    desk.get("/admin/")

    for href in LISTS:
        with django_assert_max_num_queries(12):
            assert desk.get(href).status_code == 200


@pytest.mark.parametrize("role", ["support", "ops", "finance", "analyst"])
def test_outside_the_wall_no_page_opens_and_none_is_left_a_trace(
    draft: SuspiciousActivityReport, role: str
) -> None:
    person = create_user(
        email="tom@house.example", full_name="Tom Hale", password="correct-horse-battery", roles=[role]
    )
    desk = log_in(person)
    own = f"/admin/activity-reports/{draft.public_id}/"

    for href in (*LISTS, own, f"{own}evidence.csv", "/admin/filings/fil_1/file.xml"):
        assert desk.get(href).status_code == 403, href
    for href in ("/admin/", f"/admin/customers/{draft.customer.public_id}/", "/admin/search/?q=Mirela"):
        text = desk.get(href).content.decode()
        for word in ("rpt_", "Activity reports", "Currency reports", "activity-reports"):
            assert word not in text, (href, word)


def test_the_evidence_runs_nothing_in_a_spreadsheet(
    draft: SuspiciousActivityReport, officer: User, customer: Customer
) -> None:
    answer = log_in(officer).get(f"/admin/activity-reports/{draft.public_id}/evidence.csv")

    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    cells = [cell.strip('"') for line in lines for cell in line.split(",")]
    assert answer.status_code == 200
    assert sum("9000" in line.replace(",", "") for line in lines) == 3
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert AuditRecord.objects.filter(action="report.export", object_id=draft.public_id).count() == 1
    del customer
