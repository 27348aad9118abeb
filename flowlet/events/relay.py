"""Relaying: what was committed reaches the receivers at least once, in the order of each object."""

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from flowlet.core.registry import Registry
from flowlet.events.models import Event

# Called with each event, at least once; a receiver must be safe to run twice.
RECEIVERS: Registry[Callable[[Event, datetime], None]] = Registry("events.receivers")

_CLAIM = """
UPDATE events_event SET relayed_at = %s WHERE id IN (
    SELECT id FROM events_event WHERE relayed_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


def relay(*, now: datetime, limit: int = 500) -> int:
    """
    Hand up to `limit` unrelayed events to every receiver and return how many there were.

    Never "id greater than the last": a smaller id may commit later. A receiver that fails leaves the batch unrelayed,
    to be tried again.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [now, limit])
            ids = [row[0] for row in cursor.fetchall()]
        for event in Event.objects.filter(pk__in=ids).order_by("pk"):
            for receiver in RECEIVERS.values():
                receiver(event, now)
    return len(ids)
