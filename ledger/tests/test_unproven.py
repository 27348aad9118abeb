"""Statements that do not prove themselves: not served, noted once, on Today until the same statement succeeds."""

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from flowlet.core import clock
from ledger.errors import StatementUnsound
from ledger.models.accounts import Account
from ledger.models.statements import ExportJob, Statement, StatementFile
from ledger.operations.sealing import seal
from ledger.operations.statements import give_statement, issue_month_ends, issue_statement
from ledger.queries.unproven import list_unproven
from ledger.statements.facts import day_of, start_of
from ledger.tests.factories import fund, wallet_account

pytestmark = pytest.mark.django_db


def _doctored(sql: str, account: Account) -> None:
    """Change rows with the guards at rest, as somebody with the keys of the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, [account.pk])
        cursor.execute("SET session_replication_role = DEFAULT")


def _booked() -> Account:
    account = wallet_account()
    fund(account, 10_000)
    seal()
    return account


@pytest.fixture
def statement() -> Statement:
    account, day = _booked(), day_of(clock.now())
    return issue_statement(account_id=account.pk, latest_date=day, now=start_of(day + timedelta(days=1)))


def test_an_official_statement_that_does_not_add_up_is_refused_and_becomes_work_until_it_does(
    statement, finance, officer, desk
):
    doctor = "UPDATE ledger_posting SET amount = amount {} 1 WHERE account_id = %s"
    _doctored(doctor.format("-"), statement.account)

    for _ in range(2):
        with pytest.raises(StatementUnsound):
            give_statement(statement_id=statement.pk, format="csv", now=clock.now())

    [noted] = list_unproven()
    assert (noted.state, noted.failure_code, noted.subject) == (
        "FAILED",
        "statement_not_proven",
        statement.public_id,
    )
    assert not StatementFile.objects.exists()
    client = desk(finance)
    assert noted.title in client.get(reverse("admin:index")).content.decode()
    assert noted.title not in desk(officer).get(reverse("admin:index")).content.decode()
    shown = client.get(reverse("admin:ledger_exportjob_change", args=[noted.public_id])).content.decode()
    assert "The ledger must be verified first" in shown
    assert reverse("admin:ledger_seals") in shown
    assert reverse("admin:ledger_statement_change", args=[statement.public_id]) in shown
    assert "Ask again" not in shown

    _doctored(doctor.format("+"), statement.account)
    give_statement(statement_id=statement.pk, format="csv", now=clock.now())

    assert not list_unproven()
    assert noted.title not in client.get(reverse("admin:index")).content.decode()


def test_a_month_that_cannot_be_issued_becomes_work_once():
    account = _booked()
    later = start_of((day_of(clock.now()).replace(day=1) + timedelta(days=32)).replace(day=1))
    _doctored("UPDATE ledger_account SET currency = 'USD' WHERE id = %s", account)

    for _ in range(2):
        assert issue_month_ends(now=later, limit=5) == (0, 0)

    [noted] = ExportJob.objects.all()
    assert (noted.subject_kind, noted.subject, noted.format) == ("OFFICIAL", account.public_id, "")
    _doctored("UPDATE ledger_account SET currency = 'EUR' WHERE id = %s", account)
    assert issue_month_ends(now=later, limit=5) == (1, 0)
    assert not list_unproven()
