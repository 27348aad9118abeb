"""
The same integers for many events at once, in numpy: windows are binary searches on prefix sums.

What an event could not see is left out. Events that were decided online carry the database's snapshot: a row counts
when its transaction is visible in it. Imported ones compare (`recorded_at`, id). Where an invisible row lies in reach
the exact but slower way is taken; elsewhere everything in reach is visible and the prefix sums stand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fraud.features.definitions import (
    HORIZON_S,
    LATEST_N,
    MISSING,
    SQUARE_MAX,
    Aggregate,
    Integers,
    Numbers,
    What,
)
from fraud.values import FACT_NAMES, KEY_NAMES

_MICRO = 1_000_000
_PART = 20_000
FOREVER = np.iinfo(np.int64).max
FRAUD, GENUINE, UNSURE = 1, 0, 2
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a transaction could see: the text `xmin:xmax:xip,…` of PostgreSQL, read."""

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def read(cls, text: str) -> "Snapshot | None":
        """Return None for an imported event, which has none."""
        if not text:
            return None
        low, high, running = text.split(":")
        return cls(int(low), int(high), frozenset(int(part) for part in running.split(",") if part))

    def sees(self, xacts: Integers, own: int) -> Mask:
        """
        Tell which other transactions are visible, as `pg_visible_in_snapshot` does.

        PostgreSQL leaves one's own transaction out of the list of running ones, so the function calls it visible or
        not by whether a younger one has ended meanwhile: `own` is left to the caller, who knows the order within.
        """
        between = (xacts >= self.xmin) & (xacts < self.xmax) & (xacts != own)
        visible: Mask = xacts < self.xmin
        return visible | (between & ~np.isin(xacts, list(self.running))) if between.any() else visible


@dataclass(frozen=True, slots=True)
class History:
    """Events as columns of equal length; `decided_us` is the instant they were decided or recorded at."""

    id: Integers
    event_us: Integers
    decided_us: Integers
    xact: Integers
    snapshots: Sequence[Snapshot | None]
    base_minor: Integers
    log_e4: Integers
    keys: dict[str, Integers]
    facts: dict[str, Integers]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels as columns; `superseded_us` is FOREVER while one stands. Marks order them within one transaction."""

    event_us: Integers
    known_us: Integers
    superseded_us: Integers
    xact: Integers
    superseded_xact: Integers
    mark: Integers
    superseded_mark: Integers
    verdict: Integers
    keys: dict[str, Integers]


def compute(history: History, labels: Labels, wanted: Sequence[Aggregate], points: Integers) -> Numbers:
    """Return the integers of the events at these positions of the history, each as of its own instant."""
    columns = _label_columns(history, labels, [need for need in wanted if need.of_labels], points)
    events: dict[tuple[str, ...], _Events] = {}
    for need in wanted:
        if not need.of_labels:
            group = (need.entity, *need.same)
            if group not in events:
                events[group] = _Events(history, group, points)
            columns[need.name] = events[group].column(need)
    return Numbers(
        event_us=history.event_us[points],
        decided_us=history.decided_us[points],
        base_minor=history.base_minor[points],
        log_e4=history.log_e4[points],
        has={name: history.keys[name][points] != 0 for name in KEY_NAMES},
        facts={name: history.facts[name][points] for name in FACT_NAMES},
        columns=columns,
    )


def _label_columns(
    history: History, labels: Labels, wanted: Sequence[Aggregate], points: Integers
) -> dict[str, Integers]:
    """Return the aggregates over labels; points come in parts, since each stands beside every label it saw."""
    columns: dict[str, list[Integers]] = {need.name: [] for need in wanted}
    for entity in sorted({need.entity for need in wanted}):
        for begin in range(0, max(len(points), 1), _PART):
            past = _Past(history, labels, entity, points[begin : begin + _PART])
            for need in wanted:
                if need.entity == entity:
                    columns[need.name].append(past.column(need))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _groups(history: History, names: Sequence[str]) -> Integers:
    """Number the events by equal keys; -1 where a key is missing."""
    parts = [history.base_minor if name == "base_minor" else history.keys[name] for name in names]
    _, group = np.unique(np.stack(parts, axis=1), axis=0, return_inverse=True)
    absent = np.zeros(len(history.id), dtype=bool)
    for name, part in zip(names, parts, strict=True):
        absent |= (part == 0) & (name != "base_minor")
    return np.where(absent, -1, group.reshape(-1)).astype(np.int64)


class _Events:
    """The events of one grouping in total order, and for each point the reach of its past."""

    def __init__(self, history: History, names: Sequence[str], points: Integers) -> None:
        self.history, self.points = history, points
        group = _groups(history, names)
        self.order = np.lexsort((history.id, history.event_us, group))
        place = np.empty(len(group), dtype=np.int64)
        place[self.order] = np.arange(len(group))
        self.end = place[points]
        self.absent = group[points] < 0
        self.sorted_group = group[self.order]
        times, rank = np.unique(history.event_us, return_inverse=True)
        self.times, self.span = times, len(times) + 1
        self.code = self.sorted_group * self.span + rank.reshape(-1)[self.order]
        self.own_group = group[points]
        self.slow = self._late()

    def start(self, seconds: int) -> Integers:
        """Return where each point's window begins: the first event after T - seconds."""
        limit = self.history.event_us[self.points] - seconds * _MICRO
        rank = np.searchsorted(self.times, limit, side="right")
        begin = np.searchsorted(self.code, self.own_group * self.span + rank, side="left")
        return np.where(self.absent, self.end, np.minimum(begin, self.end)).astype(np.int64)

    def _late(self) -> Mask:
        """Tell which points have a row in reach that they may not have seen."""
        late = np.zeros(len(self.points), dtype=bool)
        if not len(self.points):
            return late
        begin = self.start(HORIZON_S)
        xact = _running_max(self.history.xact[self.order], self.sorted_group)
        known = _running_max(self.history.decided_us[self.order], self.sorted_group)
        before = np.maximum(self.end - 1, 0)
        filled = begin < self.end
        snapshots = [self.history.snapshots[point] for point in self.points]
        xmin = np.array([-1 if seen is None else seen.xmin for seen in snapshots], dtype=np.int64)
        own = self.history.decided_us[self.points]
        return filled & np.where(xmin < 0, known[before] >= own, xact[before] >= xmin)

    def visible(self, number: int, rows: Integers) -> Mask:
        """Tell which rows the point could see."""
        history, point = self.history, self.points[number]
        snapshot = history.snapshots[point]
        if snapshot is None:
            known, own = history.decided_us[rows], history.decided_us[point]
            earlier: Mask = (known < own) | ((known == own) & (history.id[rows] < history.id[point]))
            return earlier
        mine = (history.xact[rows] == history.xact[point]) & (history.id[rows] < history.id[point])
        seen: Mask = snapshot.sees(history.xact[rows], int(history.xact[point])) | mine
        return seen

    def column(self, need: Aggregate) -> Integers:
        """Return the aggregate of every point."""
        fast = _FAST.get(need.what)
        begin = self.start(need.seconds)
        if fast is None:
            return self._one_by_one(
                need, begin, np.ones(len(self.points), dtype=bool), np.zeros(len(self.points))
            )
        return self._one_by_one(need, begin, self.slow, fast(self, need, begin))

    def _one_by_one(self, need: Aggregate, begin: Integers, which: Mask, start: npt.NDArray) -> Integers:  # type: ignore[type-arg]
        result = start.astype(np.int64)
        for number in np.flatnonzero(which):
            rows = self.order[begin[number] : self.end[number]]
            rows = rows[self.visible(int(number), rows)] if self.slow[number] else rows
            result[number] = _direct(self.history, need, rows)
        return result


