"""Plaid's exceptions and states in our five words."""

import json
from typing import Any

import urllib3
from plaid.exceptions import ApiException

from flowlet.core.outcomes import Answer, Outcome

_CLIENT_FAULT, _SERVER_FAULT, _TOO_MANY = 400, 500, 429
_KEYS_REFUSED = frozenset({"INVALID_API_KEYS", "UNAUTHORIZED_ENVIRONMENT", "UNAUTHORIZED_ROUTE_ACCESS"})
_NO_CONNECTION = (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError)
_TRANSFERS = {
    "pending": Outcome.ACCEPTED,
    "posted": Outcome.ACCEPTED,
    "settled": Outcome.DONE,
    "funds_available": Outcome.DONE,
    "cancelled": Outcome.REFUSED,
    "failed": Outcome.REFUSED,
    "returned": Outcome.REFUSED,
}


def transfer_outcome(status: str) -> Outcome:
    """Return what a transfer's status means; `returned` may follow `settled` weeks later."""
    return _TRANSFERS.get(status, Outcome.UNKNOWN)


def explain(error: Exception) -> Answer[Any]:
    """Return what an exception of the SDK says about our call."""
    if isinstance(error, ApiException):
        return _refusal(error)
    if isinstance(error, urllib3.exceptions.MaxRetryError):
        if isinstance(error.reason, _NO_CONNECTION):
            return Answer(Outcome.NOT_SENT, code="no_connection")
        return Answer(Outcome.UNKNOWN, code="connection_lost")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return Answer(Outcome.UNKNOWN, code="timed_out")
    if isinstance(error, urllib3.exceptions.HTTPError):
        return Answer(Outcome.UNKNOWN, code="connection_lost")
    return Answer(Outcome.UNKNOWN, code="unreadable", alarm=True)


def _refusal(error: ApiException) -> Answer[Any]:
    body = _body(error)
    code, request_id = str(body.get("error_code") or ""), str(body.get("request_id") or "")
    status = int(error.status or 0)
    if code in _KEYS_REFUSED:
        return Answer(Outcome.NOT_SENT, code="keys_refused", request_id=request_id, alarm=True)
    if status == _TOO_MANY:
        return Answer(Outcome.NOT_SENT, code="too_many_requests", request_id=request_id)
    if code and _CLIENT_FAULT <= status < _SERVER_FAULT:
        return Answer(Outcome.REFUSED, code=code.lower(), request_id=request_id)
    fault = "vendor_fault" if status >= _SERVER_FAULT else "unreadable"
    return Answer(Outcome.UNKNOWN, code=fault, request_id=request_id)


def _body(error: ApiException) -> dict[str, Any]:
    try:
        body = json.loads(error.body or "{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
