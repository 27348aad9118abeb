"""First pass: the same reference and the same amount."""

from collections import defaultdict
from collections.abc import Sequence
from typing import ClassVar

from ledger.reconciliation.passes.base import MATCHERS, Found, Item, Line, Window, disjoint


class ExactReference:
    """A reference that line and item share (end-to-end id, our id, payout id), and one amount."""

    order: ClassVar[int] = 10
    title: ClassVar[str] = "Reference and amount"

    def find(
        self, lines: Sequence[Line], items: Sequence[Item], window: Window, settled: Sequence[Line]
    ) -> list[Found]:
        """Return pairs that no other line and no other item could be part of."""
        del settled
        named = {(reference, line.amount) for line in lines for reference in line.references}
        with_reference: dict[tuple[str, int], list[Item]] = defaultdict(list)
        for item in items:
            for reference in item.references:
                # Most items wait for a line that has not come: they are not worth an entry.
                if (reference, item.amount) in named:
                    with_reference[reference, item.amount].append(item)
        claims: dict[tuple[str, int], list[Line]] = defaultdict(list)
        for line in lines:
            for reference in line.references:
                if (reference, line.amount) in with_reference:
                    claims[reference, line.amount].append(line)
        # What stands in a crowd is not unique, by whatever other reference it could be told.
        pairs: dict[tuple[int, int], Found] = {}
        crowd_lines: set[int] = set()
        crowd_items: set[int] = set()
        for key, claimants in claims.items():
            claimed = with_reference[key]
            if len(claimants) == 1 and len(claimed) == 1:
                line, item = claimants[0], claimed[0]
                if window.holds(line, item):
                    pairs[line.id, item.id] = _found(line, item)
            else:
                crowd_lines.update(one.id for one in claimants)
                crowd_items.update(one.id for one in claimed)
        return disjoint(
            found
            for (line_id, item_id), found in pairs.items()
            if line_id not in crowd_lines and item_id not in crowd_items
        )


def _found(line: Line, item: Item) -> Found:
    return Found("reference", (line.id,), (item.id,), 100, ("reference", "amount"))


MATCHERS.register("reference")(ExactReference())
