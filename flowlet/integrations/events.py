"""What vendors tell us: stored once, answered at once, processed by a worker in any order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from flowlet.audit import trail
from flowlet.core import jsons
from flowlet.core.errors import Conflict, NotFound
from flowlet.core.ids import new_id
from flowlet.integrations.choices import EventStatus
from flowlet.integrations.models import VendorEvent
from flowlet.integrations.webhooks import Verified

# Seconds until the next try after each failed one; then a person has to look.
RETRY_S = (5, 30, 120, 600, 1800, 3600)
# A worker that dies gives its event back after this time.
_CLAIM_S = 300
_PROBLEM_MAX = 80


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One verified event as handlers see it; `payload` is the vendor's own object."""

    public_id: str
    vendor: str
    event_id: str
    type: str
    object_reference: str
    occurred_at: datetime | None
    payload: dict[str, Any]


# Called at least once and in any order: a handler locks its object, asks the vendor for the present state when order
# matters, and applies a transition that only moves forward. It returns whether it knew the object.
Handler = Callable[[ReceivedEvent, datetime], bool]


class VendorEvents:
    """Handlers by vendor and type; several rooms may listen to one type."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], list[Handler]] = {}

    def register(self, vendor: str, *types: str) -> Callable[[Handler], Handler]:
        """Return a decorator that has the function called for these types of a vendor's events."""

        def store(handler: Handler) -> Handler:
            for kind in types:
                known = self._handlers.setdefault((vendor, kind), [])
                if handler not in known:
                    known.append(handler)
            return handler

        return store

    def of(self, vendor: str, kind: str) -> list[Handler]:
        """Return who listens to this type; may be nobody."""
        return list(self._handlers.get((vendor, kind), ()))


VENDOR_EVENTS = VendorEvents()


def receive(*, vendor: str, verified: Verified, now: datetime) -> str | None:
    """
    Store one verified event and return our id of it; None if it was here before.

    One statement, so that two deliveries at the same instant leave one row.
    """
    event = VendorEvent(
        public_id=new_id("vev"),
        vendor=vendor,
        event_id=verified.event_id,
        type=verified.type[:120],
        object_reference=verified.object_reference,
        payload=jsons.dumps_canonical(verified.payload).decode(),
        occurred_at=verified.occurred_at,
        received_at=now,
        next_try_at=now,
    )
    stored = VendorEvent.objects.bulk_create([event], ignore_conflicts=True)
    # ignore_conflicts tells nothing about what happened; the id does.
    ours = VendorEvent.objects.filter(public_id=stored[0].public_id).exists()
    return event.public_id if ours else None


_CLAIM = """
UPDATE integrations_vendorevent SET next_try_at = %(lease)s, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM integrations_vendorevent
    WHERE next_try_at <= %(now)s ORDER BY next_try_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


def process_due(*, now: datetime, limit: int = 100) -> int:
    """
    Process up to `limit` events that are due and return how many there were.

    Each event is claimed first, so that two workers never take the same; handlers run outside our transaction, since
    they may have to ask the vendor.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "lease": now + timedelta(seconds=_CLAIM_S), "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    for event in VendorEvent.objects.filter(pk__in=ids).order_by("pk"):
        _process(event, now)
    return len(ids)


def retry_event(*, public_id: str, note: str, now: datetime) -> None:
    """
    Have an event processed again that was kept without effect.

    :raises NotFound: if there is no such event
    :raises Conflict: if it is waiting already, or was processed
    """
    with transaction.atomic():
        kept = ~Q(status__in=[EventStatus.PROCESSED, EventStatus.RECEIVED])
        before = VendorEvent.objects.filter(public_id=public_id).values_list("status", flat=True).first()
        if before is None:
            raise NotFound
        changed = VendorEvent.objects.filter(kept, public_id=public_id).update(
            status=EventStatus.RECEIVED, attempts=0, next_try_at=now, problem=""
        )
        if not changed:
            raise Conflict
        trail.record(
            action="vendor_event.retry",
            object_type="vendor_event",
            object_id=public_id,
            changes={"status": [before, EventStatus.RECEIVED.value]},
            note=note,
        )


def _process(event: VendorEvent, now: datetime) -> None:
    handlers = VENDOR_EVENTS.of(event.vendor, event.type)
    if not handlers:
        _mark(event, EventStatus.UNKNOWN_TYPE)
        return
    received = ReceivedEvent(
        event.public_id,
        event.vendor,
        event.event_id,
        event.type,
        event.object_reference,
        event.occurred_at,
        jsons.loads(event.payload.encode()),
    )
    try:
        known = [handler(received, now) for handler in handlers]
    # One event that cannot be processed must not stop the others; it is tried again and then shown to a person.
    except Exception as error:  # noqa: BLE001
        _postpone(event, EventStatus.FAILED, type(error).__name__, now)
        return
    if any(known):
        _mark(event, EventStatus.PROCESSED, processed_at=now)
    else:
        # It may have come before our own call returned: look again later.
        _postpone(event, EventStatus.UNMATCHED, "no_such_object", now)


def _postpone(event: VendorEvent, final: EventStatus, problem: str, now: datetime) -> None:
    if event.attempts > len(RETRY_S):
        _mark(event, final, problem=problem)
        return
    next_try_at = now + timedelta(seconds=RETRY_S[event.attempts - 1])
    _mark(event, EventStatus.RECEIVED, problem=problem, next_try_at=next_try_at)


def _mark(
    event: VendorEvent,
    status: EventStatus,
    *,
    problem: str = "",
    next_try_at: datetime | None = None,
    processed_at: datetime | None = None,
) -> None:
    VendorEvent.objects.filter(pk=event.pk).update(
        status=status,
        problem=problem[:_PROBLEM_MAX],
        next_try_at=next_try_at,
        processed_at=processed_at,
    )
