"""Celery entry points of the ledger."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from ledger.operations import holds


@shared_task(name="ledger.expire_holds")
def expire_holds(**_: object) -> int:
    """Give back what is held beyond its time; safe to run twice, an expired hold is final."""
    with acting(Actor("SYSTEM", "job:ledger.expire_holds")):
        return holds.expire_holds(now=now())
