"""
The feature query: aggregates compiled to one SQL statement over covering indexes.

It also takes the event's own number and tells which transactions it could see, so that the batch path can repeat it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from django.db import connection

from fraud.choices import Verdict
from fraud.features.definitions import (
    HORIZON_S,
    LATEST_N,
    MISSING,
    SQUARE_MAX,
    Aggregate,
    Entity,
    Integers,
    Numbers,
    What,
)
from fraud.values import FACT_NAMES, KEY_NAMES, Subject

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
# What of an aggregate -> the SQL over the rows of its window.
_EVENT_SQL = {
    What.COUNT: "count(*)",
    What.SUM: "coalesce(sum(base_minor), 0)::bigint",
    What.SQUARES: f"coalesce(sum(least(base_minor, {SQUARE_MAX}) * least(base_minor, {SQUARE_MAX})), 0)::bigint",
    What.LOG_SUM: "coalesce(sum(log_e4), 0)::bigint",
    What.LOG_SQUARES: "coalesce(sum(log_e4::bigint * log_e4), 0)::bigint",
}
_US = "(extract(epoch FROM {0}) * 1000000)::bigint"


@dataclass(frozen=True, slots=True)
class Observed:
    """What the query found: the event's own number, the snapshot it saw, the integers."""

    event_id: int
    snapshot: str
    columns: dict[str, Integers]


def observe(*, stream: str, subject: Subject, decided_us: int, wanted: Sequence[Aggregate]) -> Observed:
    """Run the feature query for one event that has no row yet; the database takes its number."""
    sql, names = _compile(tuple(wanted))
    with connection.cursor() as cursor:
        cursor.execute(sql, _parameters(stream, subject, decided_us, wanted))
        row = cursor.fetchone()
    columns = {name: _column(value) for name, value in zip(names, row[2:], strict=True)}
    return Observed(row[0], row[1], columns)


def numbers_of(subject: Subject, decided_us: int, columns: dict[str, Integers]) -> Numbers:
    """Put one event and its integers into the shape that `derive` reads."""
    return Numbers(
        event_us=np.array([subject.event_us], dtype=np.int64),
        decided_us=np.array([decided_us], dtype=np.int64),
        base_minor=np.array([subject.base_minor], dtype=np.int64),
        log_e4=np.array([subject.log_e4], dtype=np.int64),
        has={name: np.array([getattr(subject.keys, name) != 0]) for name in KEY_NAMES},
        facts={name: _column(getattr(subject.facts, name)) for name in FACT_NAMES},
        columns=columns,
    )


def nothing_known(wanted: Sequence[Aggregate]) -> dict[str, Integers]:
    """Return integers as of an empty past, for the rung where history cannot be read."""
    return {
        need.name: np.full((1, LATEST_N), -1, dtype=np.int64)
        if need.what == What.LATEST_AMOUNTS
        else np.array([MISSING if need.what in (What.LATEST_AT, What.GOOD_AT, What.RUN_FROM) else 0])
        for need in wanted
    }


def _column(value: Any) -> Integers:
    if isinstance(value, list):
        row = np.full((1, LATEST_N), -1, dtype=np.int64)
        row[0, : len(value)] = value
        return row
    return np.array([MISSING if value is None else value], dtype=np.int64)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970 of an aware instant, exactly."""
    return (instant - EPOCH) // _MICRO


def from_us(value: int) -> datetime:
    """Return the aware instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


def _parameters(
    stream: str, subject: Subject, decided_us: int, wanted: Sequence[Aggregate]
) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(subject.keys, name) for name in KEY_NAMES}
    at, decided = from_us(subject.event_us), from_us(decided_us)
    values |= {"stream": stream, "base_minor": subject.base_minor, "at": at, "decided": decided}
    for seconds in {need.seconds for need in wanted} | {HORIZON_S}:
        # Absolute instants: '1 day' in SQL would be a calendar day of the session's zone.
        values[f"at_{seconds}"] = at - timedelta(seconds=seconds)
        values[f"decided_{seconds}"] = decided - timedelta(seconds=seconds)
    return values


