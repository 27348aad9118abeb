"""
A balance as of an instant: the index against SUM over the postings, on accounts with a short and a long history.

Makes a throw-away database. The history is written by one statement with the guards at rest: it is read only.
"""

import json
import random
import time
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

from django.db import connection

from bench.rows import Row
from flowlet.core.clock import now
from ledger.models.accounts import Account
from ledger.operations.accounts import open_account
from ledger.queries.history import AT_INSTANT

GROWTH_MOST, BUFFERS_MOST, SUM_LEAST, FULL = 2.0, 10, 1_000.0, 1_000_000
_SUM = "SELECT coalesce(sum(amount), 0) FROM ledger_posting WHERE account_id = %s AND posted_at <= %s"
_FILL = """
INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date, balance_after, held_after,
                            account_seq, posted_at, key_id, mac)
SELECT %(base)s + g, 1, %(account)s, 'EUR', -1, date '2026-01-01' + (g * 300 / %(n)s)::int, g, 0, g,
       timestamptz '2026-01-01' + g * (interval '300 days' / %(n)s), 1, '\\x00'
FROM generate_series(1, %(n)s) AS g
"""


def _history(count: int, base: int) -> Account:
    account = open_account(chart_code="CUSTOMER_WALLETS", currency="EUR", name=f"with {count}", now=now())
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_FILL, {"account": account.pk, "n": count, "base": base})
        cursor.execute("SET session_replication_role = DEFAULT")
    return account


def _instants(account: Account, count: int) -> list[datetime]:
    """Return that many instants of the account's history, the same in each run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(posted_at), max(posted_at) FROM ledger_posting WHERE account_id = %s", [account.pk]
        )
        first, last = cursor.fetchone()
    draw = random.Random(7)
    return [first + (last - first) * draw.random() for _ in range(count)]


def _timed(sql: str, account: Account, instants: Sequence[datetime]) -> float:
    """Return the median seconds of one look, over one connection."""
    spent = []
    with connection.cursor() as cursor:
        for at in instants:
            started = time.perf_counter()
            cursor.execute(sql, [account.pk, at])
            cursor.fetchone()
            spent.append(time.perf_counter() - started)
    return median(spent)


def _buffers(account: Account, at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {AT_INSTANT}", [account.pk, at])
        found: Any = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def measure(*, short: int = 1_000, long: int = FULL, repeats: int = 200) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    few, many = _history(short, 0), _history(long, 10**9)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) ledger_posting")

    def look(sql: str, account: Account, times: int) -> float:
        return _timed(sql, account, _instants(account, times))

    look(AT_INSTANT, few, repeats)
    # Interleaved: the machine's other work meets both.
    quick = [(look(AT_INSTANT, few, repeats), look(AT_INSTANT, many, repeats)) for _ in range(5)]
    summed = look(_SUM, many, 5)
    buffers = max(_buffers(many, at) for at in _instants(many, 20))
    fast = median(pair[1] for pair in quick)
    return [
        Row(
            f"time at {long:,} postings / at {short:,}",
            median(b / a for a, b in quick),
            GROWTH_MOST,
            at_most=True,
        ),
        Row(f"pages read at {long:,} postings, at most", buffers, BUFFERS_MOST, at_most=True),
        # Smaller histories have a smaller SUM: the goal is that of a million.
        Row(f"time of SUM / of the index at {long:,}", summed / fast, SUM_LEAST * long / FULL),
    ]
