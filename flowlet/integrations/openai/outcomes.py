"""OpenAI's exceptions in our five words."""

from typing import Any

import httpx2
import openai

from flowlet.core.outcomes import Answer, Outcome

_TOO_MANY, _SERVER_FAULT, _CLIENT_FAULT = 429, 500, 400


def explain(error: Exception) -> Answer[Any]:
    """Return what an exception of the SDK says about our call."""
    # The time-out is a subclass of the connection error; what lies beneath tells whether anything was sent.
    if isinstance(error, openai.APIConnectionError):
        if isinstance(error.__cause__, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.PoolTimeout):
            return Answer(Outcome.NOT_SENT, code="no_connection")
        timed_out = isinstance(error, openai.APITimeoutError)
        return Answer(Outcome.UNKNOWN, code="timed_out" if timed_out else "connection_lost")
    if isinstance(error, openai.APIStatusError):
        return _status(error)
    return Answer(Outcome.UNKNOWN, code="unreadable", alarm=True)


def _status(error: openai.APIStatusError) -> Answer[Any]:
    request_id = str(error.request_id or "")
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return Answer(Outcome.NOT_SENT, code="keys_refused", request_id=request_id, alarm=True)
    if error.status_code == _TOO_MANY:
        return Answer(Outcome.NOT_SENT, code="too_many_requests", request_id=request_id)
    if _CLIENT_FAULT <= error.status_code < _SERVER_FAULT:
        code = str(error.code or error.type or "invalid_request")
        return Answer(Outcome.REFUSED, code=code, request_id=request_id)
    return Answer(Outcome.UNKNOWN, code="vendor_fault", request_id=request_id)
