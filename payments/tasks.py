"""Celery entry points of payments."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from payments import deciding
from payments.outside import transfers, working


@shared_task(name="payments.send_attempts")
def send_attempts(**_: object) -> int:
    """Make the calls to vendors that are planned; safe to run twice and side by side, each is claimed first."""
    with acting(Actor("SYSTEM", "job:payments.send_attempts")):
        return working.send_due(now=now())


@shared_task(name="payments.check_attempts")
def check_attempts(**_: object) -> int:
    """Ask vendors after what is not settled; safe to run twice and side by side, each is claimed first."""
    with acting(Actor("SYSTEM", "job:payments.check_attempts")):
        return working.check_due(now=now())


@shared_task(name="payments.read_transfer_events")
def read_transfer_events(**_: object) -> int:
    """Read what became of bank transfers, should a webhook have got lost; safe to run twice and side by side."""
    with acting(Actor("SYSTEM", "job:payments.read_transfer_events")):
        return transfers.read_events(now=now())


@shared_task(name="payments.cancel_unconfirmed")
def cancel_unconfirmed(**_: object) -> int:
    """Cancel payments that nobody confirmed in time; safe to run twice and side by side, each is locked first."""
    with acting(Actor("SYSTEM", "job:payments.cancel_unconfirmed")):
        return deciding.cancel_unconfirmed(now=now())
