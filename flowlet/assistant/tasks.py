"""Celery entry points of the assistant."""

from celery import shared_task

from flowlet.assistant.operations import delete_old
from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now


@shared_task(name="assistant.delete_old_chats")
def delete_old_chats(**_: object) -> int:
    """Delete chats that were kept long enough; safe to run twice, what is gone is gone."""
    with acting(Actor("SYSTEM", "job:assistant.delete_old_chats")):
        return delete_old(now=now())
