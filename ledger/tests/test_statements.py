"""Official statements: they continue each other, hold what was booked before their last day ended, and stay what they are."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from flowlet.audit.models import AuditRecord
from flowlet.core import clock
from flowlet.events.models import Event
from flowlet.identity.models import Customer
from ledger.errors import NotSealedYet, PeriodNotOver, StatementOutOfOrder, UnknownFormat
from ledger.models.accounts import Account
from ledger.models.statements import Statement, StatementFile
from ledger.operations.accounts import open_account
from ledger.operations.posting import post
from ledger.operations.sealing import seal
from ledger.operations.statements import give_statement, issue_month_ends, issue_statement
from ledger.statements.builder import build_official
from ledger.statements.facts import StatementNotProven, day_of, start_of
from ledger.statements.formats import STATEMENT_FORMATS
from ledger.statements.subjects import names_of
from ledger.tests.factories import bank, draft, fund, move, wallet_account
from ledger.tests.holding import hold
from ledger.tests.statement_readers import read_camt

pytestmark = pytest.mark.django_db


@pytest.fixture
def began() -> datetime:
    """The real clock: the database books by its own, whatever a test gives out as the time."""
    return clock.now()


@pytest.fixture
def account(customer: Customer, began: datetime) -> Account:
    account = open_account(
        chart_code="CUSTOMER_WALLETS",
        currency="EUR",
        partner_id=customer.partner_id,
        customer_id=customer.pk,
        name="wallet",
        now=began - timedelta(days=70),
    )
    fund(account, 10_000)
    move(account, wallet_account(), 2_500)
    move(account, wallet_account(), 500)
    seal()
    return account


def issue(account: Account, began: datetime, *, days: int = 0, **more: int) -> Statement:
    day = day_of(began) + timedelta(days=days)
    return issue_statement(
        account_id=account.pk, latest_date=day, now=start_of(day + timedelta(days=1)), **more
    )


def test_statements_of_an_account_continue_each_other(account, began):
    hold(account, 300, key="lunch")

    past = issue(account, began, days=-31)
    first = issue(account, began)
    quiet = issue(account, began, days=1)

    assert [(one.number, one.seq_from, one.seq_to) for one in (past, first, quiet)] == [
        (1, 1, 0),
        (2, 1, 3),
        (3, 4, 3),
    ]
    assert [one.opening_minor for one in (past, first, quiet)] == [0, 0, 7_000]
    assert [one.closing_minor for one in (past, first, quiet)] == [0, 7_000, 7_000]
    assert (past.held_minor, first.held_minor, first.available_minor) == (0, 300, 6_700)
    assert first.first_date == past.latest_date + timedelta(days=1)
    assert Event.objects.filter(type="statement.issued").count() == 3
    assert AuditRecord.objects.filter(action="statement.issue").count() == 3


def test_a_statement_is_issued_once_for_a_day_and_never_before_it_is_over(account, began):
    once, again = issue(account, began), issue(account, began)

    assert once == again
    with pytest.raises(StatementOutOfOrder):
        issue(account, began, days=-1)
    with pytest.raises(PeriodNotOver):
        issue_statement(account_id=account.pk, latest_date=day_of(began) + timedelta(days=5), now=began)


def test_a_statement_holds_only_what_is_sealed(account, began):
    fund(account, 1)

    with pytest.raises(NotSealedYet):
        issue(account, began)
    seal()

    assert issue(account, began).closing_minor == 7_001


def test_books_taken_over_at_once_are_cut_by_number(account, began):
    first = issue(account, began, days=-31, through_seq=2)
    second = issue(account, began)

    assert (first.seq_to, first.closing_minor) == (2, 7_500)
    assert (second.seq_from, second.seq_to, second.opening_minor) == (3, 3, 7_500)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"number": 3}, "statement_number_continues"),
        ({"seq_from": 5, "seq_to": 4}, "statement_range_continues"),
        ({"first_date": "first_date + 1"}, "statement_days_continue"),
        ({"opening_minor": 1, "available_minor": 6_999}, "statement_opening_continues"),
        ({"closing_minor": 6_999, "available_minor": 6_999}, "statement_closing_booked"),
        ({"currency": "USD"}, "posting_account_currency"),
        ({"available_minor": 1}, "statement_available"),
        ({"held_minor": -1, "available_minor": 7_001}, "statement_available"),
    ],
)
def test_the_database_refuses_a_statement_that_does_not_continue(account, began, change, constraint):
    first, day = issue(account, began), day_of(began)
    values = {
        "account": account,
        "number": 2,
        "first_date": day + timedelta(days=1),
        "latest_date": day + timedelta(days=9),
        "seq_from": 4,
        "seq_to": 3,
        "opening_minor": first.closing_minor,
        "closing_minor": first.closing_minor,
        "held_minor": 0,
        "available_minor": first.closing_minor,
        "currency": "EUR",
        "cut_at": began,
        "issued_at": began,
        **change,
    }
    if "first_date" in change:
        values["first_date"] = day + timedelta(days=2)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Statement.objects.create(**values)

    assert refused.value.__cause__.diag.constraint_name == constraint


@pytest.mark.parametrize("table", ["ledger_statement", "ledger_statementfile"])
@pytest.mark.parametrize("act", ["UPDATE {} SET public_id = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_was_issued_is_never_changed(account, began, table, act):
    give_statement(statement_id=issue(account, began).pk, format="csv", now=began)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(act.format(table))


def test_a_statement_is_given_out_again_as_the_same_bytes(account, began):
    statement = issue(account, began)

    once = give_statement(statement_id=statement.pk, format="camt053", version="02", now=began)
    Account.objects.filter(pk=account.pk).update(name="another name")
    again = give_statement(statement_id=statement.pk, format="camt053", version="02", now=began)

    assert (once.content, once.sha256) == (again.content, again.sha256)
    assert StatementFile.objects.get().version == "02"
    found = read_camt(once.content, "EUR")
    assert (found.opening, found.amounts, found.closing) == (0, [10_000, -2_500, -500], 7_000)
    assert b"<LglSeqNb>1</LglSeqNb>" in once.content
    assert (
        once.content
        == give_statement(statement_id=statement.pk, format="camt053", version="02", now=began).content
    )


def test_what_is_rebuilt_has_no_clock_in_it_and_nothing_of_what_was_backdated_since(account, began):
    statement = issue(account, began)

    def rebuilt() -> dict[str, bytes]:
        facts = build_official(statement, reference="wal_1", owner="Ola", names=names_of)
        return {name: known.render(facts) for name, known in STATEMENT_FORMATS.items()}

    once = rebuilt()
    legs, earlier = ((bank(), 9), (account, -9)), day_of(began) - timedelta(days=3)
    post(draft=draft(*legs, effective_date=earlier), now=began)
    seal()
    # Another day, so that a clock anywhere in a file shows.
    with time_machine.travel(began + timedelta(days=40), tick=False):
        again = rebuilt()

    assert {"xlsx", "pdf"} < set(once)
    assert [name for name in once if once[name] != again[name]] == []


def test_an_official_statement_that_is_wrong_is_not_given_out(account, began):
    statement = issue(account, began)
    statement.closing_minor += 1

    with pytest.raises(StatementNotProven):
        build_official(statement, reference="wal_1", owner="Ola", names=names_of)


def test_an_unknown_format_is_refused(account, began):
    statement = issue(account, began)

    for name, version in (("docx", ""), ("camt053", "99"), ("csv", "2")):
        with pytest.raises(UnknownFormat):
            give_statement(statement_id=statement.pk, format=name, version=version, now=began)


def test_every_month_that_is_over_gets_its_statement_in_batches(account, began, customer):
    other = open_account(
        chart_code="CUSTOMER_WALLETS",
        currency="EUR",
        customer_id=customer.pk,
        name="other",
        now=began - timedelta(days=1),
    )
    later = start_of((day_of(began).replace(day=1) + timedelta(days=40)).replace(day=1)) + timedelta(hours=2)

    issued, after = issue_month_ends(now=later, limit=1)
    more, end = issue_month_ends(now=later, limit=5, after=after)
    nothing, _ = issue_month_ends(now=later, limit=5)

    assert issued >= 3  # the months since the account was opened
    assert (after, end, nothing) == (account.pk, 0, 0)
    assert more >= 1
    months = Statement.objects.filter(account=account).order_by("number")
    assert all((one.latest_date + timedelta(days=1)).day == 1 for one in months)
    assert [one.number for one in months] == list(range(1, issued + 1))
    assert months.last().closing_minor == 7_000
    assert Statement.objects.filter(account=other).exists()
