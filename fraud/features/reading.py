"""History and labels as numpy columns, for the batch path."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from fraud.choices import LabelSource, Verdict
from fraud.features.batch import FOREVER, FRAUD, GENUINE, UNSURE, History, Labels, Snapshot
from fraud.features.definitions import MISSING, Integers
from fraud.values import FACT_NAMES, KEY_NAMES

_US = "(extract(epoch FROM {0}) * 1000000)::bigint"
_CODE = f"CASE verdict WHEN '{Verdict.FRAUD}' THEN {FRAUD} WHEN '{Verdict.GENUINE}' THEN {GENUINE} ELSE {UNSURE} END"
_HISTORY = f"""
    SELECT id, {_US.format("event_at")}, {_US.format("recorded_at")}, xact_id::text::bigint, base_minor, log_e4,
           {", ".join(f"{name}_key" for name in KEY_NAMES)},
           {", ".join(f"(facts->>'{name}')::bigint" for name in FACT_NAMES)}, snapshot
    FROM fraud_historyevent WHERE stream = %s AND event_at >= %s AND event_at < %s ORDER BY id
"""  # noqa: S608 - every name is of this module
_LABEL_KEYS = ("customer", "terminal", "device", "counterparty")
_LABELS = f"""
    SELECT {_US.format("event_at")}, {_US.format("known_at")}, coalesce({_US.format("superseded_at")}, {FOREVER}),
           xact_id::text::bigint, coalesce(superseded_xact::text::bigint, 0), mark, coalesce(superseded_mark, 0),
           {_CODE}, {", ".join(f"{name}_key" for name in _LABEL_KEYS)}
    FROM fraud_label WHERE stream = %s AND known_at <= %s ORDER BY id
"""  # noqa: S608
_VERDICTS = f"""
    SELECT event_id, {_CODE}, {_US.format("known_at")} FROM fraud_label
    WHERE stream = %s AND known_at <= %s AND (superseded_at IS NULL OR superseded_at > %s)
      AND (source <> '{LabelSource.PRESUMED}' OR event_at <= %s)
"""  # noqa: S608


def read_history(*, stream: str, span_from: datetime, span_to: datetime) -> History:
    """Return the events of [`span_from`, `span_to`) as columns in order of id."""
    rows = _rows(_HISTORY, [stream, span_from, span_to])
    keys = {name: _column(rows, 6 + place) for place, name in enumerate(KEY_NAMES)}
    first = 6 + len(KEY_NAMES)
    facts = {name: _column(rows, first + place) for place, name in enumerate(FACT_NAMES)}
    read: dict[str, Snapshot | None] = {}
    for row in rows:
        read.setdefault(row[-1], Snapshot.read(row[-1]))
    return History(
        id=_column(rows, 0),
        event_us=_column(rows, 1),
        decided_us=_column(rows, 2),
        xact=_column(rows, 3),
        snapshots=[read[row[-1]] for row in rows],
        base_minor=_column(rows, 4),
        log_e4=_column(rows, 5),
        keys=keys,
        facts=facts,
    )


def read_labels(*, stream: str, until: datetime) -> Labels:
    """Return every label known until then, superseded ones too, in order of id."""
    rows = _rows(_LABELS, [stream, until])
    keys = {name: _column(rows, 8 + place) for place, name in enumerate(_LABEL_KEYS)}
    return Labels(
        event_us=_column(rows, 0),
        known_us=_column(rows, 1),
        superseded_us=_column(rows, 2),
        xact=_column(rows, 3),
        superseded_xact=_column(rows, 4),
        mark=_column(rows, 5),
        superseded_mark=_column(rows, 6),
        verdict=_column(rows, 7),
        keys=keys,
    )


def read_verdicts(*, stream: str, as_of: datetime, presumed_until: datetime) -> dict[int, tuple[int, int]]:
    """Return what stood at `as_of` by event id: verdict code and the instant it became known (microseconds)."""
    rows = _rows(_VERDICTS, [stream, as_of, as_of, presumed_until])
    return {event_id: (verdict, known_us) for event_id, verdict, known_us in rows}


def _rows(sql: str, values: Sequence[str | datetime]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _column(rows: Sequence[tuple[Any, ...]], place: int) -> Integers:
    return np.array([MISSING if row[place] is None else row[place] for row in rows], dtype=np.int64)