def _running_max(values: Integers, group: Integers) -> Integers:
    """Return the running maximum of sorted rows, begun anew in each group."""
    # Groups ascend, so adding a step larger than any value per group lets one running maximum serve all.
    _, ranks = np.unique(values, return_inverse=True)
    step = len(values) + 1
    shifted = np.maximum.accumulate(ranks.reshape(-1) + (group + 1) * step)
    ordered = np.unique(values)
    return ordered[shifted - (group + 1) * step] if len(values) else values


def _amounts(history: History, need: Aggregate) -> Integers:
    """Return what the aggregate sums, one integer per event."""
    capped = np.minimum(history.base_minor, SQUARE_MAX)
    values: Integers = {
        What.COUNT: np.ones(len(history.id), dtype=np.int64),
        What.SUM: history.base_minor,
        What.SQUARES: capped * capped,
        What.LOG_SUM: history.log_e4,
        What.LOG_SQUARES: history.log_e4 * history.log_e4,
    }[need.what]
    return values if need.below is None else np.where(history.base_minor <= need.below, values, 0)


def _summed(events: _Events, need: Aggregate, begin: Integers) -> Integers:
    total = np.concatenate(([0], np.cumsum(_amounts(events.history, need)[events.order])))
    return (total[events.end] - total[begin]).astype(np.int64)


def _latest_at(events: _Events, _need: Aggregate, begin: Integers) -> Integers:
    last = events.history.event_us[events.order][np.maximum(events.end - 1, 0)]
    return np.where(begin < events.end, last, MISSING)


def _latest_amounts(events: _Events, _need: Aggregate, begin: Integers) -> Integers:
    place = events.end[:, None] - 1 - np.arange(LATEST_N)[None, :]
    amounts = events.history.base_minor[events.order][np.maximum(place, 0)]
    return np.where(place >= begin[:, None], amounts, -1)


_FAST: dict[What, Callable[[_Events, Aggregate, Integers], Integers]] = {
    What.COUNT: _summed,
    What.SUM: _summed,
    What.SQUARES: _summed,
    What.LOG_SUM: _summed,
    What.LOG_SQUARES: _summed,
    What.LATEST_AT: _latest_at,
    What.LATEST_AMOUNTS: _latest_amounts,
}


