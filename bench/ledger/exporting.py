"""
What an export costs: a CSV statement against COPY of the same rows, with its peak memory; paper and workbook of 10,000.

One throw-away database. COPY is what the server can do without names, decrypted texts, running balances and proof; the
export adds those row by row. Memory is the peak of this process above what it held before.
"""

import gc
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.db import connection

from bench.rows import Row
from flowlet.core.money import Money
from ledger.models.accounts import Account
from ledger.operations.accounts import house_account, open_account
from ledger.operations.posting import Draft, Leg, post_many
from ledger.statements.builder import build_statement
from ledger.statements.facts import Statement
from ledger.statements.formats import STATEMENT_FORMATS, load

NOW, DAY = datetime(2026, 1, 15, tzinfo=UTC), date(2026, 1, 15)
COPY_MOST, MEMORY_MOST, SECONDS_MOST, PAPER = 40.0, 48.0, 5.0, 10_000
_AT_ONCE = 500
_COPY = """
COPY (SELECT p.effective_date, p.account_seq, t.public_id, t.kind, x.text, p.amount, p.balance_after, p.posted_at
      FROM ledger_posting p JOIN ledger_transaction t ON t.id = p.transaction_id
      LEFT JOIN ledger_transactiontext x ON x.transaction_id = t.id
      WHERE p.account_id = {} ORDER BY p.effective_date, p.account_seq) TO STDOUT WITH CSV
"""


class _Nowhere:
    """What files are written into: it counts and forgets."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        return None

    closed = False


def fill(entries: int, *, name: str = "bench") -> Account:
    """Book that many entries, with texts, on a wallet's account of that name."""
    bank = house_account(chart_code="CLIENT_MONEY_BANK", currency="EUR", now=NOW)
    wallet = open_account(chart_code="CUSTOMER_WALLETS", currency="EUR", name=name, now=NOW)
    for start in range(0, entries, _AT_ONCE):
        post_many(
            drafts=[
                Draft(
                    kind="DEPOSIT",
                    source=name,
                    source_key=f"{number:09}",
                    effective_date=DAY,
                    text=f"Order {number}, thank you",
                    legs=(Leg(bank.pk, Money(100, "EUR")), Leg(wallet.pk, Money(-100, "EUR"))),
                )
                for number in range(start, min(start + _AT_ONCE, entries))
            ],
            now=NOW,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return wallet


def statement_of(account: Account) -> Statement:
    """Return the statement, its entries still in the database."""
    return build_statement(
        account_id=account.pk,
        first=DAY,
        last=DAY,
        reference="wal_bench",
        owner="Bench",
        names=lambda _: {},
        streamed=True,
    )


def _copy(account: Account) -> None:
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(_COPY.format(account.pk), _Nowhere())


def _export(name: str, account: Account) -> None:
    out: Any = _Nowhere()
    STATEMENT_FORMATS.get(name).write([statement_of(account)], out)


def _timed(way: Callable[[], None]) -> float:
    begun = time.perf_counter()
    way()
    return time.perf_counter() - begun


def _peak_mb(way: Callable[[], None]) -> float:
    """Return by how many megabytes the process grew at most while it worked."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the old peak
    before = _status("VmRSS")
    way()
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def measure(*, entries: int = 1_000_000, rounds: int = 2) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    load()
    account = fill(entries)
    # Before anything else is exported: what was freed once is not given back, and would hide a second peak.
    peak = _peak_mb(lambda: _export("csv", account))
    copied = min(_timed(lambda: _copy(account)) for _ in range(rounds))
    exported = min(_timed(lambda: _export("csv", account)) for _ in range(rounds))
    rows = [
        Row(
            f"CSV statement of {entries:,} entries / COPY of its rows",
            exported / copied,
            COPY_MOST,
            at_most=True,
        ),
        Row(
            f"peak memory of that export, MB above rest ({entries:,} entries)",
            peak,
            MEMORY_MOST,
            at_most=True,
        ),
    ]
    paper = fill(PAPER, name="paper")
    for name in ("pdf", "xlsx", "camt053"):
        begun = time.process_time()
        _export(name, paper)
        took = time.process_time() - begun
        rows.append(Row(f"{name} of {PAPER:,} entries, seconds of CPU", took, SECONDS_MOST, at_most=True))
    return rows
