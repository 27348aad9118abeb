"""The outermost step of the API: a request id, the first refusals, headers on every answer, one line in the log."""

import re
import time
from collections.abc import Callable

import structlog
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flowlet.core.errors import AppError
from flowlet.gateway import errors
from flowlet.gateway.passage import Passage, passage_of
from flowlet.gateway.problems import problem_response
from flowlet.gateway.stacks import API_PREFIX, is_bare

BODY_MAX = 1024 * 1024
# The one resource that takes files: the file and the frame of its form.
UPLOAD_MAX = 10 * 1024 * 1024 + 64 * 1024
_UPLOADS = re.compile(rf"{API_PREFIX}v1/customers/[^/]+/documents")
_log = structlog.get_logger("flowlet.gateway")
_OWN_TYPES = ("application/json", "application/problem+json")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_BY_STATUS: dict[int, Callable[[], AppError]] = {
    400: errors.BadHost,
    404: errors.UnknownRoute,
    405: lambda: errors.MethodNotAllowed(allowed="GET"),
    413: lambda: errors.BodyTooLarge(limit=BODY_MAX),
}


class ApiMiddleware:
    """Stands around everything on the API's addresses, also around faults of Django's own; pages pass untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        if not is_bare(request.path):
            return self.get_response(request)
        started, passage = time.perf_counter(), passage_of(request)
        with structlog.contextvars.bound_contextvars(request_id=passage.request_id):
            response = self._answer(request)
            self._finish(response, passage)
            if request.path.startswith(API_PREFIX):
                _write_line(request, response, passage, (time.perf_counter() - started) * 1000)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _check_frame(request)
        except AppError as refusal:
            return problem_response(refusal, request)
        response = self.get_response(request)
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if response.status_code >= 400 and kind not in _OWN_TYPES and request.path.startswith(API_PREFIX):  # noqa: PLR2004 - HTTP
            # Django's own pages (no route, a fault of ours): the fault itself was logged where it happened.
            return problem_response(_BY_STATUS.get(response.status_code, errors.InternalError)(), request)
        return response

    def _finish(self, response: HttpResponseBase, passage: Passage) -> None:
        headers = response.headers
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        for name, value in passage.headers.items():
            headers[name] = value
        headers["Request-Id"] = passage.request_id


def _check_frame(request: HttpRequest) -> None:
    try:
        request.get_host()
    except DisallowedHost:
        if request.path.startswith(
            API_PREFIX
        ):  # probes come by address: no answer of theirs depends on the name
            raise errors.BadHost from None
    if "\0" in request.path:  # no id holds it, and PostgreSQL takes no such text
        raise errors.UnknownRoute
    if "HTTP_TRANSFER_ENCODING" in request.META:
        raise errors.LengthRequired
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit():
        raise errors.LengthRequired
    limit = UPLOAD_MAX if _UPLOADS.fullmatch(request.path) else BODY_MAX
    if int(length) > limit:
        raise errors.BodyTooLarge(limit=limit)


def _write_line(request: HttpRequest, response: HttpResponseBase, passage: Passage, took_ms: float) -> None:
    match, principal = request.resolver_match, passage.principal
    _log.info(
        "api_request",
        method=request.method,
        route=match.route if match else "",
        status=response.status_code,
        code=passage.code,
        ms=round(took_ms, 1),
        partner=principal.partner_public_id if principal else "",
        client=principal.client_id if principal else "",
        user_id=principal.user_id if principal else "",
        object_id=passage.object_id,
    )
