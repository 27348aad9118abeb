"""History from outside, with its own instants: an earlier system's, a data set's, the demo's."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction

from flowlet.audit import trail
from fraud.choices import LABEL_RANK, LabelSource, Verdict
from fraud.features.online import from_us
from fraud.models import HistoryEvent, Label
from fraud.subjects import content_digest, subject_of
from fraud.values import ScoringRequest

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """A movement of the past: what it was, when it was recorded, and what became of it (`known_at` = since when)."""

    request: ScoringRequest
    recorded_at: datetime
    verdict: str = ""
    known_at: datetime | None = None
    source: str = LabelSource.IMPORTED


@transaction.atomic
def import_history(*, stream: str, events: Sequence[ImportedEvent]) -> int:
    """
    Store past movements and their labels, all or none, and return how many; give them in order of time.

    They take part in the features of later movements and in training, but have no decision.

    :raises BadScoringRequest: if a value cannot be scored
    :raises django.db.IntegrityError: if one of them is stored already
    """
    waiting = iter(events)
    while batch := list(islice(waiting, _BATCH)):
        rows = HistoryEvent.objects.bulk_create(_event_row(stream, event) for event in batch)
        Label.objects.bulk_create(_label_rows(rows, batch))
    trail.record(
        action="fraud_history.import",
        object_type="fraud_stream",
        object_id=stream,
        changes={"events": [0, len(events)]},
    )
    return len(events)


def _event_row(stream: str, event: ImportedEvent) -> HistoryEvent:
    request = event.request
    subject = subject_of(request, now=event.recorded_at)
    return HistoryEvent(
        stream=stream,
        source_kind=request.source_kind,
        source_id=request.source_id,
        kind=request.kind,
        event_at=from_us(subject.event_us),
        recorded_at=event.recorded_at,
        currency=request.amount.currency,
        amount_minor=request.amount.minor,
        base_minor=subject.base_minor,
        log_e4=subject.log_e4,
        facts={name: value for name, value in asdict(subject.facts).items() if value is not None},
        content_digest=content_digest(request),
        **{f"{name}_key": value for name, value in asdict(subject.keys).items()},
    )


def _label_rows(rows: Sequence[HistoryEvent], events: Sequence[ImportedEvent]) -> Iterator[Label]:
    for row, event in zip(rows, events, strict=True):
        if event.known_at is not None:
            yield Label(
                stream=row.stream,
                event_id=row.pk,
                event_at=row.event_at,
                customer_key=row.customer_key,
                verdict=Verdict(event.verdict),
                source=event.source,
                rank=LABEL_RANK[event.source],
                known_at=event.known_at,
                recorded_by="import",
            )
