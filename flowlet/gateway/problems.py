"""Every refusal as a problem (RFC 9457) with a stable code and what to do next; never a trace, SQL or another's text."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions as drf

from flowlet.core.errors import AppError, Conflict, FieldError, InvalidInput, NotFound
from flowlet.core.money import Money
from flowlet.gateway import errors
from flowlet.gateway.passage import passage_of
from flowlet.gateway.rendering import Answer, dumps

CONTENT_TYPE = "application/problem+json"
_QUOTA = "https://iana.org/assignments/http-problem-types#quota-exceeded"
_log = logging.getLogger(__name__)


def as_app_error(error: Exception) -> AppError | None:
    """Return the refusal that stands for this exception, or None if it is a fault of ours."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, drf.ValidationError):
        return InvalidInput(errors=field_errors(error.detail))
    if isinstance(error, IntegrityError | DataError | OperationalError | InterfaceError):
        return _from_database(error)
    return _from_framework(error)


# What Django and DRF raise, and the refusal that stands for it.
_FRAMEWORK: tuple[tuple[tuple[type[Exception], ...], Callable[[], AppError]], ...] = (
    ((Http404, drf.NotFound), NotFound),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), errors.Unauthenticated),
    ((DisallowedHost,), errors.BadHost),
    ((RequestDataTooBig,), lambda: errors.BodyTooLarge(limit=1024 * 1024)),
    ((drf.UnsupportedMediaType,), lambda: errors.UnsupportedMediaType(wanted="application/json")),
    (
        (UnreadablePostError,),
        lambda: InvalidInput(errors=(FieldError("", "cut_off", "The body ended early."),)),
    ),
)


def _from_framework(error: Exception) -> AppError | None:
    return next((make() for kinds, make in _FRAMEWORK if isinstance(error, kinds)), None)


def _from_database(error: Exception) -> AppError:
    # Reaching this is a gap in an operation, so it is logged; the caller learns only what class of thing it was.
    _log.error("database refused: %s", type(error.__cause__ or error).__name__, exc_info=error)
    if isinstance(error, IntegrityError):
        return Conflict()
    if isinstance(error, DataError):
        return InvalidInput()
    return errors.Unavailable()


def field_errors(detail: Any, pointer: str = "") -> tuple[FieldError, ...]:
    """Flatten what DRF says about a body into faults with JSON pointers (RFC 6901)."""
    if isinstance(detail, dict):
        return tuple(
            fault
            for name, item in detail.items()
            for fault in field_errors(item, pointer if name == "non_field_errors" else _step(pointer, name))
        )
    if isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        return tuple(
            fault
            for index, item in enumerate(detail)
            if item
            for fault in field_errors(item, _step(pointer, index))
        )
    items = detail if isinstance(detail, list) else [detail]
    return tuple(FieldError(pointer, getattr(item, "code", "invalid"), str(item)) for item in items)


def _step(pointer: str, name: object) -> str:
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


def problem_body(error: AppError, *, path: str, request_id: str, object_id: str = "") -> dict[str, Any]:
    """Return the problem document of a refusal; `object_id` names the object that it left behind, if any."""
    after_s = error.fields.get("after_s", error.retry.after_s)
    body: dict[str, Any] = {
        "type": _QUOTA if isinstance(error, errors.RateLimited) else f"urn:flowlet:problem:{error.code}",
        "title": error.title,
        "status": error.http_status,
        "detail": error.detail,
        "instance": path,
        "code": error.code,
        "errors": [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in error.errors],
        "retry": {"allowed": error.retry.allowed, "after_s": after_s, "same_key": error.retry.same_key},
        "next": [{"action": error.next_action, "text": error.next_text}] if error.next_action else [],
        "request_id": request_id,
    }
    if isinstance(error, errors.RateLimited):
        body["violated-policies"] = list(error.policies)
    body.update(_told(error))
    if object_id:
        body["object"] = object_id
    return body


def _told(error: AppError) -> dict[str, object]:
    """Return the figures of a refusal as members of their own, so that no program has to read sentences."""
    members: dict[str, object] = {}
    for name in error.told:
        value = error.fields.get(name)
        if isinstance(value, Money):
            members[f"{name}_minor"] = value.minor
        elif value is not None:
            members[name] = value
    return members


def problem_headers(error: AppError) -> dict[str, str]:
    """Return the header fields that belong to a refusal."""
    headers = {}
    after_s = error.fields.get("after_s", error.retry.after_s)
    if after_s is not None:
        headers["Retry-After"] = str(after_s)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="flowlet", error="invalid_token"'
    if isinstance(error, errors.MissingScope):
        scope = error.fields["scope"]
        headers["WWW-Authenticate"] = f'Bearer realm="flowlet", error="insufficient_scope", scope="{scope}"'
    if isinstance(error, errors.MethodNotAllowed):
        headers["Allow"] = str(error.fields["allowed"])
    return headers


def problem_answer(error: AppError, request: HttpRequest, *, object_id: str = "") -> Answer:
    """Return the refusal as an answer ready to be stored or sent."""
    passage = passage_of(request)
    body = problem_body(error, path=request.path, request_id=passage.request_id, object_id=object_id)
    return Answer(
        status=error.http_status,
        body=dumps(body),
        headers=problem_headers(error),
        content_type=CONTENT_TYPE,
        object_id=object_id,
        code=error.code,
    )


def problem_response(error: AppError, request: HttpRequest) -> HttpResponse:
    """Return the refusal as a response, noting its code for the log."""
    passage_of(request).code = error.code
    return problem_answer(error, request).response()
