"""Labels: what became of a movement, who says so, and since when we know."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.locks import lock
from flowlet.events import outbox
from fraud import events, queries
from fraud.choices import LABEL_RANK, LabelSource, Verdict
from fraud.models import Label
from fraud.values import LIVE


@dataclass(frozen=True, slots=True)
class RecordedLabel:
    """The stored label; `effective` is False when a stronger one stands already."""

    label_id: int
    effective: bool


@transaction.atomic
def record_label(
    *,
    source_kind: str,
    source_id: str,
    verdict: str,
    source: str,
    now: datetime,
    stream: str = LIVE,
    reported_at: datetime | None = None,
) -> RecordedLabel:
    """
    Store what somebody says about a scored movement; it is known from `now` on and changes no earlier vector.

    A stronger source wins (analyst before dispute before warning before partner), among equals the later one. A weaker
    label is stored but has no effect. `reported_at` is when it happened in the outside world.

    :raises EventUnknown: if the movement was never scored in this stream
    :raises ValueError: if verdict or source is no code of ours
    """
    rank = LABEL_RANK[LabelSource(source)]
    event = queries.get_event(stream=stream, source_kind=source_kind, source_id=source_id)
    standing = lock(
        Label.objects.filter(stream=stream, event_id=event.pk, superseded_at__isnull=True)
    ).first()
    effective = standing is None or rank <= standing.rank
    # A clock that lags behind the caller's must not make a label older than its event.
    known_at = max(now, event.event_at)
    if effective and standing is not None:
        standing.superseded_at = known_at
        standing.save(update_fields=["superseded_at"])
    label = Label.objects.create(
        stream=stream,
        event_id=event.pk,
        event_at=event.event_at,
        customer_key=event.customer_key,
        verdict=Verdict(verdict),
        source=source,
        rank=rank,
        known_at=known_at,
        reported_at=reported_at,
        recorded_by=trail.current_actor().ref,
        superseded_at=None if effective else known_at,
    )
    trail.record(
        action="fraud_label.record",
        object_type=source_kind,
        object_id=source_id,
        changes={"verdict": [standing.verdict if standing else None, verdict], "source": [None, source]},
    )
    outbox.publish(
        type=events.LABELLED,
        # Not under the movement's own id: a number missing in its sequence would tell the partner that we know.
        object_type="fraud_label",
        object_id=f"{stream}:{label.pk}",
        partner_id=None,
        data={"source": source_id, "verdict": verdict, "effective": effective},
        at=now,
    )
    return RecordedLabel(label.pk, effective)
