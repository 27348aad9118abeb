"""Stripe's webhooks: `Stripe-Signature: t=…,v1=…`, HMAC-SHA-256 over `t.body`."""

import re
from datetime import UTC, datetime
from typing import Any

import stripe

from flowlet.core import jsons
from flowlet.integrations.vendors import get_vendor
from flowlet.integrations.webhooks import WEBHOOKS, Incoming, Verified, WebhookRefused, check_time, text_at


@WEBHOOKS.register("stripe")
def verify(incoming: Incoming, now: datetime) -> Verified:
    """
    Check signature and age, then read the event.

    :raises WebhookRefused: with the reason
    """
    header = incoming.header("Stripe-Signature")
    # The SDK takes the first of several times; one header with two readings is refused.
    times = re.findall(r"(?:^|,)\s*t=([^,]*)", header)
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,12}", times[0]):
        raise WebhookRefused("bad_signature")
    check_time(int(times[0]), now)
    if not any(_signed_with(secret, incoming.body, header) for secret in get_vendor("stripe").secrets):
        raise WebhookRefused("bad_signature")
    return _read(jsons.loads(incoming.body))


def _signed_with(secret: str, body: bytes, header: str) -> bool:
    try:
        # Age is checked above, both ways; the SDK looks at old ones only.
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None))
    except stripe.SignatureVerificationError:
        return False


def _read(event: Any) -> Verified:
    if not isinstance(event, dict) or event.get("object") != "event":
        raise WebhookRefused("garbled")
    created = event.get("created")
    if not isinstance(created, int) or isinstance(created, bool):
        raise WebhookRefused("garbled")
    return Verified(
        event_id=text_at(event, "id"),
        type=text_at(event, "type"),
        object_reference=text_at(event, "data", "object", "id", missing=""),
        occurred_at=datetime.fromtimestamp(created, tz=UTC),
        payload=event,
    )
