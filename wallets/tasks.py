"""Celery entry points of wallets."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from wallets.operations import exchange


@shared_task(name="wallets.expire_quotes")
def expire_quotes(**_: object) -> int:
    """Close exchange quotes whose time is over; safe to run twice, an expired quote is final."""
    with acting(Actor("SYSTEM", "job:wallets.expire_quotes")):
        return exchange.expire_quotes(now=now())
