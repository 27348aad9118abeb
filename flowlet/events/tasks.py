"""Celery entry points of events."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from flowlet.events.relay import relay


@shared_task(name="events.relay")
def relay_events(**_: object) -> int:
    """Relay what was committed since the last beat."""
    with acting(Actor("SYSTEM", "job:events.relay")):
        return relay(now=now())
