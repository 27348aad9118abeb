"""Raw SQL against wallets: quotes and exchanges, deposits and withdrawals, limits, monitors."""

from datetime import timedelta

import pytest
from pytest_django.plugin import DjangoDbBlocker

from flowlet.audit.rights import ROLE
from flowlet.core.money import Money
from flowlet.identity.operations import create_partner
from ledger.operations.accounts import house_account
from ledger.tests.attacks import OWN, ROLES, header, leg, succeeding
from ledger.tests.factories import make_rate, move, wallet_account
from ledger.tests.holding import ask_now
from wallets.models import Deposit
from wallets.operations.bank import withdraw
from wallets.operations.exchange import exchange, quote_exchange
from wallets.operations.monitors import add_monitor, tell_crossings
from wallets.operations.wallets import close_wallet
from wallets.tests.factories import NOW, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db

_USE = "UPDATE wallets_quote SET status = 'USED', used_at = {at} WHERE id = {{quote}}"
_EXCHANGE = (
    "INSERT INTO wallets_exchange (public_id, partner_id, customer_id, quote_id, transaction_id, created_at)"
    " SELECT 'exc_x', q.partner_id, q.customer_id, q.id, {transaction}, {at} FROM wallets_quote q WHERE q.id = {quote}"
)
_IN_TIME = "created_at"


def _use(at: str = _IN_TIME) -> str:
    return _USE.format(at=at)


def _exchange(quote: str = "{quote}", transaction: str = OWN, at: str = "q.created_at") -> str:
    return _EXCHANGE.format(quote=quote, transaction=transaction, at=at)


def _booked_cheaply() -> list[str]:
    """Book a deal under the quote that gives a cent for what the quote asks much more for."""
    legs = (
        (1, "{seller}", "EUR"),
        (-1, "{position}", "EUR"),
        (10_890, "{position_bought}", "USD"),
        (-10_890, "{buyer}", "USD"),
    )
    rows = [leg(minor, of, leg=at, currency=code) for at, (minor, of, code) in enumerate(legs, 1)]
    inserted, *selects = rows
    return [
        header(legs=4, more=", quote", value=", (SELECT public_id FROM wallets_quote WHERE id = {quote})"),
        " UNION ALL ".join([inserted, *(row.split("posted_at)", 1)[1] for row in selects)]),
        (
            "INSERT INTO ledger_fxdeal (transaction_id, sold_currency, sold_minor, bought_currency, bought_minor,"
            " spread_minor, mid, rate, base_currency, base_minor, dealt_at)"
            f" SELECT {OWN}, 'EUR', 1, 'USD', 10890, 0, mid, rate, 'EUR', 1, now() FROM wallets_quote WHERE id = {{quote}}"
        ),
    ]


