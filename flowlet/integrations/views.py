"""`/hooks/<vendor>/`: verify, store, answer. No session, no cookie, no work."""

import logging
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

from flowlet.audit import trail
from flowlet.audit.trail import Actor, acting
from flowlet.core import clock
from flowlet.core.jsons import MalformedJson
from flowlet.integrations import memory
from flowlet.integrations.events import receive
from flowlet.integrations.vendors import public_url
from flowlet.integrations.webhooks import WEBHOOKS, Incoming, Verified, WebhookRefused

BODY_MAX = 1024 * 1024
# Vendors send in bursts; this stops a flood, not a busy day.
PER_MINUTE = 6000
_MINUTE_S = 60

logger = logging.getLogger(__name__)
RECEIVED = Counter("flowlet_webhooks_received_total", "Vendors' webhooks accepted", ["vendor", "new"])
REFUSED = Counter("flowlet_webhooks_refused_total", "Webhooks refused", ["vendor", "reason"])


@csrf_exempt
@require_POST
def hook(request: HttpRequest, vendor: str) -> HttpResponse:
    """
    Take one webhook: 200 when it is certain and stored (also when it was here before), 400 when it is not what it
    says, 413 when it is too large, 429 in a flood, 404 for a vendor we do not know. Never a 5xx for what comes in.
    """
    if vendor not in WEBHOOKS:
        return HttpResponse(status=404)
    now = clock.now()
    if _flooding(vendor, request, now):
        return _refuse(request, vendor, "flood", now, status=429)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > BODY_MAX:
        return _refuse(request, vendor, "too_large", now, status=413)
    try:
        verified = _verify(vendor, _incoming(request), now)
    except WebhookRefused as refusal:
        return _refuse(request, vendor, refusal.reason, now)
    public_id = receive(vendor=vendor, verified=verified, now=now)
    RECEIVED.labels(vendor, "yes" if public_id else "no").inc()
    return HttpResponse(status=200)


def _incoming(request: HttpRequest) -> Incoming:
    query = request.META.get("QUERY_STRING", "")
    return Incoming(
        body=request.body,
        headers={name.lower(): value for name, value in request.headers.items()},
        url=public_url(request.path) + (f"?{query}" if query else ""),
        query=request.GET.dict(),
    )


def _verify(vendor: str, incoming: Incoming, now: datetime) -> Verified:
    try:
        return WEBHOOKS.get(vendor)(incoming, now)
    except WebhookRefused:
        raise
    except MalformedJson:
        raise WebhookRefused("garbled") from None
    # The SDKs' verifiers fail in many ways on crooked input; none of them makes it our fault, or the event real.
    except Exception as error:
        logger.warning("a webhook could not be verified", exc_info=True)
        raise WebhookRefused("unverifiable") from error


def _refuse(
    request: HttpRequest, vendor: str, reason: str, now: datetime, *, status: int = 400
) -> HttpResponse:
    REFUSED.labels(vendor, reason).inc()
    # Counted each time, audited once a minute: whoever sends rubbish may not fill the audit trail with it.
    minute = int(now.timestamp()) // _MINUTE_S
    if memory.first(f"hook-refused:{vendor}:{reason}:{minute}", seconds=2 * _MINUTE_S):
        with acting(Actor("SYSTEM", "hooks", "Webhooks in"), ip=request.META.get("REMOTE_ADDR", "")):
            trail.record(
                action="webhook.refuse",
                object_type="vendor",
                object_id=vendor,
                outcome="REFUSED",
                reason_code=reason.upper(),
            )
    return HttpResponse(status=status)


def _flooding(vendor: str, request: HttpRequest, now: datetime) -> bool:
    address = request.META.get("REMOTE_ADDR", "")
    key = f"hook-rate:{vendor}:{address}:{int(now.timestamp()) // _MINUTE_S}"
    return memory.count(key, seconds=2 * _MINUTE_S) > PER_MINUTE