@lru_cache(maxsize=32)
def _compile(wanted: tuple[Aggregate, ...]) -> tuple[str, list[str]]:
    """Return the statement and the names of its columns after id and snapshot."""
    groups = groupby(sorted(wanted, key=_group), key=_group)
    laterals: list[str] = []
    columns: list[str] = []
    names: list[str] = []
    for position, ((of_labels, is_list, entity), members) in enumerate(groups):
        needs = list(members)
        build = _labels if of_labels else _latest_amounts if is_list else _events
        laterals.append(f"LATERAL ({build(entity, needs)}) AS part{position}")
        columns += [f'part{position}."{need.name}"' for need in needs]
        names += [need.name for need in needs]
    sql = ", ".join(["own.id", "pg_current_snapshot()::text", *columns])
    sources = ", ".join(["(SELECT nextval('fraud_historyevent_id_seq') AS id) AS own", *laterals])
    return f"SELECT {sql} FROM {sources}", names  # noqa: S608 - every name is of this module


def _group(need: Aggregate) -> tuple[bool, bool, Entity]:
    return need.of_labels, need.what == What.LATEST_AMOUNTS, need.entity


def _past(entity: str, seconds: int) -> str:
    return (
        f"fraud_historyevent WHERE stream = %(stream)s AND {entity}_key = %({entity})s AND %({entity})s <> 0 "
        f"AND event_at > %(at_{seconds})s AND (event_at, id) < (%(at)s, own.id)"
    )


def _events(entity: Entity, needs: Sequence[Aggregate]) -> str:
    columns = ", ".join(f'{_event_column(need)} AS "{need.name}"' for need in needs)
    widest = max(need.seconds for need in needs)
    return f"SELECT {columns} FROM {_past(entity, widest)}"  # noqa: S608


def _event_column(need: Aggregate) -> str:
    conditions = [f"event_at > %(at_{need.seconds})s"]
    for name in need.same:
        column = name if name == "base_minor" else f"{name}_key"
        conditions.append(f"{column} = %({name})s" + ("" if name == "base_minor" else f" AND {column} <> 0"))
    if need.below is not None:
        conditions.append(f"base_minor <= {need.below}")
    if need.what == What.DISTINCT:
        column = f"count(DISTINCT {need.of}_key)"
        conditions.append(f"{need.of}_key <> 0")
    elif need.what == What.LATEST_AT:
        return f"{_US.format('max(event_at) FILTER (WHERE ' + ' AND '.join(conditions) + ')')}"
    else:
        column = _EVENT_SQL[need.what]
    where = " AND ".join(conditions)
    if column.startswith("coalesce("):
        return column.replace(", 0)::bigint", f" FILTER (WHERE {where}), 0)::bigint")
    return f"{column} FILTER (WHERE {where})"


def _latest_amounts(entity: Entity, needs: Sequence[Aggregate]) -> str:
    (need,) = needs
    past = _past(entity, need.seconds)
    return (
        f"SELECT ARRAY(SELECT base_minor FROM {past} ORDER BY event_at DESC, id DESC LIMIT {LATEST_N})"  # noqa: S608
        f' AS "{need.name}"'
    )


def _labels(entity: Entity, needs: Sequence[Aggregate]) -> str:
    widest = max(need.seconds for need in needs)
    columns = ", ".join(f'{_label_column(need)} AS "{need.name}"' for need in needs)
    return (
        f"SELECT {columns} FROM (SELECT verdict, known_at, event_at, "  # noqa: S608
        f"max(event_at) FILTER (WHERE verdict = '{Verdict.GENUINE}') OVER () AS good_at "
        f"FROM fraud_label WHERE stream = %(stream)s AND {entity}_key = %({entity})s AND %({entity})s <> 0 "
        f"AND known_at > %(decided_{widest})s AND known_at <= %(decided)s "
        f"AND (superseded_at IS NULL OR superseded_at > %(decided)s)) AS known"
    )


def _label_column(need: Aggregate) -> str:
    recent = f"known_at > %(decided_{need.seconds})s"
    fraud = f"verdict = '{Verdict.FRAUD}'"
    if need.what == What.KNOWN:
        return f"count(*) FILTER (WHERE {recent} AND verdict <> '{Verdict.UNSURE}')"
    if need.what == What.KNOWN_FRAUDS:
        return f"count(*) FILTER (WHERE {recent} AND {fraud})"
    if need.what == What.GOOD_AT:
        return _US.format("max(good_at)")
    in_run = f"FILTER (WHERE {fraud} AND (good_at IS NULL OR event_at > good_at))"
    return f"count(*) {in_run}" if need.what == What.RUN_LENGTH else _US.format(f"min(event_at) {in_run}")
