"""Celery entry points of the back office."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.backoffice.approvals import operations
from flowlet.core.clock import now


@shared_task(name="backoffice.expire_approvals")
def expire_approvals(**_: object) -> int:
    """Close requests that nobody decided in time; safe to run twice, a closed one stays closed."""
    with acting(Actor("SYSTEM", "job:backoffice.expire_approvals")):
        return operations.expire_approvals(now=now())
