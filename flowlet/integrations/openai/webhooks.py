"""
OpenAI's webhooks: Standard Webhooks, `webhook-id`, `webhook-timestamp`, `webhook-signature`.

Checked here rather than by the SDK: every process would load the whole SDK, a second of its start, for one HMAC.
"""

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any

from flowlet.core import jsons
from flowlet.integrations.vendors import get_vendor
from flowlet.integrations.webhooks import (
    WEBHOOKS,
    Incoming,
    Verified,
    WebhookRefused,
    check_time,
    text_at,
)


@WEBHOOKS.register("openai")
def verify(incoming: Incoming, now: datetime) -> Verified:
    """
    Check age and signature, then read the event.

    :raises WebhookRefused: with the reason
    """
    signed_at = incoming.header("webhook-timestamp")
    if not re.fullmatch(r"[0-9]{1,12}", signed_at):
        raise WebhookRefused("bad_signature")
    check_time(int(signed_at), now)
    if not any(_signed_with(secret, incoming) for secret in get_vendor("openai").secrets):
        raise WebhookRefused("bad_signature")
    return _read(jsons.loads(incoming.body), incoming.header("webhook-id"))


def _signed_with(secret: str, incoming: Incoming) -> bool:
    try:
        key = _key(secret)
    except binascii.Error:
        return False  # a secret that was written down wrong must not shut out the other one
    named = f"{incoming.header('webhook-id')}.{incoming.header('webhook-timestamp')}."
    digest = hmac.new(key, named.encode() + incoming.body, hashlib.sha256).digest()
    right = b"v1," + base64.b64encode(digest)
    # Several while the secret is being replaced, with blanks between them.
    given = incoming.header("webhook-signature").split()
    return any(hmac.compare_digest(right, one.encode()) for one in given)


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix("whsec_")
    if encoded == secret:
        return secret.encode()
    return base64.b64decode(encoded, validate=True)


def _read(event: Any, webhook_id: str) -> Verified:
    created = event.get("created_at") if isinstance(event, dict) else None
    if not isinstance(created, int) or isinstance(created, bool):
        raise WebhookRefused("garbled")
    return Verified(
        event_id=text_at({"id": webhook_id}, "id"),
        type=text_at(event, "type"),
        object_reference=text_at(event, "data", "id", missing=""),
        occurred_at=datetime.fromtimestamp(created, tz=UTC),
        payload=event,
    )
