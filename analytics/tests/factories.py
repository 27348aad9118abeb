"""Money that moves on chosen days, and facts beside it."""

from datetime import datetime

from analytics.facts.base import FACTS
from analytics.operations.refreshing import rebuild, refresh_slices
from flowlet.core.money import Money
from flowlet.events.relay import relay
from payments.models import Payment
from payments.operations import create_payment
from wallets.models import Wallet
from wallets.tests.factories import NOW

FIRST, LAST = NOW.date().replace(day=1, month=1), NOW.date().replace(day=31, month=12)


def pay(payer: Wallet, payee: Wallet, minor: int, *, at: datetime = NOW) -> Payment:
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(minor, payer.currency),
        now=at,
    )


def catch_up(now: datetime = NOW) -> None:
    """Relay all events and work off all marks."""
    while relay(now=now):
        pass
    while refresh_slices(now=now):
        pass


def rows_of(name: str) -> set[tuple]:
    fact = FACTS.get(name)
    return set(fact.model.objects.values_list("date", "partner_id", *fact.columns))


def rebuild_all(now: datetime = NOW) -> None:
    for name in dict(FACTS.items()):
        rebuild(fact=name, first=FIRST, last=LAST, now=now)
