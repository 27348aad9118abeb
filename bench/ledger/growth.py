"""
Whether a ledger stays as quick when it grows: the same work on one of 10,000 entries, a million and ten million.

A database each on one server, visited in turn, so that the machine's other work meets all of them.
"""

import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from statistics import median

from django.db import connection

from bench import measuring
from bench.databases import connect, copied
from bench.ledger.history import fill
from bench.rows import Row
from bench.ways import WAYS
from ledger.queries.history import AT_INSTANT

FLAT_MOST = 1.1
SIZES = (10_000, 1_000_000, 10_000_000)
_FUNCTION = next(way for way in WAYS if way.key == "function")
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def _look(wallets: Sequence[int], looks: int) -> float:
    """Return the median seconds of reading a wallet's balance as of an instant of its past."""
    spent = []
    with connection.cursor() as cursor:
        for number in range(looks + 20):
            at = _FIRST + timedelta(days=300 * random.random())
            begun = time.perf_counter()
            cursor.execute(AT_INSTANT, [random.choice(wallets), at])
            cursor.fetchone()
            if number >= 20:  # plans and pages are warm
                spent.append(time.perf_counter() - begun)
    return median(spent)


def measure(
    *, sizes: Sequence[int] = SIZES, rounds: int = 7, transactions: int = 400, looks: int = 300
) -> list[Row]:
    """Measure in copies of the database that is connected; it must be a throw-away one."""
    spent: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    with ExitStack() as stack:
        names, wallets, empty = {}, {}, connection.settings_dict["NAME"]
        for size in sizes:
            connect(empty)
            names[size] = stack.enter_context(copied(str(size)))
            wallets[size] = fill(size)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM (ANALYZE)")
            print(f"  {size:,} entries are there", file=sys.stderr)
        for number in range(rounds + 1):
            for size in sizes if number % 2 else reversed(sizes):
                connect(names[size])
                posting = sum(measuring.cpu(_FUNCTION, wallets[size], transactions))
                if number:
                    spent[size].append((posting, _look(wallets[size], looks)))
    small, *larger = sizes
    return [
        Row(
            f"{what}, {size:,} entries / {small:,}",
            median(one[place] / other[place] for one, other in zip(spent[size], spent[small], strict=True)),
            FLAT_MOST,
            at_most=True,
        )
        for size in larger
        for place, what in enumerate(("CPU of a posting", "time of a balance as of"))
    ]
