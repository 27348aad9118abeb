"""The proof finds each kind of tampering that a superuser can do with the guards at rest."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from flowlet.core.money import Money
from ledger.operations.holds import place_hold
from ledger.operations.posting import Posted, reverse
from ledger.queries.trial_balance import get_trial_balances
from ledger.queries.verification import verify
from ledger.tests.booking import closed_month
from ledger.tests.factories import NOW, TODAY, fund, move, wallet_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> dict[str, Posted]:
    """Three currencies, two transfers, one reversal; account and transaction ids by name."""
    payer, payee, yen = wallet_account(), wallet_account(), wallet_account("JPY")
    first = fund(payer, 1_000)
    fund(yen, 500)
    fund(wallet_account("KWD"), 1_234)
    transfer = move(payer, payee, 300)
    move(payee, payer, 50)
    original = move(payer, payee, 7)
    undo = reverse(
        transaction_public_id=original.public_id,
        source="test",
        source_key="undo",
        effective_date=TODAY,
        now=NOW,
    )
    place_hold(
        account_id=payer.pk,
        amount=Money(40, "EUR"),
        source="test",
        source_key="hold",
        expires_at=None,
        now=NOW,
    )
    return {"first": first, "transfer": transfer, "undo": undo}


def tamper(*statements: str, transaction_id: int) -> None:
    """As a superuser whose triggers rest."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement.replace(":transfer", str(transaction_id)))
        cursor.execute("SET session_replication_role = DEFAULT")


def test_an_untouched_ledger_is_clean(books: dict[str, Posted]) -> None:
    closed_month(2026, 9)

    report = verify()

    assert report.clean
    assert report.counts == {
        "currencies": 165,
        "accounts": 7,
        "transactions": 7,
        "postings": 14,
        "reversals": 1,
        "holds": 1,
        "periods": 1,
    }
    assert all(answer.rows for answer in report.answers)


def test_an_empty_ledger_is_clean() -> None:
    assert verify().clean


