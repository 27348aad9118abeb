"""Publishing: an event is stored in the transaction of its fact, or not at all."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from flowlet.audit import trail
from flowlet.core.ids import new_id
from flowlet.core.jsons import dumps_canonical
from flowlet.events.types import EVENT_TYPES

# One round trip: the upsert takes the object's row lock and gives the number, the insert uses it.
_SQL = """
WITH next AS (
    INSERT INTO events_objectsequence AS s (object_id, latest) VALUES (%(object_id)s, 1)
    ON CONFLICT (object_id) DO UPDATE SET latest = s.latest + 1
    RETURNING latest
)
INSERT INTO events_event (public_id, partner_id, type, object_type, object_id, sequence, data, visibility,
                          occurred_at, request_id)
SELECT %(public_id)s, %(partner_id)s, %(type)s, %(object_type)s, %(object_id)s, latest, %(data)s::jsonb,
       %(visibility)s, %(at)s, %(request_id)s
FROM next
"""


def publish(
    *,
    type: str,  # noqa: A002 - the word on the wire
    object_type: str,
    object_id: str,
    partner_id: int | None,
    data: Mapping[str, Any],
    at: datetime,
) -> str:
    """
    Store one event in the current transaction and return its id (`evt_…`).

    `object_id` is a public id; `data` holds ids, states and amounts, never personal data. Its visibility is that of
    its registered type. Publish as late as the transaction can: the object's sequence row stays locked until commit.

    :raises UnknownEntry: if the type is not registered
    """
    public_id = new_id("evt")
    values = {
        "public_id": public_id,
        "partner_id": partner_id,
        "type": type,
        "object_type": object_type,
        "object_id": object_id,
        "data": dumps_canonical(data).decode(),
        "visibility": EVENT_TYPES.get(type).visibility.value,
        "at": at,
        "request_id": trail.current_request_id(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL, values)
    return public_id
