"""Plaid's webhooks: `Plaid-Verification`, a JWT (ES256) that holds the digest of the body."""

import hashlib
import hmac
from datetime import datetime
from typing import Any

import jwt

from flowlet.core import jsons
from flowlet.core.outcomes import Outcome
from flowlet.integrations import memory
from flowlet.integrations.plaid.client import get_webhook_key
from flowlet.integrations.webhooks import WEBHOOKS, Incoming, Verified, WebhookRefused, check_time, text_at

_ALGORITHM = "ES256"
_KEY_KEPT_S = 300
_UNKNOWN_KEPT_S = 60
_KID_MAX = 128


@WEBHOOKS.register("plaid")
def verify(incoming: Incoming, now: datetime) -> Verified:
    """
    Check the token's key, signature, age and the body's digest, then read the event.

    :raises WebhookRefused: with the reason
    """
    token = incoming.header("Plaid-Verification")
    header = _header(token)
    if header.get("alg") != _ALGORITHM:
        raise WebhookRefused("bad_algorithm")
    claims = _claims(token, _key(text_at(header, "kid"), now))
    signed_at, digest = claims.get("iat"), claims.get("request_body_sha256")
    if not isinstance(signed_at, int) or isinstance(signed_at, bool) or not isinstance(digest, str):
        raise WebhookRefused("garbled")
    check_time(signed_at, now)
    if not hmac.compare_digest(hashlib.sha256(incoming.body).hexdigest().encode(), digest.encode()):
        raise WebhookRefused("bad_signature")
    return _read(jsons.loads(incoming.body), token)


def _read(event: Any, token: str) -> Verified:
    kind = f"{text_at(event, 'webhook_type')}.{text_at(event, 'webhook_code')}"
    reference = text_at(event, "item_id", missing=text_at(event, "transfer_id", missing=""))
    # Plaid gives its webhooks no id, and "there are new transfer events" reads the same each time: the body's digest
    # alone would let only the first one in. The token is made anew for each and holds that digest.
    identity = hashlib.sha256(token.encode()).hexdigest()
    return Verified(identity, kind, reference, None, event)


def _header(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise WebhookRefused("bad_signature") from None


def _claims(token: str, key: dict[str, Any]) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(key, algorithm=_ALGORITHM).key,
            algorithms=[_ALGORITHM],
            # Age is checked by us, both ways; PyJWT would only refuse what is from the future.
            options={"verify_iat": False, "verify_exp": False, "verify_nbf": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError:
        raise WebhookRefused("bad_signature") from None
    return claims


def _key(kid: str, now: datetime) -> dict[str, Any]:
    """Return a key that Plaid knows now; unknown names are remembered, so that nobody makes us ask without end."""
    if len(kid) > _KID_MAX:
        raise WebhookRefused("unknown_key")
    name = f"plaid-hook-key:{hashlib.sha256(kid.encode()).hexdigest()}"
    key: dict[str, Any] | None = memory.recall(name)
    if key is None:
        answer = get_webhook_key(kid=kid)
        known = answer.outcome is Outcome.DONE and answer.value is not None
        if not known and answer.code != "invalid_webhook_verification_key_id":
            raise WebhookRefused("key_not_available")
        key = answer.value or {}
        memory.note(name, key, seconds=_KEY_KEPT_S if known else _UNKNOWN_KEPT_S)
    expires = key.get("expired_at")
    if not key or (expires is not None and expires < now.timestamp()):
        raise WebhookRefused("unknown_key")
    return key
