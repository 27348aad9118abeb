"""Third pass: sums that the bank or the processor took apart itself, by a batch id, by references, or part by part."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import ClassVar

from ledger.reconciliation.passes.base import MATCHERS, Found, Item, Line, Window, disjoint


class NamedParts:
    """One line for many items, or many lines for one, where the bank's own words say what belongs together."""

    order: ClassVar[int] = 30
    title: ClassVar[str] = "Batch and its parts"

    def find(
        self, lines: Sequence[Line], items: Sequence[Item], window: Window, settled: Sequence[Line]
    ) -> list[Found]:
        """Return groups whose sums are equal, and of which no line and no item is in two."""
        del settled
        return disjoint(
            {
                (one.lines, frozenset(one.items)): one
                for one in (
                    *_by_parts(lines, items, window),
                    *_by_batch(lines, items),
                    *_by_shared_reference(lines, items, window),
                )
            }.values()
        )


def _by_parts(lines: Sequence[Line], items: Sequence[Item], window: Window) -> Iterable[Found]:
    """One line whose parts the bank lists: each part is one item, and the parts are the whole."""
    wanted = {(part.reference, part.amount) for line in lines for part in line.parts}
    known: dict[tuple[str, int], list[Item]] = defaultdict(list)
    for item in items if wanted else ():
        for reference in item.references:
            if (reference, item.amount) in wanted:
                known[reference, item.amount].append(item)
    for line in lines:
        if sum(part.amount for part in line.parts) != line.amount:
            continue
        groups = [known.get((part.reference, part.amount), []) for part in line.parts]
        if not groups or any(len(group) != 1 for group in groups):
            continue
        chosen = [group[0] for group in groups]
        if len({item.id for item in chosen}) == len(chosen) and _near(line, chosen, window):
            yield _found([line], chosen, 95, ("parts", "sum"))


def _by_batch(lines: Sequence[Line], items: Sequence[Item]) -> Iterable[Found]:
    """One line and all items of its batch, such as a processor's payout; the sums agree."""
    batches: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.batch:
            batches[item.batch].append(item)
    if not batches:
        return
    named: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for batch in {line.batch, *line.references} - {""}:
            if batch in batches:
                named[batch].append(line)
    for batch, claimants in named.items():
        group = batches[batch]
        if len(claimants) == 1 and sum(item.amount for item in group) == claimants[0].amount:
            yield _found(claimants, group, 95, ("batch", "sum"))


def _by_shared_reference(lines: Sequence[Line], items: Sequence[Item], window: Window) -> Iterable[Found]:
    """Several lines with the reference of one item, which together make its amount."""
    wanted = {reference for line in lines for reference in line.references}
    named: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        for reference in wanted & item.references:
            named[reference].append(item)
    carriers: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        for reference in line.references:
            if len(named.get(reference, ())) == 1:
                carriers[reference].append(line)
    for reference, group in carriers.items():
        item = named[reference][0]
        if (
            len(group) > 1
            and sum(line.amount for line in group) == item.amount
            and _fits(group, item, window)
        ):
            yield _found(group, [item], 95, ("reference", "sum"))


def _fits(lines: Iterable[Line], item: Item, window: Window) -> bool:
    return all((line.amount > 0) is (item.amount > 0) and window.holds(line, item) for line in lines)


def _near(line: Line, items: Iterable[Item], window: Window) -> bool:
    return all(window.holds(line, item) for item in items)


def _found(lines: Sequence[Line], items: Sequence[Item], score: int, reasons: tuple[str, ...]) -> Found:
    return Found("batch", tuple(line.id for line in lines), tuple(item.id for item in items), score, reasons)


MATCHERS.register("batch")(NamedParts())
