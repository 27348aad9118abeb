"""Statements: they prove themselves, read back equal, and are the same bytes each time."""

import csv
import dataclasses
import io
from datetime import date, timedelta

import pytest
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.money import Money
from ledger.models.transactions import Posting
from ledger.statements.builder import build_statement
from ledger.statements.facts import BadSpan, Entry, Statement, StatementNotProven, prove
from ledger.statements.formats import STATEMENT_FORMATS
from payments.operations import create_payment
from wallets.operations.bank import withdraw
from wallets.queries import names_of_accounts
from wallets.tests.factories import NOW, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)


@pytest.fixture
def wallet(partner, customer):
    mine, other = (
        make_wallet(customer, balance=10_000),
        make_wallet(make_customer(partner, "Ola Nilsen"), balance=500),
    )
    for number, (payer, payee, minor, text) in enumerate(
        ((mine, other, 2_500, "=HYPERLINK(1)"), (other, mine, 300, "Dinner"), (mine, other, 1, ""))
    ):
        create_payment(
            partner_id=partner.pk,
            payer_wallet_id=payer.public_id,
            payee_wallet_id=payee.public_id,
            amount=Money(minor, "EUR"),
            description=text,
            now=NOW + timedelta(days=number),
        )
    withdraw(
        wallet_id=mine.pk,
        bank_account_id=make_bank_account(customer).pk,
        amount=Money(799, "EUR"),
        idempotency_key=None,
        now=NOW + timedelta(days=40),
    )
    return mine


def build(wallet, first=FIRST, last=LAST):
    return build_statement(
        account_id=wallet.account_id,
        first=first,
        last=last,
        reference=wallet.public_id,
        owner=wallet.customer.name,
        names=names_of_accounts,
    )


def test_a_statement_leads_from_opening_to_closing(wallet):
    statement = build(wallet)

    assert (statement.opening, statement.closing) == (0, 7_799)
    assert [(entry.amount, entry.balance) for entry in statement.entries] == [
        (10_000, 10_000),
        (-2_500, 7_500),
        (300, 7_800),
        (-1, 7_799),
    ]
    assert (statement.money_in, statement.money_out) == (10_300, 2_501)
    assert [entry.counterparty for entry in statement.entries] == [
        "",
        "Ola Nilsen",
        "Ola Nilsen",
        "Ola Nilsen",
    ]


def test_the_opening_of_one_is_the_closing_of_the_one_before(wallet):
    spans = [
        (date(2026, 10, 1), date(2026, 10, 31)),
        (FIRST, date(2026, 11, 2)),
        (date(2026, 11, 3), LAST),
        (date(2026, 12, 1), date(2026, 12, 31)),
    ]

    statements = [build(wallet, *span) for span in spans]

    assert [one.closing for one in statements[:-1]] == [one.opening for one in statements[1:]]
    assert statements[-1].closing == 7_000
    assert (
        sum(len(one.entries) for one in statements) == Posting.objects.filter(account=wallet.account).count()
    )


def test_a_span_without_entries_is_a_statement_too(wallet):
    statement = build(wallet, date(2025, 1, 1), date(2025, 1, 31))

    assert (statement.opening, statement.closing, statement.entries) == (0, 0, ())
    assert all(known.render(statement) for known in STATEMENT_FORMATS.values())


def test_a_span_that_ends_before_it_begins_is_refused(wallet):
    with pytest.raises(BadSpan):
        build(wallet, LAST, FIRST)


def test_what_does_not_add_up_is_not_proven(wallet):
    statement = build(wallet)
    wrong = dataclasses.replace(statement.entries[1], amount=-2_501)

    for broken in (
        dataclasses.replace(statement, closing=statement.closing + 1),
        dataclasses.replace(statement, opening=1),
        dataclasses.replace(statement, entries=statement.entries[:-1]),
        dataclasses.replace(statement, entries=(statement.entries[0], wrong, *statement.entries[2:])),
    ):
        with pytest.raises(StatementNotProven):
            prove(broken)


