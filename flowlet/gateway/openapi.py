"""The OpenAPI 3.1 document and the page that shows it."""

import threading
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from flowlet.gateway.rendering import dumps
from flowlet.identity.scopes import SCOPES

_DESCRIPTION = """\
Wallets, payments and customers of your own, over JSON.

- Programs get a token at `POST /api/v1/oauth/token`, people at `POST /api/v1/auth/token`.
- Amounts are integers in minor units (1250 with EUR is 12.50 €). Times are RFC 3339 in UTC. Ids carry a prefix.
- Send an `Idempotency-Key` with every write: repeating the request then gives the first answer again.
- Every refusal is a problem (RFC 9457) with a stable `code` and what to do next.
- Lists come in pages: send `next` of one page as `cursor` of the next.
"""
# Swagger UI sets style attributes while it runs, and its style sheet carries small pictures as data: URIs. Scripts stay
# ours alone: no inline script, no eval.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY = {
    "oauth2": {
        "type": "oauth2",
        "description": "Client credentials (RFC 6749 section 4.4), for programs.",
        "flows": {"clientCredentials": {"tokenUrl": "/api/v1/oauth/token", "scopes": dict(SCOPES)}},
    },
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Any access token."},
}
_lock = threading.Lock()
_made: dict[str, bytes] = {}


def build() -> dict[str, Any]:
    """Return the document of every route that is mounted."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    document["info"]["description"] = _DESCRIPTION
    document.setdefault("components", {})["securitySchemes"] = _SECURITY
    return document


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """Return the document; it is made once for each process, since routes do not change while it runs."""
    with _lock:
        if "document" not in _made:
            _made["document"] = dumps(build())
    return HttpResponse(
        _made["document"], content_type="application/json", headers={"Cache-Control": "public, max-age=60"}
    )


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """Return the browsable reference: Swagger UI from our own static files."""
    response = render(request, "gateway/reference.html")
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response
