"""
A thousand edits of single columns, drawn by lot: each edited row is named by the proof, and no other.

`LEDGER_EDIT_SEEDS=200 pytest ledger/tests/test_single_edits.py` draws two hundred thousand.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from django.db import connection

from ledger.models.seals import Block
from ledger.operations.checking import prove
from ledger.operations.posting import post_many
from ledger.operations.sealing import seal
from ledger.queries import chain
from ledger.queries.verification import Report
from ledger.tests.doctoring import UNCHECKED, as_superuser, columns
from ledger.tests.factories import NOW, bank, draft, wallet_account
from ledger.tests.holding import hold

pytestmark = pytest.mark.django_db
SEEDS = range(int(os.environ.get("LEDGER_EDIT_SEEDS", "1")))
BLOCKS, TRANSACTIONS, HOLDS, ROUNDS = 9, 20, 3, 2
# Further than any key there is: a row whose key is edited meets no other.
FAR = 1_000_001
ROWS = {
    "ledger_transaction": ("signed_transactions", r"transaction (\d+) "),
    "ledger_posting": ("signed_postings", r"posting (\d+) "),
    "ledger_holdevent": ("signed_hold_events", r"event (\d+) of"),
}


@pytest.fixture
def books() -> None:
    """Nine blocks of transfers and holds, and a tenth lot of both that no block holds yet."""
    account, other_side = wallet_account(), bank()
    for block in range(BLOCKS + 1):
        legs = ((other_side, 100 + block), (account, -100 - block))
        post_many(drafts=[draft(*legs, key=f"{block}-{number}") for number in range(TRANSACTIONS)], now=NOW)
        for number in range(HOLDS):
            hold(account, 1 + number, key=f"hold-{block}-{number}", seconds=3_600)
        if block < BLOCKS:
            seal()


@pytest.fixture(autouse=True)
def _all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "SHOWN_PER_CHECK", 10**6)


def edited(lot: Random, column: str, kind: str, length: int) -> str:
    """An expression for another value of that type, drawn by lot."""
    # From so many that no two rows are given the same: some columns are unique.
    by, word = lot.randint(1, 10**8), lot.choice("qxz") + str(lot.randint(1, 10**8))
    return {
        "bigint": f"coalesce({column}, 0) + {by}",
        "integer": f"coalesce({column}, 0) + {by}",
        "smallint": f"{column} + {by % 10_000 + 2}",
        "numeric": f"coalesce({column}, 0) + {by} * 0.000000000001",
        "date": f"{column} + {by % 10_000 + 1}",
        "timestamp with time zone": f"coalesce({column}, now()) + interval '{by} microsecond'",
        "jsonb": f"{column} || '{{\"{word}\": {by}}}'",
        "bytea": f"sha256(coalesce({column}, '') || '{by}')",
        "character varying": f"left('{word}' || coalesce({column}, ''), {length})",
    }[kind]


def edit(lot: Random, table: str, key: str, value: int) -> tuple[str, int]:
    """Return an edit of one column of a row, and the row's key after it."""
    column, kind, length = lot.choice(columns_of(table))
    new = f"{key} + {FAR}" if column == key else edited(lot, column, kind, length)
    return f"UPDATE {table} SET {column} = {new} WHERE {key} = {value}", value + FAR * (column == key)


@cache
def columns_of(table: str) -> list[tuple[str, str, int]]:
    return columns(table)


def keys(table: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {table} ORDER BY id")
        return [key for (key,) in cursor.fetchall()]


def named(report: Report, check: str, pattern: str) -> set[int]:
    found = [finding.row for finding in report.findings if finding.check == check]
    return {int(match[1]) for row in found if (match := re.match(pattern, row))}


def rounds(seed: int) -> Iterator[Random]:
    return (Random(f"{seed} {number}") for number in range(ROUNDS))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_of_a_thousand_edits_is_found_and_nothing_else_is_named(books: None, seed: int) -> None:
    drawn = 0
    for lot in rounds(seed):
        edits = {table: [edit(lot, table, "id", key) for key in keys(table)] for table in ROWS}
        statements = [statement for made in edits.values() for statement, _ in made]
        with as_superuser(*UNCHECKED, *statements):
            report = prove(now=NOW)
        for table, (check, pattern) in ROWS.items():
            assert named(report, check, pattern) == {key for _, key in edits[table]}, (seed, table)
        drawn += len(statements)

    assert drawn >= 1_000
    assert prove(now=NOW).clean


@pytest.mark.parametrize("seed", SEEDS)
def test_each_edit_of_a_block_is_found_beside_the_block_that_follows_it(books: None, seed: int) -> None:
    blocks = list(Block.objects.order_by("n").values_list("n", flat=True))
    for lot in rounds(seed):
        # Every other one: a block names the hash before, so an edit shows at the next one as well.
        edits = [edit(lot, "ledger_block", "n", n) for n in blocks[lot.randint(0, 1) :: 2]]
        with as_superuser(*(statement for statement, _ in edits)):
            told = named(prove(now=NOW), "blocks", r"block (\d+)$")
        assert {n for _, n in edits} <= told, (seed, [statement for statement, _ in edits])