@pytest.mark.parametrize("name", ["csv", "camt053"])
def test_the_same_statement_gives_the_same_bytes(wallet, name):
    known = STATEMENT_FORMATS.get(name)

    assert known.render(build(wallet)) == known.render(build(wallet))


def test_the_csv_reads_back_equal_and_holds_no_formula(wallet):
    statement = build(wallet)

    text = STATEMENT_FORMATS.get("csv").render(statement).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["row"] for row in rows] == ["opening", *["entry"] * 4, "closing"]
    amounts = [Money.parse(row["amount"], "EUR").minor for row in rows[1:-1]]
    opening, closing = (Money.parse(row["balance"], "EUR").minor for row in (rows[0], rows[-1]))
    assert opening + sum(amounts) == closing == statement.closing
    assert rows[2]["description"] == "'=HYPERLINK(1)"
    assert rows[2]["amount"] == "-25.00"


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "1,250"), ("EUR", "12.50"), ("KWD", "1.250"), ("CLF", "0.1250")]
)
def test_amounts_have_their_currencys_digits(currency, shown):
    entry = Entry(1, FIRST, "txn_1", "DEPOSIT", "Deposit", "", 1_250, 1_250)
    statement = Statement("wal_1", "Ola", currency, FIRST, LAST, 0, 1_250, (entry,))

    text = STATEMENT_FORMATS.get("csv").render(statement).decode("utf-8-sig")

    assert shown.replace(",", "") in text.split("\r\n")[2].split(",")


def test_a_thousand_lines_in_any_script_make_every_format():
    entries = tuple(
        Entry(n, FIRST, f"txn_{n}", "P2P", "Κατερίνα 山田", "Олена", 1, n) for n in range(1, 1_001)
    )
    statement = Statement("wal_1", "Łukasz 山田", "EUR", FIRST, LAST, 0, 1_000, entries)
    prove(statement)

    for known in STATEMENT_FORMATS.values():
        assert len(known.render(statement)) > 10_000


@pytest.fixture
def desk(finance):
    return log_in(finance)


def test_finance_exports_a_month_and_the_trail_tells(desk, wallet):
    href = f"{reverse('admin:statements')}?wallet={wallet.public_id}"

    asked = desk.get(href)
    answer = desk.post(href, {"month": "2026-11", "format": "csv"})

    assert asked.status_code == 200
    assert answer.status_code == 200
    assert f"statement-{wallet.public_id}-2026-11-01-2026-11-30.csv" in answer["Content-Disposition"]
    record = AuditRecord.objects.get(action="statement.export")
    assert (record.object_id, record.outcome, record.actor_kind) == (wallet.public_id, "DONE", "STAFF")
    assert '"entries":[null,4]' in record.changes


@pytest.mark.parametrize(
    "form",
    [
        {"month": "2026-13", "format": "csv"},
        {"month": "", "format": "csv"},
        {"month": "2026-11", "format": "xml"},
        {"first": "2026-11-02", "format": "csv"},
        {"first": "2026-11-02", "last": "2026-11-01", "format": "csv"},
        {"first": "0001-01-01", "last": "2026-11-01", "format": "csv"},
        {"first": "soon", "last": "later", "format": "pdf"},
    ],
)
def test_a_bad_form_comes_back_with_its_faults(desk, wallet, form):
    answer = desk.post(f"{reverse('admin:statements')}?wallet={wallet.public_id}", form)

    assert answer.status_code == 400
    assert b'class="error"' in answer.content
    assert not AuditRecord.objects.filter(action="statement.export").exists()


def test_the_wallet_is_found_by_its_owner(desk, wallet):
    found = desk.get(reverse("admin:statements"), {"q": "mirela"})

    assert wallet.public_id.encode() in found.content
    assert desk.get(reverse("admin:statements"), {"wallet": "wal_none"}).status_code == 404


def test_who_may_not_export_gets_no_statement(ops, wallet):
    assert log_in(ops).get(reverse("admin:statements")).status_code == 403
