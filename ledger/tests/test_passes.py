"""Matching as pure functions: what is beyond doubt, and what is not."""

from datetime import date, timedelta

import pytest

from ledger.reconciliation.passes import base
from ledger.reconciliation.passes.base import MATCHERS, Item, Line, Part, Window, references, run
from ledger.reconciliation.passes.subset import only_sum
from ledger.reconciliation.suggesting import suggest

DAY = date(2026, 11, 2)
OURS = "DEP01JBQ8Z5X0000000000000000A"
OTHER = "DEP01JBQ8Z5X0000000000000000B"
THEIRS = "DE89370400440532013000"

base.load()


def line(key: int, amount: int, *names: str, day: int = 0, **more: object) -> Line:
    return Line(key, amount, DAY + timedelta(days=day), frozenset(names), **more)


def item(key: int, amount: int, *names: str, day: int = 0, **more: object) -> Item:
    return Item(key, amount, DAY + timedelta(days=day), frozenset(names), **more)


def pairs(lines: list[Line], items: list[Item]) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    return {(one.lines, tuple(sorted(one.items))) for one in run(lines, items, Window()).found}


def test_references_survive_what_banks_do_to_them():
    text = "Thanks // dep 01JBQ8Z5X0000000000000000A. Regards"

    found = references("NOTPROVIDED", "po_1Abc-Def", "x1", text=text)

    assert found == {OURS, "PO1ABCDEF"}


@pytest.mark.parametrize(
    ("lines", "items", "expected"),
    [
        # The reference and the amount, both ways.
        ([line(1, 500, OURS)], [item(7, 500, OURS), item(8, 500, OTHER)], {((1,), (7,))}),
        # The reference alone is not enough, nor the amount.
        ([line(1, 490, OURS)], [item(7, 500, OURS)], set()),
        ([line(1, 500)], [item(7, 500)], set()),
        # Stated twice by the bank: a person decides which.
        ([line(1, 500, OURS), line(2, 500, OURS)], [item(7, 500, OURS)], set()),
        # Two references of one line that mean two items.
        ([line(1, 500, OURS, OTHER)], [item(7, 500, OURS), item(8, 500, OTHER)], set()),
        # Too long ago.
        ([line(1, 500, OURS)], [item(7, 500, OURS, day=-11)], set()),
        # Amount, counterparty and date.
        ([line(1, 500, iban=THEIRS)], [item(7, 500, OURS, iban=THEIRS, day=-3)], {((1,), (7,))}),
        ([line(1, 500, iban=THEIRS)], [item(7, 500, iban=THEIRS), item(8, 500, iban=THEIRS)], set()),
        (
            [line(1, 500, iban=THEIRS), line(2, 500, iban=THEIRS, day=2)],
            [item(7, 500, iban=THEIRS)],
            set(),
        ),
        # A line about another object of ours is about no other, whatever else fits.
        ([line(1, 500, OTHER, iban=THEIRS)], [item(7, 500, OURS, iban=THEIRS)], set()),
        # An item that a line names with another amount is spoken for.
        (
            [line(1, 490, OURS, iban=THEIRS), line(2, 500, iban=THEIRS)],
            [item(7, 500, OURS, iban=THEIRS)],
            set(),
        ),
        # A batch that adds up, and one that does not.
        ([line(1, 95, "PO1ABCDEF")], [item(7, 100, batch="PO1ABCDEF"), item(8, -5, batch="PO1ABCDEF")], {((1,), (7, 8))}),
        ([line(1, 96, "PO1ABCDEF")], [item(7, 100, batch="PO1ABCDEF"), item(8, -5, batch="PO1ABCDEF")], set()),
        # Parts that the bank lists.
        (
            [line(1, 80, parts=(Part(OURS, 50), Part(OTHER, 30)))],
            [item(7, 50, OURS), item(8, 30, OTHER)],
            {((1,), (7, 8))},
        ),
        # Two lines for one item, by its reference.
        ([line(1, 300, OURS), line(2, 200, OURS)], [item(7, 500, OURS)], {((1, 2), (7,))}),
        # Sums with one counterparty, if there is one way only.
        (
            [line(1, 800, iban=THEIRS)],
            [item(7, 500, iban=THEIRS), item(8, 300, iban=THEIRS), item(9, 77, iban=THEIRS)],
            {((1,), (7, 8))},
        ),
        (
            [line(1, 800, iban=THEIRS)],
            [item(7, 500, iban=THEIRS), item(8, 300, iban=THEIRS), item(9, 800, iban=THEIRS, day=1)],
            {((1,), (9,))},
        ),
        (
            [line(1, 800, iban=THEIRS)],
            [item(k, amount, iban=THEIRS) for k, amount in ((6, 500), (7, 300), (8, 600), (9, 200))],
            set(),
        ),
        # Money out mirrors it.
        ([line(1, -500, iban=THEIRS)], [item(7, -500, iban=THEIRS), item(8, 500, iban=THEIRS)], {((1,), (7,))}),
    ],
)  # fmt: skip
def test_only_what_is_unique_both_ways_is_matched(lines, items, expected):
    assert pairs(lines, items) == expected


def test_every_pass_returns_disjoint_groups_with_equal_sums():
    lines = [
        line(k, 100 * (k % 7 + 1), *([OURS] if k == 3 else []), iban=f"I{k % 5}", day=k % 3)
        for k in range(60)
    ]
    items = [
        item(k, 100 * (k % 7 + 1), *([OURS] if k == 3 else []), iban=f"I{k % 5}", day=k % 4)
        for k in range(60)
    ]
    amounts = {one.id: one.amount for one in items}

    for name in MATCHERS:
        found = run(lines, items, Window(), matchers=[name]).found

        used_lines = [one for result in found for one in result.lines]
        used_items = [one for result in found for one in result.items]
        assert len(used_lines) == len(set(used_lines))
        assert len(used_items) == len(set(used_items))
        for result in found:
            assert sum(lines[one].amount for one in result.lines) == sum(amounts[one] for one in result.items)


def test_a_sum_is_found_only_where_one_choice_adds_up():
    assert only_sum([5, 7, 11], 12) == (0, 1)
    assert only_sum([5, 7, 12], 12) is None
    assert only_sum([1, 2, 4], 100) is None
    assert only_sum([1, 2, 4, 8], 3, states_max=4) is None
    assert only_sum([100, -5, 40], 95) == (0, 1)


def test_people_get_suggestions_with_reasons_best_first():
    asked = line(1, 9_950, OURS, iban=THEIRS, name="Sandvik Mirela")
    named = item(7, 10_000, OURS, day=-1)
    equal = item(8, 9_950, iban=THEIRS, name="Mirela Sandvik")
    far = item(9, 4_000, iban=THEIRS)

    found = suggest(asked, [far, equal, named], Window())

    assert [(one.items, one.reasons) for one in found] == [
        ((8,), ("amount", "counterparty", "name", "date")),
        ((7,), ("reference", "fee", "date")),
    ]
    assert suggest(line(1, 9_950), [item(7, -9_950)], Window()) == []
