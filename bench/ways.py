"""The ways to move one euro between two of a thousand accounts, each in a database transaction of its own."""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from os import getpid
from typing import Any

from django.db import connection, transaction
from hordak.models import Account as HordakAccount
from hordak.models import AccountType
from moneyed import Money as HordakMoney

from bench.naive.models import NaiveAccount, NaiveLeg, NaiveTransaction
from flowlet.core.clock import now
from flowlet.core.ids import new_id
from flowlet.core.money import Money
from ledger.models.accounts import Account
from ledger.models.transactions import LedgerTransaction, Posting
from ledger.operations.accounts import house_account, open_account
from ledger.operations.holds import capture_hold, place_hold
from ledger.operations.posting import Draft, Leg, post, post_many

ACCOUNTS = 1_000
BATCH = 100
FUNDS = 10**9
DAY = date(2026, 11, 2)
_numbers = count()


@dataclass(frozen=True)
class Way:
    """One way: `accounts` opens and funds them, `step` makes `size` transactions."""

    key: str
    title: str
    accounts: Callable[[], Sequence[Any]]
    step: Callable[[Sequence[Any]], None]
    size: int = 1


def key() -> str:
    """Return a key that no other process or call has."""
    return f"{getpid()}-{next(_numbers)}"


def pair(accounts: Sequence[Any]) -> tuple[Any, Any]:
    """Return two different accounts, drawn."""
    payer, payee = random.sample(accounts, 2)
    return payer, payee


# --- naive ORM ------------------------------------------------------------------------------------------------------
def _naive_accounts() -> Sequence[int]:
    NaiveAccount.objects.bulk_create(NaiveAccount(balance=FUNDS) for _ in range(ACCOUNTS))
    return list(NaiveAccount.objects.values_list("pk", flat=True))


@transaction.atomic
def _naive(accounts: Sequence[int]) -> None:
    payer_id, payee_id = pair(accounts)
    own = key()
    if NaiveTransaction.objects.filter(source_key=own).exists():
        return
    rows = NaiveAccount.objects.select_for_update().filter(pk__in=(payer_id, payee_id)).order_by("pk")
    locked = {account.pk: account for account in rows}
    payer, payee = locked[payer_id], locked[payee_id]
    if payer.balance < 1:
        raise AssertionError("the funds ran out")
    header = NaiveTransaction.objects.create(source_key=own, kind="TRANSFER", effective_date=DAY)
    for account, amount in ((payer, -1), (payee, 1)):
        account.balance += amount
        NaiveLeg.objects.create(
            transaction=header, account=account, amount=amount, balance_after=account.balance
        )
        account.save()


# --- django-hordak --------------------------------------------------------------------------------------------------
def _hordak_accounts() -> Sequence[HordakAccount]:
    for number in range(ACCOUNTS):
        HordakAccount.objects.create(
            name=f"wallet {number}", code=str(number), type=AccountType.liability, currencies=["EUR"]
        )
    return list(HordakAccount.objects.all())


@transaction.atomic
def _hordak(accounts: Sequence[HordakAccount]) -> None:
    payer, payee = pair(accounts)
    payer.transfer_to(payee, HordakMoney("0.01", "EUR"), description=key())


# --- our ledger -----------------------------------------------------------------------------------------------------
def ledger_accounts(count: int = ACCOUNTS) -> Sequence[int]:
    """Return the ids of that many funded wallets, opened at the first call."""
    wallets = list(
        Account.objects.filter(chart_account__code="CUSTOMER_WALLETS").values_list("pk", flat=True)
    )
    if wallets:
        return wallets
    bank = house_account(chart_code="CLIENT_MONEY_BANK", currency="EUR", now=now())
    for number in range(count):
        account = open_account(
            chart_code="CUSTOMER_WALLETS", currency="EUR", name=f"wallet {number}", now=now()
        )
        wallets.append(account.pk)
    drafts = [draft(bank.pk, wallet, FUNDS) for wallet in wallets]
    post_many(drafts=drafts, now=now())
    return wallets


def draft(debit: int, credit: int, minor: int = 1) -> Draft:
    """Return a transfer under a key of its own."""
    legs = (Leg(debit, Money(minor, "EUR")), Leg(credit, Money(-minor, "EUR")))
    return Draft(kind="TRANSFER", source="bench", source_key=key(), effective_date=DAY, legs=legs)


@transaction.atomic
def _orm(accounts: Sequence[int]) -> None:
    payer, payee = pair(accounts)
    own = key()
    header = LedgerTransaction.objects.create(
        kind="TRANSFER",
        source="bench",
        source_key=own,
        fingerprint=hashlib.sha256(own.encode()).digest(),
        effective_date=DAY,
        leg_count=2,
        actor="SYSTEM:bench",
    )
    Posting.objects.bulk_create(
        Posting(
            transaction=header, leg=leg, account_id=account, currency="EUR", amount=amount, effective_date=DAY
        )
        for leg, (account, amount) in enumerate(sorted(((payer, 1), (payee, -1))), start=1)
    )


def _payload(accounts: Sequence[int]) -> dict[str, Any]:
    payer, payee = pair(accounts)
    own = key()
    return {
        "public_id": new_id("txn"),
        "kind": "TRANSFER",
        "source": "bench",
        "source_key": own,
        "fingerprint": hashlib.sha256(own.encode()).hexdigest(),
        "effective_date": DAY.isoformat(),
        "actor": "SYSTEM:bench",
        "context": {},
        # In the order of accounts, as our own callers send them.
        "legs": sorted([[payer, "EUR", 1], [payee, "EUR", -1]]),
    }


def _function(accounts: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_post(%s)", [json.dumps(_payload(accounts))])
        json.loads(cursor.fetchone()[0])


def _batch(accounts: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_post_many(%s)", [json.dumps([_payload(accounts) for _ in range(BATCH)])]
        )
        json.loads(cursor.fetchone()[0])


def _operation(accounts: Sequence[int]) -> None:
    payer, payee = pair(accounts)
    post(draft=draft(payer, payee), now=now())


def _hold(accounts: Sequence[int]) -> None:
    payer, payee = pair(accounts)
    held = place_hold(
        account_id=payer,
        amount=Money(1, "EUR"),
        source="bench",
        source_key=key(),
        expires_at=None,
        now=now(),
    )
    capture_hold(hold_id=held.hold_id, draft=draft(payer, payee), now=now())


WAYS = (
    Way("naive", "naive ORM, no guards", _naive_accounts, _naive),
    Way("hordak", "django-hordak transfer_to", _hordak_accounts, _hordak),
    Way("orm", "ORM through our guards", ledger_accounts, _orm),
    Way("operation", "operations.post with event", ledger_accounts, _operation),
    Way("hold", "place_hold and capture_hold with events", ledger_accounts, _hold),
    Way("function", "ledger_post through a cursor", ledger_accounts, _function),
    Way("batch", f"ledger_post_many({BATCH})", ledger_accounts, _batch, BATCH),
)
