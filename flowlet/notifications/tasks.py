"""Celery entry points of notifications."""

from celery import shared_task

from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now
from flowlet.notifications.codes import send_planned
from flowlet.notifications.operations import send_due


@shared_task(name="notifications.send_due")
def send_due_messages(**_: object) -> int:
    """Send what is queued and look up what is unknown; safe to run twice, each message is claimed first."""
    with acting(Actor("SYSTEM", "job:notifications.send_due")):
        return send_due(now=now())


@shared_task(name="notifications.send_codes")
def send_codes(**_: object) -> int:
    """Send the one-time codes that are planned; safe to run twice, each is claimed first."""
    with acting(Actor("SYSTEM", "job:notifications.send_codes")):
        return send_planned(now=now())
