"""A start-up check: every route under the API says who may call it."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from flowlet.gateway.views import ANYONE, SIGNED_IN, ApiView
from flowlet.identity.scopes import SCOPES

API_PREFIX = "api/"
METHODS = ("get", "post", "put", "patch", "delete")
# Pages and documents under the API's address that are no API views: they hold no data of anybody.
OPEN_ROUTES = frozenset({"api-reference", "api-openapi"})


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every route with its full path template."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        else:
            yield path, pattern


def api_routes() -> list[tuple[str, URLPattern]]:
    """Return the routes under `/api/`."""
    return [(path, pattern) for path, pattern in routes() if path.startswith(API_PREFIX)]


@register()
def every_route_is_classified(**_: Any) -> list[CheckMessage]:
    """Refuse an API route that is no ApiView, or a method of it without a known scope."""
    return [
        Error(fault, obj=path, id="gateway.E001")
        for path, pattern in api_routes()
        for fault in _faults(pattern)
    ]


def _faults(pattern: URLPattern) -> list[str]:
    if pattern.name in OPEN_ROUTES:
        return []
    view = getattr(pattern.callback, "cls", None)
    if view is None or not issubclass(view, ApiView):
        return ["is no ApiView"]
    known = {*SCOPES, ANYONE, SIGNED_IN}
    handled = {method.upper() for method in METHODS if hasattr(view, method)}
    return [
        *(f"answers {method} without a scope" for method in sorted(handled - set(view.scopes))),
        *(
            f"names a scope for {method}, which it does not answer"
            for method in sorted(set(view.scopes) - handled)
        ),
        *(f"names the unknown scope {scope}" for scope in sorted(set(view.scopes.values()) - known)),
    ]