def _direct(history: History, need: Aggregate, rows: Integers) -> Integers | np.int64:
    """Return the aggregate of these rows (oldest first), one by one."""
    if need.what == What.DISTINCT:
        keys = history.keys[need.of][rows]
        return np.int64(len(np.unique(keys[keys != 0])))
    if need.what == What.LATEST_AT:
        return np.int64(history.event_us[rows[-1]] if len(rows) else MISSING)
    if need.what == What.LATEST_AMOUNTS:
        latest = np.full(LATEST_N, -1, dtype=np.int64)
        amounts = history.base_minor[rows[::-1][:LATEST_N]]
        latest[: len(amounts)] = amounts
        return latest
    return _amounts_of(history, need, rows)


def _amounts_of(history: History, need: Aggregate, rows: Integers) -> np.int64:
    base, logs = history.base_minor[rows], history.log_e4[rows]
    capped = np.minimum(base, SQUARE_MAX)
    values = {
        What.COUNT: np.ones(len(rows), dtype=np.int64),
        What.SUM: base,
        What.SQUARES: capped * capped,
        What.LOG_SUM: logs,
        What.LOG_SQUARES: logs * logs,
    }[need.what]
    return np.int64((values if need.below is None else values[base <= need.below]).sum())


class _Past:
    """The labels of one entity by the instant they became known, and every pair of a point and a label it saw."""

    def __init__(self, history: History, labels: Labels, entity: str, points: Integers) -> None:
        self.history, self.labels, self.points = history, labels, points
        key = labels.keys[entity]
        self.order = np.lexsort((labels.known_us, key))
        self.keys, group = np.unique(key[self.order], return_inverse=True)
        known = labels.known_us[self.order]
        self.times, rank = np.unique(known, return_inverse=True)
        self.code = group.reshape(-1) * self._span + rank.reshape(-1)
        own = history.keys[entity][points]
        place = np.minimum(np.searchsorted(self.keys, own), max(len(self.keys) - 1, 0))
        absent = (
            (own == 0) | (self.keys[place] != own) if len(self.keys) else np.ones(len(points), dtype=bool)
        )
        self.group = np.where(absent, -1, place)
        self.point, self.row = self._pairs()

    @property
    def _span(self) -> int:
        return len(self.times) + 1

    def _position(self, instant_us: Integers) -> Integers:
        """Return where in its group each point's labels known after an instant begin."""
        rank = np.searchsorted(self.times, instant_us, side="right")
        found = np.searchsorted(self.code, self.group * self._span + rank, side="left")
        return np.where(self.group < 0, 0, found).astype(np.int64)

    def _pairs(self) -> tuple[Integers, Integers]:
        """Return numbers of points and rows of labels, one pair for each label a point could see and that stood."""
        decided = self.history.decided_us[self.points]
        begin, end = self._position(decided - HORIZON_S * _MICRO), self._position(decided)
        count = np.maximum(end - begin, 0)
        point = np.repeat(np.arange(len(self.points)), count)
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        row = self.order[np.repeat(begin, count) + offset]
        labels = self.labels
        ended = labels.superseded_us[row] <= decided[point]
        visible = np.ones(len(row), dtype=bool)
        stop = np.cumsum(count)
        for number in np.flatnonzero([self.history.snapshots[at] is not None for at in self.points]):
            part = slice(stop[number] - count[number], stop[number])
            rows, at = row[part], int(self.points[number])
            visible[part] = self._saw(at, labels.xact[rows], labels.mark[rows])
            ended[part] &= self._saw(at, labels.superseded_xact[rows], labels.superseded_mark[rows])
        keep = visible & ~ended
        return point[keep], row[keep]

    def _saw(self, point: int, xacts: Integers, marks: Integers) -> Mask:
        snapshot = self.history.snapshots[point]
        assert snapshot is not None  # noqa: S101 - the caller asks only for points that have one
        # Within one transaction the mark tells whether the label or the event came first.
        mine = (xacts == self.history.xact[point]) & (marks < self.history.id[point])
        seen: Mask = snapshot.sees(xacts, int(self.history.xact[point])) | mine
        return seen

    def column(self, need: Aggregate) -> Integers:
        """Return the aggregate of every point."""
        decided = self.history.decided_us[self.points]
        recent = self.labels.known_us[self.row] > (decided - need.seconds * _MICRO)[self.point]
        verdict = self.labels.verdict[self.row]
        if need.what == What.KNOWN:
            return self._count(recent & (verdict != UNSURE))
        if need.what == What.KNOWN_FRAUDS:
            return self._count(recent & (verdict == FRAUD))
        event_us = self.labels.event_us[self.row]
        good = verdict == GENUINE
        good_at = np.full(len(self.points), MISSING, dtype=np.int64)
        np.maximum.at(good_at, self.point[good], event_us[good])
        if need.what == What.GOOD_AT:
            return good_at
        run = (verdict == FRAUD) & (event_us > good_at[self.point])
        if need.what == What.RUN_LENGTH:
            return self._count(run)
        first = np.full(len(self.points), FOREVER, dtype=np.int64)
        np.minimum.at(first, self.point[run], event_us[run])
        return np.where(first == FOREVER, MISSING, first)

    def _count(self, chosen: Mask) -> Integers:
        return np.bincount(self.point[chosen], minlength=len(self.points)).astype(np.int64)
