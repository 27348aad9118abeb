"""Points for InfluxDB: queued with the event, sent by a job, never on the path of a payment."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from analytics.models import PendingPoint
from flowlet.events.models import Event

BATCH, WAITING_MAX = 5_000, 5_000_000
_TAKEN_S, _WAIT_S, _WAIT_MAX_S = 120, 30, 3_600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MEASURED = {
    "payment.completed": "payment",
    "payment.refused": "payment",
    "payment.failed": "payment",
    "ledger.transaction_posted": "wallet_movement",
}
_BAD_LINE, _BUSY = 400, (429, 503)
_TAKE = """
UPDATE analytics_pendingpoint SET wait_until = %(until)s WHERE id IN (
    SELECT id FROM analytics_pendingpoint WHERE NOT parked AND (wait_until IS NULL OR wait_until <= %(now)s)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id, line
"""


class _Busy(Exception):
    """The server asks to wait, or cannot be reached."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"wait {wait_s} s")


def queue_point(event: Event) -> None:
    """Keep an event's point for the sink; without an INFLUXDB_URL nothing is kept."""
    if not settings.INFLUXDB_URL or event.type not in _MEASURED:
        return
    PendingPoint.objects.bulk_create([PendingPoint(event=event, line=line_of(event))], ignore_conflicts=True)


def line_of(event: Event) -> str:
    """Return an event in line protocol: tags from closed lists and the partner's key, no id of a person or object."""
    data = event.data
    tags = {"type": event.type, "partner": str(event.partner_id or "house")}
    fields = {"count": 1}
    if "currency" in data:
        tags["currency"], fields["amount_minor"] = data["currency"], int(data["amount"])
    if "kind" in data:
        tags["kind"] = data["kind"]
    # Events know microseconds; the rest keeps two events of one microsecond apart, and a repeat in its place.
    micros = (event.occurred_at - _EPOCH) // timedelta(microseconds=1)
    point = Point.from_dict(
        {
            "measurement": _MEASURED[event.type],
            "tags": tags,
            "fields": fields,
            "time": micros * 1_000 + event.pk % 1_000,
        },
        WritePrecision.NS,  # type: ignore[arg-type] # their enumeration is made of plain strings
    )
    return str(point.to_line_protocol())


def send_points(*, now: datetime, limit: int = BATCH) -> int:
    """
    Send up to `limit` waiting points and return how many the server took.

    Three steps, so that no transaction is open while the network is slow: take (commit), write, delete. A worker that
    dies in between leaves its points to be sent again, which overwrites them with themselves.
    """
    if not settings.INFLUXDB_URL or _told_to_wait(now):
        return 0
    taken = _take(now, limit)
    if not taken:
        return 0
    with InfluxDBClient(
        url=settings.INFLUXDB_URL,
        token=settings.INFLUXDB_TOKEN,
        org=settings.INFLUXDB_ORG,
        timeout=10_000,
        enable_gzip=True,
    ) as client:
        return _Sender(client, now).send(taken)


def _told_to_wait(now: datetime) -> bool:
    oldest = PendingPoint.objects.filter(parked=False).order_by("pk").first()
    return oldest is not None and oldest.wait_until is not None and oldest.wait_until > now


@transaction.atomic
def _take(now: datetime, limit: int) -> list[tuple[int, str]]:
    _drop_oldest()
    until = now + timedelta(seconds=_TAKEN_S)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"until": until, "now": now, "limit": limit})
        return sorted(cursor.fetchall())


def _drop_oldest() -> None:
    """Let the oldest go when the server was away for too long; the newest tell more."""
    border = PendingPoint.objects.order_by("-pk").values_list("pk", flat=True)[WAITING_MAX : WAITING_MAX + 1]
    for pk in border:
        PendingPoint.objects.filter(pk__lte=pk).delete()


class _Sender:
    """Writes lines; a batch with a bad line is halved until the bad one stands alone and is parked."""

    def __init__(self, client: InfluxDBClient, now: datetime) -> None:
        self.api = client.write_api(write_options=SYNCHRONOUS)
        self.now = now

    def send(self, taken: Sequence[tuple[int, str]]) -> int:
        try:
            return self._send(taken)
        except _Busy as busy:
            waiting = PendingPoint.objects.filter(pk__in=[pk for pk, _ in taken], parked=False)
            waiting.update(wait_until=self.now + timedelta(seconds=busy.wait_s))
            return len(taken) - waiting.count()

    def _send(self, taken: Sequence[tuple[int, str]]) -> int:
        try:
            self.api.write(settings.INFLUXDB_BUCKET, record="\n".join(line for _, line in taken))
        except ApiException as refused:
            if refused.status != _BAD_LINE:
                raise _Busy(_wait_of(refused)) from refused
            return self._halve(taken, str(refused.message or refused.reason))
        except HTTPError as away:
            raise _Busy(_WAIT_S) from away
        PendingPoint.objects.filter(pk__in=[pk for pk, _ in taken]).delete()
        return len(taken)

    def _halve(self, taken: Sequence[tuple[int, str]], fault: str) -> int:
        if len(taken) == 1:
            PendingPoint.objects.filter(pk=taken[0][0]).update(parked=True, fault=fault[:200])
            return 0
        middle = len(taken) // 2
        return self._send(taken[:middle]) + self._send(taken[middle:])


def _wait_of(refused: ApiException) -> int:
    told = str(refused.headers.get("Retry-After", "")) if refused.status in _BUSY and refused.headers else ""
    return min(int(told), _WAIT_MAX_S) if told.isdigit() else _WAIT_S
