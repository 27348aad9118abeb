"""Dashboards and reports, by role, with few queries, and files that no spreadsheet runs."""

import io
import re
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.dashboards.base import DASHBOARDS
from analytics.facts.base import FACTS
from analytics.models import FactDifference, Report
from analytics.operations.reconciling import reconcile_facts
from analytics.tests.factories import catch_up, pay, rebuild_all
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.exports import ExportColumn, ExportFile
from flowlet.backoffice.tests.conftest import log_in
from flowlet.backoffice.xlsx import write_xlsx
from flowlet.core import clock
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db
QUESTION = (
    "fact=payment_day&measure=count&measure=settled&grain=month&period=fixed&first=2026-10-01&last=2026-12-31"
)


@pytest.fixture
def busy(partner, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=1))
    payer = make_wallet(make_customer(partner, "Anna Berg"), balance=100_000)
    payee = make_wallet(make_customer(partner, "Jonas Falk"))
    for minor in (1_200, 300, 9_999_999):
        pay(payer, payee, minor)
    catch_up()


@pytest.mark.parametrize("key", ["overview", "payments", "cards", "finance", "customers"])
def test_each_dashboard_shows_what_it_draws_in_twelve_queries(key, busy, finance):
    desk = log_in(finance)
    desk.get(f"/admin/dashboards/{key}/")

    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = desk.get(f"/admin/dashboards/{key}/?days=90")

    text = page.content.decode()
    spent = [query["sql"][:90] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert page.status_code == 200
    assert len(spent) <= 12, "\n".join(spent)
    assert "<svg" in text
    assert "Show numbers" in text
    assert " style=" not in text


def test_every_registered_dashboard_is_tested_above():
    assert sorted(dict(DASHBOARDS.items())) == ["cards", "customers", "finance", "overview", "payments"]


def test_a_figure_leads_to_the_rows_it_counts(busy, finance):
    desk = log_in(finance)
    text = desk.get("/admin/dashboards/payments/").content.decode()

    [link] = re.findall(r'href="([^"]+)"><span class="figure-title">Completed', text)
    listed = desk.get(link.replace("&amp;", "&"))

    assert [row.status for row in listed.context["listed"].rows] == ["COMPLETED", "COMPLETED"]


def test_a_role_sees_its_own_dashboards_only(busy, ops, finance):
    assert log_in(ops).get("/admin/dashboards/finance/").status_code == 403
    assert "Finance" not in log_in(ops).get("/admin/dashboards/overview/").content.decode()
    assert log_in(finance).get("/admin/dashboards/finance/").status_code == 200
    assert log_in(ops).get("/admin/reports/").status_code == 403
    assert log_in(finance).get("/admin/dashboards/nothing/").status_code == 404


def test_a_difference_is_a_red_line_on_the_page_and_on_today(busy, finance):
    FACTS.get("payment_day").model.objects.filter(status="COMPLETED").update(settled_minor=1)
    reconcile_facts(now=clock.now())
    desk = log_in(finance)

    board, today = (
        desk.get("/admin/dashboards/payments/").content.decode(),
        desk.get("/admin/").content.decode(),
    )

    assert FactDifference.objects.count() == 1
    assert "do not agree with the books" in board
    assert "Settled payments, EUR" in board
    assert "1 differ" in today
    rebuild_all()
    reconcile_facts(now=clock.now())
    assert "do not agree" not in desk.get("/admin/dashboards/payments/").content.decode()


def test_a_report_is_previewed_taken_away_and_noted(busy, finance):
    desk = log_in(finance)

    page = desk.get(f"/admin/reports/?{QUESTION}")
    file = desk.post(f"/admin/reports/?{QUESTION}", {"do": "csv"})
    book = desk.post(f"/admin/reports/?{QUESTION}", {"do": "xlsx"})

    assert "15.00" in page.content.decode()
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines == ["\ufeffMonth,Currency,Payments,Settled amount", "2026-11,EUR,3,15.00"]
    inside = ZipFile(io.BytesIO(b"".join(book.streaming_content))).read("xl/worksheets/sheet1.xml").decode()
    assert "<v>15.00</v>" in inside
    noted = AuditRecord.objects.filter(action="report.export")
    assert [record.actor for record in noted] == [finance.public_id] * 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("fact=payment_day&measure=nothing", "no measure"),
        ("fact=payment_day&measure=count&dimension=payer", "no dimension"),
        ("fact=spending_day&measure=count", "what the report is about"),
        ("fact=payment_day&measure=count&period=fixed&first=2026-02-01&last=2026-01-01", "before the first"),
        ("fact=payment_day&measure=count&period=fixed&first=1990-01-01&last=2026-01-01", "10 years"),
        ("fact=payment_day&measure=count&grain=hour", "no grain"),
    ],
)
def test_a_bad_question_is_refused_with_its_reason(asked, said, busy, finance):
    page = log_in(finance).get(f"/admin/reports/?{asked}")

    assert page.status_code == 400
    assert said in page.content.decode()


def test_an_analyst_cannot_ask_for_the_ledger(busy):
    from conftest import _staff

    desk = log_in(_staff("analyst", "Vera Sol"))

    assert desk.get("/admin/reports/?fact=ledger_day&measure=debit").status_code == 400
    assert desk.get("/admin/reports/?fact=payment_day&measure=count").status_code == 200


def test_a_report_is_saved_once_per_name_and_opened_again(busy, finance, auditor):
    desk, other = log_in(finance), log_in(auditor)

    first = desk.post(f"/admin/reports/?{QUESTION}", {"do": "save", "name": "The month", "visibility": "OWN"})
    again = desk.post(f"/admin/reports/?{QUESTION}", {"do": "save", "name": "The month"})

    report = Report.objects.get()
    assert (first.status_code, again.status_code) == (302, 409)
    assert "15.00" in desk.get(f"/admin/reports/?report={report.public_id}").content.decode()
    assert other.get(f"/admin/reports/?report={report.public_id}").status_code == 404
    report.visibility = "ALL"
    report.save()
    assert other.get(f"/admin/reports/?report={report.public_id}").status_code == 200


def test_a_workbook_holds_no_formula_and_no_link():
    out, texts = io.BytesIO(), ["=1+1", "+1", "-1", "@SUM(A1)", "http://evil.example", "\t=1"]

    write_xlsx(
        ExportFile(
            name="x", title="=2+2", facts=[], columns=[ExportColumn(title="Text")], rows=[[t] for t in texts]
        ),
        out,
    )

    book = ZipFile(out)
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert sheet.count('t="inlineStr"') == len(texts) + 3
