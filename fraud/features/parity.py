"""Does the batch path give the vectors that decisions were taken from? Equality, without a tolerance."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from fraud.choices import Degraded
from fraud.features import derive, reading
from fraud.features.batch import compute
from fraud.features.definitions import HORIZON_S, aggregates_of
from fraud.features.sets import features_of
from fraud.models import Decision, HistoryEvent


@dataclass(frozen=True, slots=True)
class Parity:
    """How many decisions were compared, and which differ in which feature (decision id, feature)."""

    compared: int
    differences: tuple[tuple[int, str], ...]


def compare(*, stream: str, limit: int) -> Parity:
    """Compute the latest decisions' vectors again from history and labels, as of their own instants."""
    decisions = list(
        Decision.objects.filter(stream=stream)
        .exclude(degraded__overlap=[Degraded.CHEAP_FEATURES])
        .order_by("-event_id")
        .values_list("pk", "event_id", "feature_set", "vector", "decided_at")[:limit]
    )
    if not decisions:
        return Parity(0, ())
    spread = HistoryEvent.objects.filter(pk__in=[row[1] for row in decisions]).order_by("event_at", "pk")
    earliest, latest = spread.first(), spread.last()
    assert earliest is not None and latest is not None  # noqa: S101, PT018 - a decision has its event
    history = reading.read_history(
        stream=stream,
        span_from=earliest.event_at - timedelta(seconds=HORIZON_S),
        span_to=latest.event_at + timedelta(microseconds=1),
    )
    labels = reading.read_labels(stream=stream, until=max(row[4] for row in decisions))
    place = {int(number): index for index, number in enumerate(history.id)}
    points = np.array([place[row[1]] for row in decisions], dtype=np.int64)
    codes = features_of(decisions[0][2])
    again = derive.vectors(codes, compute(history, labels, aggregates_of(codes), points))
    stored = np.array([row[3] for row in decisions], dtype=np.float32)
    same = (again == stored) | (np.isnan(again) & np.isnan(stored))
    wrong = [(decisions[row][0], codes[column]) for row, column in np.argwhere(~same)]
    return Parity(len(decisions), tuple(wrong))
