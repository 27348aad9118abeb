"""Celery entry points of integrations."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from flowlet.integrations.events import process_due
from flowlet.integrations.links import remove_waiting


@shared_task(name="integrations.process_vendor_events")
def process_vendor_events(**_: object) -> int:
    """Process what vendors have told us; safe to run twice and side by side, each event is claimed first."""
    with acting(Actor("SYSTEM", "job:integrations.process_vendor_events")):
        return process_due(now=now())


@shared_task(name="integrations.give_back_links")
def give_back_links(**_: object) -> int:
    """Tell Plaid of unlinked banks that it could not be told of before; safe to run twice, telling again is harmless."""
    with acting(Actor("SYSTEM", "job:integrations.give_back_links")):
        return remove_waiting(now=now())
