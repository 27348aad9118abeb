"""
What a trial balance costs: stored closings and day totals against adding every posting up.

One throw-away database, interleaved rounds: figures compare within a run only. A year of postings, eleven months of
which are closed; both ways give the same figures, or the run fails.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from statistics import median

from django.db import connection

from bench.rows import Row
from ledger.models.periods import Period
from ledger.operations.accounts import open_account
from ledger.operations.periods import begin_close, continue_close, make_periods
from ledger.queries.totals import totals_until

CLOSINGS_LEAST, KNOWN_LEAST = 50.0, 10.0
ACCOUNTS = 500
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
NOW = datetime(2026, 1, 15, tzinfo=UTC)
_SUM = """
SELECT a.chart_account_id, p.currency, sum(p.amount)::bigint
FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
WHERE p.effective_date <= %s GROUP BY a.chart_account_id, p.currency HAVING sum(p.amount) <> 0
"""
# A year's history at once, as a restore would bring it: no guard is asked, and none of it changes afterwards.
_LOAD = (
    "SET session_replication_role = replica",
    """
    INSERT INTO ledger_transaction (id, public_id, kind, source, source_key, fingerprint, effective_date, leg_count,
                                    actor, context, quote, xid, epoch, key_id, mac, posted_at)
    OVERRIDING SYSTEM VALUE
    SELECT n, 'txn_' || n, 'BENCH', 'bench', n, '', day, 2, 'bench', '{}', '', n, 0, 1, '', day
    FROM (SELECT n, %(first)s::date + ((n * 365) / (%(n)s + 1))::int AS day FROM generate_series(1, %(n)s) AS n) AS t
    """,
    """
    INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date, balance_after,
                                held_after, account_seq, posted_at, key_id, mac)
    SELECT t.id, leg, CASE leg WHEN 1 THEN a.low + t.id %% %(accounts)s ELSE a.low + (t.id * 7 + 3) %% %(accounts)s END,
           'EUR', CASE leg WHEN 1 THEN 1 ELSE -1 END * (100 + t.id %% 900), t.effective_date, 0, 0, t.id * 2 + leg,
           t.posted_at, 1, ''
    FROM ledger_transaction t, generate_series(1, 2) AS leg, (SELECT min(id) AS low FROM ledger_account) AS a
    WHERE t.kind = 'BENCH'
    """,
    """
    INSERT INTO ledger_block (n, epoch, floor_xid, transactions, hold_events, sealed_at, previous, hash, key_id, mac)
    VALUES (1, 0, %(n)s + 1, %(n)s, 0, %(first)s, '', '', 1, '')
    """,
    "INSERT INTO ledger_sealedtransaction (transaction_id, block_id) SELECT id, 1 FROM ledger_transaction",
    """
    INSERT INTO ledger_daytotal (chart_account_id, currency, effective_date, known_date, debit, credit, count)
    SELECT a.chart_account_id, p.currency, p.effective_date, p.effective_date, sum(greatest(p.amount, 0)),
           sum(greatest(-p.amount, 0)), count(*)
    FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
    GROUP BY a.chart_account_id, p.currency, p.effective_date
    """,
    "SET session_replication_role = DEFAULT",
)


def load(postings: int) -> None:
    """Fill the database with a year of postings and close its first eleven months."""
    codes = ("CLIENT_MONEY_BANK", "SETTLEMENT_CLEARING", "CUSTOMER_WALLETS", "FEE_INCOME", "PROCESSING_COST")
    for number in range(ACCOUNTS):
        open_account(
            chart_code=codes[number % len(codes)],
            currency="EUR",
            name=f"bench {number}",
            floor_minor=None,
            now=NOW,
        )
    with connection.cursor() as cursor:
        for sql in _LOAD:
            cursor.execute(sql, {"n": postings // 2, "first": FIRST, "accounts": ACCOUNTS})
    make_periods(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for period in Period.objects.filter(last_date__lt=date(2025, 12, 1)).order_by("first_date"):
        begin_close(period_id=period.pk, now=NOW)
        if points := continue_close(period_id=period.pk, now=NOW):
            raise RuntimeError(f"{period} cannot be closed: {points}")


def _added_up() -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(_SUM, [LAST])
        return {(chart, currency): net for chart, currency, net in cursor.fetchall()}


def _stored() -> dict[tuple[int, str], int]:
    return {(one.chart_account_id, one.currency): one.net for one in totals_until(LAST)}


def _known() -> dict[tuple[int, str], int]:
    return {(one.chart_account_id, one.currency): one.net for one in totals_until(LAST, known=LAST)}


def _timed(way: Callable[[], dict[tuple[int, str], int]]) -> float:
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def measure(*, postings: int = 1_000_000, rounds: int = 9) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    load(postings)
    if not _added_up() == _stored() == _known():
        raise RuntimeError("the ways differ")
    spent: dict[str, list[float]] = {"sum": [], "stored": [], "known": []}
    for number in range(rounds + 1):
        for key, way in (("sum", _added_up), ("stored", _stored), ("known", _known)):
            took = _timed(way)
            if number:
                spent[key].append(took)
    added = median(spent["sum"])
    size = f"{postings:,} postings"
    return [
        Row(
            f"trial balance, SUM over {size} / closings and day totals",
            added / median(spent["stored"]),
            CLOSINGS_LEAST,
        ),
        Row(
            f"trial balance as known at a day, SUM over {size} / day totals",
            added / median(spent["known"]),
            KNOWN_LEAST,
        ),
    ]
