"""Celery entry points of wallets."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from wallets.operations import exchange
from wallets.operations.waiting import run_waiting

_AT_ONCE = 100


@shared_task(name="wallets.run_movements")
def run_movements(**_: object) -> int:
    """Carry out deposits and withdrawals that wait for the next run; each ends once."""
    with acting(Actor("SYSTEM", "job:wallets.run_movements")):
        return run_waiting(now=now(), limit=_AT_ONCE)


@shared_task(name="wallets.expire_quotes")
def expire_quotes(**_: object) -> int:
    """Close exchange quotes whose time is over; safe to run twice, an expired quote is final."""
    with acting(Actor("SYSTEM", "job:wallets.expire_quotes")):
        return exchange.expire_quotes(now=now())
