"""Celery entry points of cards."""

from celery import shared_task

from cards.operations import following
from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now


@shared_task(name="cards.expire_authorizations")
def expire_authorizations(**_: object) -> int:
    """Give back what promises hold beyond their time; safe to run twice, an expiry is taken once."""
    with acting(Actor("SYSTEM", "job:cards.expire_authorizations")):
        return following.expire_due(now=now())
