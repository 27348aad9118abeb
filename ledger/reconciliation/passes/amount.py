"""Second pass: the same amount, counterparty and days, where no reference speaks."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, TypeVar

from ledger.reconciliation.passes.base import MATCHERS, Found, Item, Line, Window, without_twins

# Without a reference the days must be closer.
_BEFORE, _AFTER = 5, 1
_Key = tuple[int, str]
Row = TypeVar("Row", Line, Item)


class AmountAndCounterparty:
    """
    The amount, the counterparty's account, and dates near each other.

    A line that carries an id of ours is left out: it is about that object, whatever else fits. So is an item that
    some line names: that line is about it, though its amount differs.
    """

    order: ClassVar[int] = 20
    title: ClassVar[str] = "Amount, counterparty and date"

    def find(
        self, lines: Sequence[Line], items: Sequence[Item], window: Window, settled: Sequence[Line]
    ) -> list[Found]:
        """Return pairs where the item is the line's only one in its window, and the line the item's."""
        near = Window(min(window.before, _BEFORE), min(window.after, _AFTER))
        mute = [line for line in lines if line.iban and not line.names_ours]
        spoken = {reference for line in lines for reference in line.references}
        by_line = _sorted(without_twins(mute, settled))
        by_item = _sorted(
            [
                item
                for item in items
                if (item.amount, item.iban) in by_line and spoken.isdisjoint(item.references)
            ]
        )
        item_days = {key: [item.day for item in group] for key, group in by_item.items()}
        # Lines that were matched count as rivals too: banks book twice, and the second may have lost its reference.
        keys = by_line.keys()
        rivals = _sorted([*mute, *(line for line in settled if (line.amount, line.iban) in keys)])
        rival_days = {key: [line.day for line in group] for key, group in rivals.items()}
        found = []
        for key, group in by_line.items():
            for line in group:
                first, latest = near.days(line)
                candidates = _between(by_item.get(key, ()), item_days.get(key, ()), first, latest)
                if len(candidates) == 1 and _alone(candidates[0], rival_days[key], near):
                    reasons = ("amount", "counterparty", "date")
                    found.append(Found("amount", (line.id,), (candidates[0].id,), 90, reasons))
        return found


def _alone(item: Item, days: Sequence[date], near: Window) -> bool:
    """Tell whether one line only, of those open or settled, could be the item's."""
    return _count(days, item.day - timedelta(days=near.after), item.day + timedelta(days=near.before)) == 1


def _sorted(rows: Sequence[Row]) -> Mapping[_Key, list[Row]]:
    """Return the rows by amount and counterparty, those of one group by day."""
    groups: dict[_Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.amount, row.iban].append(row)
    for group in groups.values():
        group.sort(key=lambda row: (row.day, row.id))
    return groups


def _between(rows: Sequence[Row], days: Sequence[date], first: date, latest: date) -> Sequence[Row]:
    """Return at most two rows of these days: more than one is one too many."""
    start = bisect_left(days, first)
    return rows[start : min(bisect_right(days, latest), start + 2)]


def _count(days: Sequence[date], first: date, latest: date) -> int:
    return bisect_right(days, latest) - bisect_left(days, first)


MATCHERS.register("amount")(AmountAndCounterparty())
