"""Rows to learn from: vectors as of each event's own instant, labels as known at the cut-off."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from fraud.features import derive, reading
from fraud.features.batch import FRAUD, GENUINE, compute
from fraud.features.definitions import HORIZON_S, Integers, Vectors, aggregates_of
from fraud.features.online import to_us

MATURE_AFTER = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled rows in order of (event_at, id): vectors, 1 for fraud, instants, when the label was known, customers."""

    features: tuple[str, ...]
    ids: Integers
    rows: Vectors
    frauds: Integers
    event_us: Integers
    known_us: Integers
    customers: Integers

    def part(self, chosen: npt.NDArray[Any]) -> "Dataset":
        """Return the chosen rows."""
        return Dataset(
            self.features,
            *(
                getattr(self, name)[chosen]
                for name in ("ids", "rows", "frauds", "event_us", "known_us", "customers")
            ),
        )

    @property
    def digest(self) -> str:
        """SHA-256 over ids, vectors and labels: what this model has learnt from."""
        content = hashlib.sha256()
        for part in (self.ids, self.rows, self.frauds, self.known_us):
            content.update(np.ascontiguousarray(part).tobytes())
        return content.hexdigest()


def read(
    *,
    stream: str,
    features: Sequence[str],
    span_from: datetime,
    span_to: datetime,
    as_of: datetime,
    labelled_only: bool = True,
) -> Dataset:
    """
    Return the events in [`span_from`, `span_to`) whose outcome is known at `as_of`.

    An event without a label is left out, never taken as genuine; a presumed one counts once it is old enough. With
    `labelled_only=False` every event comes, unlabelled ones as 0.
    """
    history = reading.read_history(
        stream=stream, span_from=span_from - timedelta(seconds=HORIZON_S), span_to=span_to
    )
    labels = reading.read_labels(stream=stream, until=as_of)
    inside = np.flatnonzero(history.event_us >= to_us(span_from))
    order = np.lexsort((history.id[inside], history.event_us[inside]))
    points = inside[order]
    verdicts = reading.read_verdicts(stream=stream, as_of=as_of, presumed_until=as_of - MATURE_AFTER)
    verdict = np.array(
        [verdicts.get(int(number), (-1, 0))[0] for number in history.id[points]], dtype=np.int64
    )
    known = np.array([verdicts.get(int(number), (-1, 0))[1] for number in history.id[points]], dtype=np.int64)
    if labelled_only:
        keep = (verdict == FRAUD) | (verdict == GENUINE)
        points, verdict, known = points[keep], verdict[keep], known[keep]
    numbers = compute(history, labels, aggregates_of(features), points)
    return Dataset(
        features=tuple(features),
        ids=history.id[points],
        rows=derive.vectors(features, numbers),
        frauds=(verdict == FRAUD).astype(np.int64),
        event_us=history.event_us[points],
        known_us=known,
        customers=history.keys["customer"][points],
    )
