"""Two stacks in one list of middleware: pages pass sessions, CSRF and messages; the API passes none of them."""

from typing import Any

from csp.middleware import CSPMiddleware as _CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware as _AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware as _MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware as _SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware as _CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware as _CsrfViewMiddleware
from django_structlog.middlewares import RequestMiddleware as _RequestMiddleware

API_PREFIX = "/api/"
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


def is_bare(path: str) -> bool:
    """Tell whether this address belongs to programs: no cookie is read, none is set."""
    return path.startswith(API_PREFIX) or path in PROBES


class _PagesOnly:
    """Put before a middleware class: step aside on bare addresses, also in its hook before the view."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_bare(request.path):
            response: HttpResponseBase = self.get_response(request)
            return response
        return super().__call__(request)  # type: ignore[misc, no-any-return]


class CSPMiddleware(_PagesOnly, _CSPMiddleware):
    """The pages' policy; the gateway sets the API's own."""


class SessionMiddleware(_PagesOnly, _SessionMiddleware):
    """Sessions for pages: the API ignores cookies."""


class CommonMiddleware(_PagesOnly, _CommonMiddleware):
    """Slash redirects for pages: an API address is written in one way."""


class CsrfViewMiddleware(_PagesOnly, _CsrfViewMiddleware):
    """CSRF tokens for pages: without cookies there is nothing to forge."""

    def process_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Check pages only."""
        return None if is_bare(request.path) else super().process_view(request, *args, **kwargs)


class AuthenticationMiddleware(_PagesOnly, _AuthenticationMiddleware):
    """`request.user` for pages."""


class MessageMiddleware(_PagesOnly, _MessageMiddleware):
    """Messages for pages."""


class RequestMiddleware(_PagesOnly, _RequestMiddleware):  # type: ignore[misc]
    """django-structlog's lines for pages; the gateway writes one line for each API request."""
