"""Stripe's exceptions and states in our five words."""

from typing import Any

import requests
import stripe
import urllib3

from flowlet.core.outcomes import Answer, Outcome

_RATE_LIMIT, _CONFLICT, _SERVER_FAULT = 429, 409, 500
_INTENT = {
    "succeeded": Outcome.DONE,
    "processing": Outcome.ACCEPTED,
    "requires_action": Outcome.ACCEPTED,
    "requires_capture": Outcome.ACCEPTED,
    "requires_confirmation": Outcome.ACCEPTED,
    "requires_payment_method": Outcome.REFUSED,
    "canceled": Outcome.REFUSED,
}
_REFUND = {
    "succeeded": Outcome.DONE,
    "pending": Outcome.ACCEPTED,
    "requires_action": Outcome.ACCEPTED,
    "failed": Outcome.REFUSED,
    "canceled": Outcome.REFUSED,
}


_PAYOUT = {
    "paid": Outcome.DONE,
    "pending": Outcome.ACCEPTED,
    "in_transit": Outcome.ACCEPTED,
    "failed": Outcome.REFUSED,
    "canceled": Outcome.REFUSED,
}


def intent_outcome(intent: dict[str, Any]) -> Outcome:
    """Return what an intent's status means; one that has never been tried is accepted, not refused."""
    status = intent["status"]
    if status == "requires_payment_method" and not intent.get("last_payment_error"):
        return Outcome.ACCEPTED
    return _INTENT.get(status, Outcome.UNKNOWN)


def refund_outcome(status: str) -> Outcome:
    """Return what a refund's status means."""
    return _REFUND.get(status, Outcome.UNKNOWN)


def payout_outcome(status: str) -> Outcome:
    """Return what a payout's status means."""
    return _PAYOUT.get(status, Outcome.UNKNOWN)


def explain(error: Exception) -> Answer[Any]:  # noqa: PLR0911 - one line for each row of the table
    """Return what an exception of the SDK says about our call."""
    if isinstance(error, stripe.APIConnectionError):
        return _connection(error)
    if not isinstance(error, stripe.StripeError):
        return Answer(Outcome.UNKNOWN, code="unreadable", alarm=True)
    request_id = str(error.request_id or "")
    if isinstance(error, stripe.RateLimitError):
        return Answer(Outcome.NOT_SENT, code="too_many_requests", request_id=request_id)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Answer(Outcome.NOT_SENT, code="keys_refused", request_id=request_id, alarm=True)
    if isinstance(error, stripe.IdempotencyError):
        # The key was used for something else: what that came to has to be looked up, by a person if need be.
        return Answer(Outcome.UNKNOWN, code="key_used_otherwise", request_id=request_id, alarm=True)
    if isinstance(error, stripe.CardError | stripe.InvalidRequestError):
        return Answer(Outcome.REFUSED, _object_id(error), _code(error), request_id=request_id)
    return Answer(Outcome.UNKNOWN, code=_unsure_code(error), request_id=request_id)


def _connection(error: stripe.APIConnectionError) -> Answer[Any]:
    cause = error.__cause__
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return Answer(Outcome.NOT_SENT, code="no_connection")
    if isinstance(cause, requests.exceptions.ConnectionError):
        inner = getattr(cause.args[0] if cause.args else None, "reason", None)
        if isinstance(inner, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return Answer(Outcome.NOT_SENT, code="no_connection")
    timed_out = isinstance(cause, requests.exceptions.Timeout)
    return Answer(Outcome.UNKNOWN, code="timed_out" if timed_out else "connection_lost")


def _code(error: stripe.StripeError) -> str:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    details = body.get("error", {})
    return str(details.get("decline_code") or error.code or "invalid_request")


def _object_id(error: stripe.StripeError) -> str:
    body = error.json_body if isinstance(error.json_body, dict) else {}
    return str(body.get("error", {}).get("payment_intent", {}).get("id", ""))


def _unsure_code(error: stripe.StripeError) -> str:
    status = error.http_status or 0
    if status == _CONFLICT:
        return "in_progress"
    return "vendor_fault" if status >= _SERVER_FAULT else "unreadable"
