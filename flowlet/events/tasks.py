"""Celery entry points of events."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from flowlet.events.relay import relay

# One task drains what has piled up, in batches of a transaction each, and leaves the rest to the next beat.
_BATCH, _BATCHES_MAX = 500, 40


@shared_task(name="events.relay")
def relay_events(**_: object) -> int:
    """Relay what was committed since the last beat and return how many events there were."""
    relayed = 0
    with acting(Actor("SYSTEM", "job:events.relay")):
        for _batch in range(_BATCHES_MAX):
            count = relay(now=now(), limit=_BATCH)
            relayed += count
            if count < _BATCH:
                break
    return relayed
