"""Probes and metrics: for the platform, not for partners."""

import hmac
import ipaddress
import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from flowlet.core.registry import Registry
from flowlet.gateway.addresses import client_ip, was_forwarded

_log = logging.getLogger(__name__)
_state = {"migrated": False}
# What rooms read from the database when somebody asks for the metrics: each sets its own gauges.
BEFORE_METRICS: Registry[Callable[[], None]] = Registry("gateway.before_metrics")


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view's signature
    """Tell that the process answers; touches nothing else, so that a lost database restarts nobody."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view's signature
    """Tell whether traffic may come: database, migrations and Redis answer. 503 names the part that does not."""
    parts = {"database": _database(), "redis": _redis()}
    parts["migrations"] = parts["database"] and _migrations()
    ready = all(parts.values())
    body = {"status": "ok" if ready else "unavailable", "parts": parts}
    return JsonResponse(body, status=200 if ready else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    try:
        return bool(get_redis_connection("default").ping())
    except RedisError:
        return False


def _migrations() -> bool:
    # The plan takes a tenth of a second to make, and what is applied stays applied while this code runs.
    if not _state["migrated"]:
        executor = MigrationExecutor(connection)
        _state["migrated"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _state["migrated"]


@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Return the Prometheus metrics of all workers to whoever may read them; to others there is nothing here."""
    if not _may_read_metrics(request):
        return HttpResponse(status=404)
    for name, refresh in BEFORE_METRICS.items():
        try:
            refresh()
        except DatabaseError:
            _log.warning("no fresh metrics of %s: the database does not answer", name)
    response: HttpResponseBase = ExportToDjangoView(request)
    return response


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return True
    # Behind a proxy on this machine everybody seems to come from the loopback address.
    if was_forwarded(request) and not settings.TRUSTED_PROXY_HOPS:
        return False
    address = client_ip(request)
    if not address:
        return False
    return any(
        ipaddress.ip_address(address) in ipaddress.ip_network(n) for n in settings.METRICS_ALLOWED_NETWORKS
    )
