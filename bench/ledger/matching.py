"""
Matching against a careless bank: what it finds, that it is never wrong, and how its time grows.

Pure passes over invented movements, no database. The time of 10,000 lines against 100,000 items is held against that of
1,000 against 10,000, the best of three runs each, one after the other.
"""

from collections.abc import Sequence
from time import process_time

from bench.rows import Row
from ledger.reconciliation.generate import play_bank
from ledger.reconciliation.passes.base import Item, Line, Window, run
from ledger.tests.perturbed import CARELESS, as_item, as_line, invented_items, score

_RECALL, _GROWTH, _RUNS = 0.98, 10.0, 3


def measure(*, seeds: int = 20, movements: int = 10_000, small: int = 1_000) -> list[Row]:
    """Return the rows of matching: `seeds` banks of `movements` each, and the growth from `small` to ten times it."""
    scores = [
        score(invented_items(movements, seed=seed, customers=movements // 4), seed=seed)
        for seed in range(seeds)
    ]
    return [
        Row(
            "matching: wrong automatic matches of all seeds",
            sum(one.wrong for one in scores),
            0,
            at_most=True,
        ),
        Row("matching: recall, the worst of all seeds", min(one.recall for one in scores), _RECALL),
        Row(
            "matching: time of 10 k lines x 100 k items / of 1 k x 10 k",
            _time(small * 10) / _time(small),
            _GROWTH,
            at_most=True,
        ),
    ]


def _time(count: int) -> float:
    """Return the CPU seconds of matching `count` lines with ten times as many items, the best of some runs."""
    lines, items = _load(count)
    return min(_once(lines, items) for _ in range(_RUNS))


def _once(lines: Sequence[Line], items: Sequence[Item]) -> float:
    began = process_time()
    run(lines, items, Window())
    return process_time() - began


def _load(count: int) -> tuple[list[Line], list[Item]]:
    """Every tenth movement has a line: the others wait for banks that have not told yet. Days grow with the count."""
    items = invented_items(10 * count, seed=1, per_day=count // 5, customers=count)
    told, _ = play_bank(items[::10], seed=1, rates=CARELESS)
    return [as_line(key, line) for key, line in enumerate(told)], [as_item(one) for one in items]
