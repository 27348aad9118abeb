"""OpenAI's webhooks: Standard Webhooks, `webhook-id`, `webhook-timestamp`, `webhook-signature`."""

import re
from datetime import UTC, datetime
from typing import Any

import openai

from flowlet.core import jsons
from flowlet.integrations.vendors import get_vendor
from flowlet.integrations.webhooks import (
    TOLERANCE_S,
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
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = {name: incoming.header(name) for name in names}
    # The verifier is a method of the client; nothing is sent, so any key does.
    client = openai.OpenAI(api_key="not used", webhook_secret=secret)
    try:
        client.webhooks.verify_signature(incoming.body, headers, secret=secret, tolerance=TOLERANCE_S)
    except (openai.InvalidWebhookSignatureError, ValueError, TypeError):
        return False
    return True


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
