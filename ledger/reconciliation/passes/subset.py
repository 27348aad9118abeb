"""Fourth pass: sums of a few movements of one counterparty or one batch, found by adding them up within narrow bounds."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, TypeVar

from ledger.reconciliation.passes.base import MATCHERS, Found, Item, Line, Window, disjoint, without_twins

CANDIDATES_MAX, STATES_MAX = 12, 5_000
Row = TypeVar("Row", Line, Item)


class SumWithCounterparty:
    """
    One line for some items of its counterparty, or one item for some of its lines, if only one choice adds up.

    A line that the bank calls a batch, without a counterparty, is tried with what is left of its value date. Lines that carry an id of ours are left out, and items that a line names, as in the pass before.
    """

    order: ClassVar[int] = 40
    title: ClassVar[str] = "Sum with one counterparty"

    def find(
        self, lines: Sequence[Line], items: Sequence[Item], window: Window, settled: Sequence[Line]
    ) -> list[Found]:
        """Return groups with equal sums; with more than twelve candidates nothing is tried."""
        spoken = {reference for line in lines for reference in line.references}
        mute = without_twins([line for line in lines if line.iban and not line.names_ours], settled)
        ibans = {line.iban for line in mute}
        free = [item for item in items if item.iban in ibans and spoken.isdisjoint(item.references)]
        # What equals one movement on the other side is no part of a sum, though it may be too crowded to be matched.
        item_keys, line_keys = (
            {(one.iban, one.amount) for one in items if one.iban in ibans},
            {(one.iban, one.amount) for one in lines},
        )
        by_line, by_item = _grouped(mute), _grouped(free)
        part_lines = _grouped(one for one in mute if (one.iban, one.amount) not in item_keys)
        part_items = _grouped(one for one in free if (one.iban, one.amount) not in line_keys)
        found: list[Found] = []
        for key, group in by_item.items():
            rivals = by_line.get(key, [])
            for line in (one for one in rivals if (one.iban, one.amount) not in item_keys):
                first, latest = window.days(line)
                found += _sums([line], _between(part_items.get(key, ()), first, latest), of_items=True)
            for item in (one for one in group if rivals and (one.iban, one.amount) not in line_keys):
                first, latest = (
                    item.day - timedelta(days=window.after),
                    item.day + timedelta(days=window.before),
                )
                found += _sums([item], _between(part_lines.get(key, ()), first, latest), of_items=False)
        found += _batches(lines, items, spoken)
        return disjoint(found)


def _batches(lines: Sequence[Line], items: Sequence[Item], spoken: set[str]) -> Iterable[Found]:
    """Try what the bank booked in one sum without its parts: only the items left of its value date, if they are few."""
    batches = [line for line in lines if line.batch and not line.iban and line.value_day is not None]
    wanted = {(line.value_day, line.amount > 0) for line in batches}
    by_day: dict[tuple[date | None, bool], list[Item]] = defaultdict(list)
    for item in items if wanted else ():
        if (item.day, item.amount > 0) in wanted and spoken.isdisjoint(item.references):
            by_day[item.day, item.amount > 0].append(item)
    for line in batches:
        yield from _sums([line], by_day.get((line.value_day, line.amount > 0), ()), of_items=True)


def _grouped(rows: Iterable[Row]) -> Mapping[tuple[str, bool], list[Row]]:
    """Return the rows by counterparty and direction, each group by day."""
    groups: dict[tuple[str, bool], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.iban, row.amount > 0].append(row)
    for group in groups.values():
        group.sort(key=lambda row: (row.day, row.id))
    return groups


def _between(rows: Sequence[Row], first: date, latest: date) -> Sequence[Row]:
    """Return the rows of these days, one more than may be tried at most."""
    start = bisect_left(rows, first, key=lambda row: row.day)
    end = bisect_right(rows, latest, key=lambda row: row.day)
    return rows[start : min(end, start + CANDIDATES_MAX + 1)]


def _sums(whole: Sequence[Line | Item], parts: Sequence[Line | Item], *, of_items: bool) -> Iterable[Found]:
    if len(parts) > CANDIDATES_MAX:
        return
    chosen = only_sum([part.amount for part in parts], whole[0].amount)
    if chosen is None or len(chosen) < 2:  # noqa: PLR2004 - one to one is another pass's matter
        return
    ids = tuple(parts[at].id for at in chosen)
    one = (whole[0].id,)
    lines, items = (one, ids) if of_items else (ids, one)
    yield Found("subset", lines, items, 85, ("sum", "counterparty" if whole[0].iban else "batch", "date"))


def only_sum(amounts: Sequence[int], target: int, *, states_max: int = STATES_MAX) -> tuple[int, ...] | None:
    """
    Return the places of the amounts that add up to the target, if there is exactly one choice.

    None also where more than `states_max` different sums would have to be kept.
    """
    reached: dict[int, tuple[int, int]] = {0: (1, 0)}  # sum -> (ways, two at most; one way as a bit mask)
    for at, amount in enumerate(amounts):
        fresh = dict(reached)
        for total, (ways, mask) in reached.items():
            known_ways, known_mask = fresh.get(total + amount, (0, mask | 1 << at))
            fresh[total + amount] = (min(known_ways + ways, 2), known_mask)
        if len(fresh) > states_max:
            return None
        reached = fresh
    ways, mask = reached.get(target, (0, 0))
    return tuple(at for at in range(len(amounts)) if mask >> at & 1) if ways == 1 and mask else None


MATCHERS.register("subset")(SumWithCounterparty())
