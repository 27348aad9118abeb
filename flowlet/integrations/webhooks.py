"""The one contract behind which the four vendors' ways of signing stand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flowlet.core.registry import Registry

TOLERANCE_S = 300
_TEXT_MAX = 255


class WebhookRefused(Exception):
    """What came in is not what it says, or cannot be read; `reason` is a code for the counter and the audit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    What came over the wire: the raw body, and the headers by name in lower case.

    `url` is our public address with the query as it came: host and scheme are from settings, never from headers.
    """

    body: bytes
    headers: Mapping[str, str]
    url: str
    query: Mapping[str, str]

    def header(self, name: str) -> str:
        """Return a header, '' if it is absent."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True)
class Verified:
    """
    One event whose origin is certain. `event_id` is the same each time the vendor sends it; `object_reference` is
    the vendor's id of what it is about, or ours where the vendor returns it.
    """

    event_id: str
    type: str
    object_reference: str
    occurred_at: datetime | None
    payload: dict[str, Any]


# One function a vendor: raises WebhookRefused, or any other exception, which is a refusal just as well.
WEBHOOKS: Registry[Callable[[Incoming, datetime], Verified]] = Registry("integrations.webhooks")


def check_time(signed_at: int, now: datetime) -> None:
    """
    Check that something was signed within 300 s of now, both ways.

    :raises WebhookRefused: `stale` or `early`
    """
    age = now.timestamp() - signed_at
    if age > TOLERANCE_S:
        raise WebhookRefused("stale")
    if age < -TOLERANCE_S:
        raise WebhookRefused("early")


def text_at(data: object, *path: str, missing: str | None = None) -> str:
    """
    Return the text at a path of nested objects; `missing` if there is none.

    :raises WebhookRefused: `garbled`, if it is absent without a default, no text, empty or longer than 255
    """
    value = data
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None and missing is not None:
        return missing
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_MAX:
        raise WebhookRefused("garbled")
    return value
