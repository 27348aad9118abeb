"""Twilio's exceptions and states in our five words."""

from typing import Any

import requests
import urllib3
from twilio.base.exceptions import TwilioRestException, TwilioServiceException

from flowlet.core.messages import DeliveryState
from flowlet.core.outcomes import Answer, Outcome

_SERVER_FAULT, _TOO_MANY, _UNAUTHORIZED, _FORBIDDEN, _CLIENT_FAULT = 500, 429, 401, 403, 400
_KEYS_REFUSED = "20003"
# A 429 of Verify is about one person's tries, not about our speed.
_USED_UP = frozenset({"60202", "60203"})
_STATES = {
    "delivered": ("DELIVERED", Outcome.DONE),
    "read": ("DELIVERED", Outcome.DONE),
    "undelivered": ("UNDELIVERED", Outcome.REFUSED),
    "failed": ("FAILED", Outcome.REFUSED),
    "canceled": ("FAILED", Outcome.REFUSED),
}
# Words of ours for what a person can act on; other codes stay Twilio's numbers.
REASONS = {
    "21211": "invalid_number",
    "21614": "not_a_mobile_number",
    "21408": "country_not_enabled",
    "21610": "opted_out",
    "30003": "unreachable",
    "30005": "unknown_number",
    "30006": "landline",
    "30007": "filtered",
    "60202": "too_many_checks",
    "60203": "too_many_codes",
    "20404": "not_found",
}


def reason_of(code: object) -> str:
    """Return our word for a Twilio code, or its number as text; '' for none."""
    text = "" if code is None else str(code)
    return REASONS.get(text, text)


def delivery_state(sid: str, status: str, code: object) -> tuple[DeliveryState, Outcome]:
    """Return how far a message has come. What is not final was handed over: ACCEPTED."""
    word, outcome = _STATES.get(status, ("SENT", Outcome.ACCEPTED))
    return DeliveryState(word, sid, reason_of(code)), outcome


def explain(error: Exception) -> Answer[Any]:  # noqa: PLR0911 - one line for each row of the table
    """Return what an exception of the SDK says about our call."""
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return _refusal(error.status, str(error.code or ""))
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Answer(Outcome.NOT_SENT, code="no_connection")
    if isinstance(error, requests.exceptions.ConnectionError):
        inner = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(inner, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return Answer(Outcome.NOT_SENT, code="no_connection")
        return Answer(Outcome.UNKNOWN, code="connection_lost")
    if isinstance(error, requests.exceptions.Timeout):
        return Answer(Outcome.UNKNOWN, code="timed_out")
    if isinstance(error, requests.exceptions.RequestException):
        return Answer(Outcome.UNKNOWN, code="connection_lost")
    return Answer(Outcome.UNKNOWN, code="unreadable", alarm=True)


def _refusal(status: int, code: str) -> Answer[Any]:
    if code == _KEYS_REFUSED or status in (_UNAUTHORIZED, _FORBIDDEN):
        return Answer(Outcome.NOT_SENT, code="keys_refused", alarm=True)
    if status == _TOO_MANY and code not in _USED_UP:
        return Answer(Outcome.NOT_SENT, code="too_many_requests")
    if _CLIENT_FAULT <= status < _SERVER_FAULT:
        return Answer(Outcome.REFUSED, code=reason_of(code) or "invalid_request")
    return Answer(Outcome.UNKNOWN, code="vendor_fault" if status >= _SERVER_FAULT else "unreadable")
