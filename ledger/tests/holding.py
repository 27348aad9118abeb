"""Placing and capturing holds in tests, and asking the database what it asks at commit."""

from datetime import datetime, timedelta
from itertools import count

from django.db import connection

from flowlet.core.money import Money
from ledger.models.accounts import Account
from ledger.operations.holds import HoldView, capture_hold, place_hold
from ledger.operations.posting import Posted
from ledger.tests.factories import NOW, bank, draft

keys = count(1)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def hold(
    account: Account,
    minor: int,
    *,
    key: str = "",
    seconds: int | None = None,
    now: datetime = NOW,
    **more: object,
) -> HoldView:
    """Hold money; `seconds` is its life."""
    return place_hold(
        account_id=account.pk,
        amount=Money(minor, account.currency),
        source="test",
        source_key=key or f"hold-{next(keys)}",
        expires_at=None if seconds is None else now + timedelta(seconds=seconds),
        now=now,
        **more,
    )


def capture(
    held: HoldView, account: Account, minor: int, *, key: str = "", final: bool = True, now: datetime = NOW
) -> Posted:
    """Capture money of a hold; it goes to the bank."""
    return capture_hold(
        hold_id=held.hold_id,
        draft=draft((account, minor), (bank(account.currency), -minor), key=key),
        amount=Money(minor, account.currency),
        final=final,
        now=now,
    )


def ask_now() -> None:
    """Let the database ask what it asks at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
