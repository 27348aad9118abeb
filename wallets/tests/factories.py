"""The smallest valid objects; name what matters, default the rest."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from flowlet.core.money import Money
from flowlet.identity.models import Customer, Partner
from flowlet.identity.operations import create_customer
from ledger.queries.balances import get_balance
from wallets.models import BankAccount, Wallet
from wallets.operations.bank import add_bank_account, deposit
from wallets.operations.wallets import open_wallet

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
IBAN = "DE89370400440532013000"


def make_customer(partner: Partner, name: str = "Mirela Sandvik") -> Customer:
    given, _, family = name.partition(" ")
    return create_customer(
        partner_id=partner.pk, kind="PERSON", given_name=given, family_name=family, country="NO", now=NOW
    )


def make_bank_account(customer: Customer, currency: str = "EUR", balance: int = 10_000_000) -> BankAccount:
    known = BankAccount.objects.filter(customer=customer, currency=currency).first()
    return known or add_bank_account(
        customer_id=customer.pk, iban=IBAN, currency=currency, balance_minor=balance, now=NOW
    )


def make_wallet(customer: Customer, currency: str = "EUR", balance: int = 0, purpose: str = "MAIN") -> Wallet:
    wallet = open_wallet(customer_id=customer.pk, currency=currency, purpose=purpose, now=NOW)
    if balance:
        bank_account = make_bank_account(customer, currency, max(balance, 10_000_000))
        made = deposit(
            wallet_id=wallet.pk,
            bank_account_id=bank_account.pk,
            amount=Money(balance, currency),
            idempotency_key=None,
            now=NOW,
        )
        assert made.status == "COMPLETED", made.refusal_code
    return wallet


def holds(wallet: Wallet) -> int:
    """Return what the wallet holds, minor units."""
    return get_balance(wallet.account_id).posted.minor


def at_once(work: Callable[[int], Any], count: int, *, workers: int = 20) -> list[Any]:
    """Run `work(0)` … `work(count - 1)` in real threads, each with its own connection; errors are returned."""

    def run(number: int) -> Any:
        try:
            return work(number)
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(count)))
