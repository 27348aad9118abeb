"""Twilio's webhooks: `X-Twilio-Signature`, base64 of HMAC-SHA-1 over our address and the sorted form fields."""

from datetime import datetime
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from flowlet.integrations.vendors import get_vendor
from flowlet.integrations.webhooks import WEBHOOKS, Incoming, Verified, WebhookRefused, text_at

_FORM = "application/x-www-form-urlencoded"
_FIELDS_MAX = 200


@WEBHOOKS.register("twilio")
def verify(incoming: Incoming, _now: datetime) -> Verified:
    """
    Check the signature over the address we gave, then read the status report.

    The scheme has no time: what comes again is the same event (message and status) and changes nothing.

    :raises WebhookRefused: with the reason
    """
    vendor = get_vendor("twilio")
    signature = incoming.header("X-Twilio-Signature")
    if not signature or incoming.header("Content-Type").partition(";")[0].strip().lower() != _FORM:
        raise WebhookRefused("bad_signature")
    fields = _fields(incoming.body)
    # The algorithm is pinned: the header that may name another is not read.
    if not any(
        RequestValidator(secret).validate(incoming.url, fields, signature) for secret in vendor.secrets
    ):
        raise WebhookRefused("bad_signature")
    if fields.get("AccountSid") != vendor.account:
        raise WebhookRefused("other_account")
    sid, status = text_at(fields, "MessageSid"), text_at(fields, "MessageStatus")
    payload = {**fields, "ref": incoming.query.get("ref", "")}
    return Verified(f"{sid}:{status}", f"message.{status}", sid, None, payload)


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise WebhookRefused("garbled") from None
    fields = dict(pairs)
    # The signature would be the same for a field sent twice, and two readers could take different ones.
    if len(fields) != len(pairs) or any("\0" in text for pair in pairs for text in pair):
        raise WebhookRefused("garbled")
    return fields
