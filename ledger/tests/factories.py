"""The smallest valid ledger objects."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

from flowlet.core.money import Money
from ledger.models.accounts import Account
from ledger.models.currencies import FxRate
from ledger.operations.accounts import house_account, open_account
from ledger.operations.currencies import record_rate
from ledger.operations.posting import Draft, Leg, Posted, post

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 2)
_keys = count(1)


def wallet_account(currency: str = "EUR", **fields: int | str | None) -> Account:
    """A customer account: credit-normal, floor 0."""
    return open_account(chart_code="CUSTOMER_WALLETS", currency=currency, name="wallet", now=NOW, **fields)


def bank(currency: str = "EUR") -> Account:
    """The house's bank account: debit-normal, no floor."""
    return house_account(chart_code="CLIENT_MONEY_BANK", currency=currency, now=NOW)


def draft(*legs: tuple[Account, int], key: str = "", **fields: object) -> Draft:
    """A draft of (account, minor) legs, each in its account's currency, under a fresh key unless one is given."""
    values = {
        "kind": "TEST",
        "source": "test",
        "source_key": key or f"key-{next(_keys)}",
        "effective_date": TODAY,
    }
    return Draft(
        **{**values, **fields},
        legs=tuple(Leg(account.pk, Money(minor, account.currency)) for account, minor in legs),
    )


def move(payer: Account, payee: Account, minor: int, **fields: object) -> Posted:
    """Move money from one customer account to another."""
    return post(draft=draft((payer, minor), (payee, -minor), **fields), now=NOW)


def fund(account: Account, minor: int) -> Posted:
    """Pay money in from the bank."""
    return post(draft=draft((bank(account.currency), minor), (account, -minor)), now=NOW)


def make_rate(
    base: str, quote: str, rate: str, *, kind: str = "MID", at: datetime = NOW, now: datetime | None = None
) -> FxRate:
    """A rate of the desk, valid and recorded at NOW unless told."""
    return record_rate(
        base=base,
        quote=quote,
        kind=kind,
        source="DESK",
        rate=Decimal(rate),
        valid_at=at,
        now=now or max(at, NOW),
    )