LEG = "transaction_id = :transfer AND leg = 1"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (
            [f"UPDATE ledger_posting SET amount = amount + 1 WHERE {LEG}"],
            {
                ("zero_per_currency", "amount"),
                ("zero_per_transaction", "amount"),
                ("running_balance", "balance_after"),
                ("balances", "posted"),
            },
        ),
        # Both legs, so that the sums still agree.
        (
            ["UPDATE ledger_posting SET amount = amount * 2 WHERE transaction_id = :transfer"],
            {("running_balance", "balance_after"), ("balances", "posted")},
        ),
        (
            ["DELETE FROM ledger_posting WHERE transaction_id = :transfer"],
            {
                ("legs_complete", "leg_count"),
                ("running_balance", "account_seq"),
                ("running_balance", "balance_after"),
                ("balances", "posted"),
                ("balances", "seq"),
            },
        ),
        (["DELETE FROM ledger_transaction WHERE id = :transfer"], {("legs_complete", "id")}),
        (
            ["UPDATE ledger_transaction SET leg_count = 3 WHERE id = :transfer"],
            {("legs_complete", "leg_count")},
        ),
        ([f"UPDATE ledger_posting SET leg = 7 WHERE {LEG}"], {("legs_complete", "leg_count")}),
        (
            [f"UPDATE ledger_posting SET effective_date = '2020-01-01' WHERE {LEG}"],
            {("legs_agree", "effective_date")},
        ),
        (
            ["UPDATE ledger_transaction SET effective_date = '2020-01-01' WHERE id = :transfer"],
            {("legs_agree", "effective_date")},
        ),
        (
            [f"UPDATE ledger_posting SET posted_at = '2020-01-01' WHERE {LEG}"],
            {("legs_agree", "posted_at"), ("running_balance", "posted_at")},
        ),
        (
            ["UPDATE ledger_posting SET currency = 'USD' WHERE transaction_id = :transfer"],
            {("legs_agree", "currency")},
        ),
        (
            [f"UPDATE ledger_posting SET account_seq = 99 WHERE {LEG}"],
            {
                ("running_balance", "account_seq"),
                ("running_balance", "balance_after"),
                ("running_balance", "posted_at"),
            },
        ),
        (
            [f"UPDATE ledger_posting SET balance_after = 5 WHERE {LEG}"],
            {("running_balance", "balance_after")},
        ),
        (
            [
                f"UPDATE ledger_posting SET account_id = (SELECT max(id) FROM ledger_account WHERE currency = 'EUR') WHERE {LEG}"
            ],
            {
                ("running_balance", "account_seq"),
                ("running_balance", "balance_after"),
                ("balances", "latest_posted_at"),
                ("balances", "posted"),
                ("balances", "seq"),
            },
        ),
        (
            ["UPDATE ledger_balance SET posted = posted + 1 WHERE currency = 'JPY' AND sign = -1"],
            {("balances", "posted")},
        ),
        (["UPDATE ledger_balance SET seq = 9 WHERE currency = 'JPY'"], {("balances", "seq")}),
        (["UPDATE ledger_holdstate SET open_minor = 41"], {("holds", "open_minor")}),
        (
            ["UPDATE ledger_holdstate SET open_minor = 0, status = 'EXPIRED'"],
            {("holds", "open_minor"), ("holds", "status")},
        ),
        (
            ["UPDATE ledger_holdstate SET account_id = (SELECT max(id) FROM ledger_account)"],
            {("holds", "account")},
        ),
        (
            [
                """INSERT INTO ledger_owing (account_id, receivable_id)
                   SELECT h.account_id, a.id FROM ledger_hold h, ledger_account a
                   WHERE a.currency = 'KWD' AND a.sign = -1"""
            ],
            {("owed", "receivable"), ("owed", "available")},
        ),
        (["UPDATE ledger_holdevent SET open_after_minor = 41"], {("holds", "open_after_minor")}),
        (["UPDATE ledger_balance SET held = 1 WHERE currency = 'JPY' AND sign = -1"], {("balances", "held")}),
        (
            ["UPDATE ledger_balance SET latest_posted_at = now() + interval '1 day' WHERE currency = 'JPY'"],
            {("balances", "latest_posted_at")},
        ),
        (
            ["DELETE FROM ledger_balance WHERE currency = 'JPY'"],
            {
                ("accounts", "balance.currency"),
                ("accounts", "balance.sign"),
            },
        ),
        (
            ["UPDATE ledger_account SET sign = 1 WHERE currency = 'JPY'"],
            {("accounts", "sign"), ("accounts", "balance.sign"), ("running_balance", "balance_after")},
        ),
        (
            ["UPDATE ledger_account SET currency = 'GBP' WHERE currency = 'JPY'"],
            {("accounts", "balance.currency"), ("legs_agree", "currency")},
        ),
        (["UPDATE ledger_currency SET exponent = 2 WHERE code = 'JPY'"], {("exponents", "exponent")}),
        (["DELETE FROM ledger_currency WHERE code = 'CLF'"], {("exponents", "exponent")}),
        (
            ["UPDATE ledger_transaction SET reverses_id = :transfer WHERE reverses_id IS NOT NULL"],
            {("reversals", "reverses")},
        ),
        (
            ["UPDATE ledger_transaction SET reverses_id = 999999 WHERE reverses_id IS NOT NULL"],
            {("reversals", "reverses")},
        ),
    ],
)
def test_tampering_is_found_by_row_and_field(
    books: dict[str, Posted], statements: list[str], found: set[tuple[str, str]]
) -> None:
    tamper(*statements, transaction_id=books["transfer"].transaction_id)

    report = verify()

    assert {(finding.check, finding.field) for finding in report.findings} == found
    assert all(any(char.isdigit() or char.isupper() for char in finding.row) for finding in report.findings)


def test_the_finding_tells_what_is_and_what_should_be(books: dict[str, Posted]) -> None:
    posted = books["transfer"]
    tamper(
        "UPDATE ledger_posting SET balance_after = 5 WHERE transaction_id = :transfer AND leg = 1",
        transaction_id=posted.transaction_id,
    )

    finding = verify().findings[0]

    assert finding.row.startswith("posting ")
    assert finding.text == "is 5, should be 700"


def test_the_command_counts_and_ends_with_an_error_on_faults(
    books: dict[str, Posted], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_ledger")
    assert "14 postings of 7 transactions on 7 accounts checked: 0 faults." in capsys.readouterr().out

    tamper("UPDATE ledger_balance SET posted = posted + 1", transaction_id=0)
    with pytest.raises(CommandError, match="not whole: 7 faults"):
        call_command("verify_ledger")
    assert "7 FAULTS" in capsys.readouterr().out


def test_the_trial_balance_is_even_in_each_currency(books: dict[str, Posted]) -> None:
    balances = {balance.currency: balance for balance in get_trial_balances()}

    assert sorted(balances) == ["EUR", "JPY", "KWD"]
    assert all(balance.debit == balance.credit for balance in balances.values())
    euros = {line.code: (line.debit, line.credit) for line in balances["EUR"].lines}
    assert euros == {"CLIENT_MONEY_BANK": (1_000, 0), "CUSTOMER_WALLETS": (0, 1_000)}