EXCHANGES = {
    "edit a quote's rate": ("quote_kept", ["UPDATE wallets_quote SET rate = rate / 2"]),
    "edit what a quote gives": ("quote_kept", ["UPDATE wallets_quote SET buy_minor = buy_minor + 1"]),
    "let a quote last longer": (
        "quote_kept", ["UPDATE wallets_quote SET expires_at = expires_at + interval '1 day'"]),
    "delete a quote": ("quote_kept", ["DELETE FROM wallets_quote"]),
    "open a used quote": (
        "quote_kept", ["UPDATE wallets_quote SET status = 'OPEN', used_at = NULL WHERE id = {used}"]),
    "use a quote without exchanging": ("quote_exchanged", [_use()]),
    "use a quote after its time": ("quote_used_in_time", [_use("expires_at")]),
    "use a quote that was given up": (
        "quote_kept", ["UPDATE wallets_quote SET status = 'EXPIRED' WHERE id = {quote}", _use()]),
    "use a quote twice": ("exchange_uses_quote", [_exchange("{used}")]),
    "use a quote twice, at its own time": (
        "wallets_exchange_transaction_id_key",
        [_exchange("{used}", "(SELECT transaction_id FROM wallets_exchange)", "q.used_at")]),
    "exchange by another's booking": (
        "exchange_uses_quote", [_use(), _exchange(transaction="(SELECT transaction_id FROM wallets_exchange)")]),
    "exchange at other terms": ("exchange_uses_quote", [*_booked_cheaply(), _use(), _exchange()]),
    "book under a quote that was used": (
        "transaction_quote_once",
        [header(more=", quote", value=", (SELECT public_id FROM wallets_quote WHERE id = {used})")]),
    "edit an exchange": ("append_only", ["UPDATE wallets_exchange SET created_at = created_at"]),
    "delete an exchange": ("append_only", ["DELETE FROM wallets_exchange"]),
}  # fmt: skip
_COMPLETE = (
    "UPDATE wallets_withdrawal SET status = 'COMPLETED', ended_at = now(), transaction_id = {transaction}"
    " WHERE id = {withdrawal}"
)
MOVEMENTS = {
    "call a withdrawal completed that was not booked": (
        "movement_booked", [_COMPLETE.replace("{transaction}", "{other}")]),
    "call a withdrawal completed by nothing": (
        "movement_booked", [_COMPLETE.replace("{transaction}", "NULL")]),
    "a deposit that was never booked": (
        "movement_booked",
        [(
            "INSERT INTO wallets_deposit (public_id, partner_id, wallet_id, source, bank_account_id, location, amount_minor,"
            " currency, status, refusal_code, refusal_detail, transaction_id, created_at, ended_at) SELECT 'dep_x', partner_id,"
            " wallet_id, source, bank_account_id, location, 9, currency, 'COMPLETED', '', '', {other}, now(), now()"
            " FROM wallets_deposit LIMIT 1"
        )]),
    "edit what a waiting withdrawal takes": (
        "movement_kept", ["UPDATE wallets_withdrawal SET amount_minor = 1 WHERE id = {withdrawal}"]),
    "let a completed deposit wait": ("movement_kept", ["UPDATE wallets_deposit SET status = 'PENDING'"]),
    "turn a deposit to another wallet": ("movement_kept", ["UPDATE wallets_deposit SET wallet_id = 0"]),
    "delete a deposit": ("append_only", ["DELETE FROM wallets_deposit"]),
    "delete a withdrawal": ("append_only", ["DELETE FROM wallets_withdrawal"]),
    "empty the deposits": ("append_only", ["TRUNCATE wallets_deposit CASCADE"]),
    "give a wallet to somebody else": ("wallet_kept", ["UPDATE wallets_wallet SET customer_id = 0"]),
    "put a wallet over another account": ("wallet_kept", ["UPDATE wallets_wallet SET account_id = 0"]),
    "open a closed wallet": (
        "wallet_kept", ["UPDATE wallets_wallet SET status = 'ACTIVE', closed_at = NULL WHERE id = {closed}"]),
    "delete a wallet": ("wallet_kept", ["DELETE FROM wallets_wallet"]),
    "a second open wallet of one kind": (
        "wallet_one_open_per_purpose",
        [(
            "INSERT INTO wallets_wallet (public_id, partner_id, customer_id, currency, account_id, name, purpose, status,"
            " frozen_by, freeze_reason_code, created_at) SELECT 'wal_x', partner_id, customer_id, currency, {position}, '',"
            " purpose, 'ACTIVE', '', '', now() FROM wallets_wallet WHERE status = 'ACTIVE' LIMIT 1"
        )]),
    "have moved less than nothing": ("limit_use_not_negative", ["UPDATE wallets_limituse SET amount_minor = -1"]),
    "edit a crossing": ("append_only", ["UPDATE wallets_balancecrossing SET balance_minor = 0"]),
    "delete a crossing": ("append_only", ["DELETE FROM wallets_balancecrossing"]),
    "tell a crossing twice": (
        "balance_crossing_once",
        [(
            "INSERT INTO wallets_balancecrossing (monitor_id, account_seq, balance_minor, transaction, crossed_at)"
            " SELECT monitor_id, account_seq, 0, transaction, now() FROM wallets_balancecrossing"
        )]),
}  # fmt: skip
# What only the application has no right to: no guard stands behind it.
WITHOUT_RIGHT = {
    "forget what a customer moved": ("42501", ["DELETE FROM wallets_limituse"]),
    "turn a count to another day": ("42501", ["UPDATE wallets_limituse SET bucket_date = '2001-01-01'"]),
    "move a monitor's line": ("42501", ["UPDATE wallets_balancemonitor SET threshold_minor = 0"]),
    "delete a monitor": ("42501", ["DELETE FROM wallets_balancemonitor"]),
}  # fmt: skip
ATTACKS = {"exchanges": EXCHANGES, "movements": MOVEMENTS}


def _world() -> dict[str, object]:
    make_rate("EUR", "USD", "1.1000")
    customer = make_customer(create_partner(name="Northwind Pay", country="DE", now=NOW))
    euros, dollars = (
        make_wallet(customer, "EUR", balance=50_000),
        make_wallet(customer, "USD", balance=20_000),
    )
    closed = make_wallet(customer, "JPY")
    close_wallet(wallet_id=closed.pk, reason_code="UNUSED", now=NOW)
    open_quote, used = (
        quote_exchange(sell_wallet_id=euros.pk, buy_wallet_id=dollars.pk, amount=Money(minor, "EUR"), now=NOW)
        for minor in (10_000, 200)
    )
    exchange(quote_id=used.pk, idempotency_key=None, now=NOW + timedelta(seconds=5))
    waiting = withdraw(
        wallet_id=euros.pk,
        bank_account_id=make_bank_account(customer).pk,
        amount=Money(1_000, "EUR"),
        idempotency_key=None,
        execution="NEXT_RUN",
        now=NOW,
    )
    add_monitor(wallet_id=euros.pk, side="BELOW", threshold=Money(45_000, "EUR"), now=NOW)
    moved = move(euros.account, wallet_account(), 10_000)
    legs = [
        {
            "account": euros.account_id,
            "amount": 10_000,
            "balance_after": 39_800,
            "seq": 3,
            "currency": "EUR",
        }
    ]
    assert tell_crossings(transaction_id=moved.public_id, legs=legs, now=NOW) == 1
    ask_now()
    return {
        "quote": open_quote.pk,
        "used": used.pk,
        "withdrawal": waiting.pk,
        "other": moved.transaction_id,
        "closed": closed.pk,
        "seller": euros.account_id,
        "buyer": dollars.account_id,
        "position": house_account(chart_code="FX_POSITION", currency="EUR", now=NOW).pk,
        "position_bought": house_account(chart_code="FX_POSITION", currency="USD", now=NOW).pk,
    }


@pytest.fixture(scope="module")
def names(once_per_module: DjangoDbBlocker) -> dict[str, object]:
    with once_per_module.unblock():
        return _world()


@pytest.mark.parametrize("role", ROLES, ids=("owner", "application"))
@pytest.mark.parametrize("kind", ATTACKS)
def test_wallets_refuse_attacks_on(kind: str, role: str | None, names: dict[str, object]) -> None:
    assert succeeding(ATTACKS[kind], names, role=role) == {}


def test_the_application_has_no_right_to_counts_and_monitors(names: dict[str, object]) -> None:
    assert succeeding(WITHOUT_RIGHT, names, role=ROLE) == {}
    assert Deposit.objects.filter(status="COMPLETED").count() == 2
