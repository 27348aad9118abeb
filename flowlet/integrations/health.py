"""How the vendors are doing, by our own call log and what they have told us."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Q

from flowlet.core.outcomes import Outcome
from flowlet.integrations.breaker import breaker_for
from flowlet.integrations.choices import EventStatus
from flowlet.integrations.models import VendorEvent
from flowlet.integrations.vendors import NAMES, get_vendor

WINDOW = timedelta(hours=24)
_KEPT = (EventStatus.FAILED, EventStatus.UNMATCHED)


@dataclass(frozen=True, slots=True)
class Health:
    """
    One vendor over the last 24 hours: calls, share that reached it, 95th percentile in ms, unknown outcomes, alarms.

    `waiting` events are due, `kept` ones need a person; `breaker_open_until` is None while it is closed.
    """

    vendor: str
    configured: bool
    simulated: bool
    calls: int
    reached: int
    p95_ms: int | None
    unknown: int
    alarms: int
    latest_call_at: datetime | None
    latest_event_at: datetime | None
    waiting: int
    kept: int
    breaker_open_until: float

    @property
    def reached_text(self) -> str:
        """Return the share of calls that reached the vendor, in per cent."""
        return f"{100 * self.reached / self.calls:.1f} %" if self.calls else ""


_CALLS = """
SELECT vendor, count(*), count(*) FILTER (WHERE outcome NOT IN (%(not_sent)s, %(unknown)s) OR code = 'not_found'),
       percentile_disc(0.95) WITHIN GROUP (ORDER BY elapsed_ms),
       count(*) FILTER (WHERE outcome = %(unknown)s AND NOT is_lookup), count(*) FILTER (WHERE alarm), max(called_at)
FROM integrations_vendorcall WHERE called_at > %(since)s GROUP BY vendor
"""


def get_health(*, now: datetime) -> list[Health]:
    """Return all vendors in the house's order; two queries."""
    with connection.cursor() as cursor:
        values = {
            "not_sent": Outcome.NOT_SENT.value,
            "unknown": Outcome.UNKNOWN.value,
            "since": (now - WINDOW).isoformat(),
        }
        cursor.execute(_CALLS, values)
        calls = {row[0]: row[1:] for row in cursor.fetchall()}
    events: dict[str, dict[str, Any]] = {
        row["vendor"]: dict(row)
        for row in VendorEvent.objects.values("vendor").annotate(
            latest=Max("received_at"),
            waiting=Count("pk", filter=Q(next_try_at__lte=now)),
            kept=Count("pk", filter=Q(status__in=_KEPT)),
        )
    }
    return [_health(name, calls.get(name), events.get(name, {})) for name in NAMES]


def _health(
    name: str, calls: tuple[int, int, int, int, int, datetime] | None, events: dict[str, Any]
) -> Health:
    vendor = get_vendor(name)
    total, reached, p95, unknown, alarms, latest = calls or (0, 0, None, 0, 0, None)
    return Health(
        vendor=name,
        configured=vendor.configured,
        simulated=vendor.base_url.startswith("http://"),
        calls=total,
        reached=reached,
        p95_ms=p95,
        unknown=unknown,
        alarms=alarms,
        latest_call_at=latest,
        latest_event_at=events.get("latest"),
        waiting=events.get("waiting", 0),
        kept=events.get("kept", 0),
        breaker_open_until=breaker_for(name).open_until(),
    )
