"""
What proof costs: signing each row against not signing, and a sealer in the background against none.

One throw-away database, interleaved rounds: figures compare within a run only.
"""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from statistics import median
from typing import Any

from django.db import connection

from bench import measuring
from bench.rows import Row
from bench.ways import WAYS, Way
from flowlet.core.clock import now
from ledger.models.transactions import LedgerTransaction
from ledger.operations.checking import prove
from ledger.operations.periods import make_periods
from ledger.operations.sealing import seal

DIGEST_MOST, SEALING_LEAST, SEALED_LEAST = 1.3, 0.9, 1.0
_GUARDS = ("ledger_transaction_guard", "ledger_posting_guard")
# The statement that signs, and what stands in its place for comparison.
_UNSIGNED = {
    "ledger_transaction_guard": r"NEW.key_id := 1; NEW.epoch := 1; NEW.mac := '\x00';",
    "ledger_posting_guard": r"NEW.key_id := 1; NEW.mac := '\x00';",
}


def _definitions() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE proname = ANY (%s)", [list(_GUARDS)]
        )
        return dict(cursor.fetchall())


def _unsigned(name: str, definition: str) -> str:
    start = definition.index("SELECT s.key_id")
    end = definition.index("FROM ledger_signer AS s;") + len("FROM ledger_signer AS s;")
    if "ledger_key_missing" in definition:  # asks whether that statement found a key
        end = definition.index("END IF;", end) + len("END IF;")
    return definition[:start] + _UNSIGNED[name] + definition[end:]


def _install(definitions: dict[str, str], *, periods: bool) -> None:
    """Replace the guards' bodies; and ask, or do not ask, whether the period of a posting is open."""
    with connection.cursor() as cursor:
        for text in definitions.values():
            cursor.execute(text)
        cursor.execute(
            f"ALTER TABLE ledger_transaction {'ENABLE' if periods else 'DISABLE'} TRIGGER transaction_period"
        )
    # Backends keep plans of the old body for a moment: begin with a fresh one.
    connection.close()


def digest(way: Way, accounts: Sequence[Any], *, rounds: int, transactions: int) -> float:
    """Return the CPU of a posting, client and server, signed and its period asked for against neither."""
    signed = _definitions()
    bodies = {True: signed, False: {name: _unsigned(name, text) for name, text in signed.items()}}
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds + 1):
        for key in (True, False) if number % 2 else (False, True):
            _install(bodies[key], periods=key)
            total = sum(measuring.cpu(way, accounts, transactions))
            if number:
                spent[key].append(total)
    _install(signed, periods=True)
    return median(spent[True]) / median(spent[False])


def _seal_until(stop: Event) -> None:
    connection.close()
    while not stop.is_set():
        seal()
        time.sleep(1.0)
    connection.close()


@contextmanager
def sealing() -> Iterator[None]:
    """Seal every second in a process of its own, as the scheduler has it done."""
    connection.close()
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    sealer = context.Process(target=_seal_until, args=(stop,))
    sealer.start()
    try:
        yield
    finally:
        stop.set()
        sealer.join()


def background(
    way: Way, accounts: Sequence[Any], *, rounds: int, seconds: float, processes: int
) -> tuple[float, float]:
    """Return the throughput with a sealer against without one, and the share of transactions sealed in the end."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    for number in range(rounds + 1):
        for key in (True, False) if number % 2 else (False, True):
            # Neither way begins with work that the other left.
            seal()
            if key:
                with sealing():
                    rate = measuring.throughput(way, accounts, seconds, processes)
            else:
                rate = measuring.throughput(way, accounts, seconds, processes)
            if number:
                rates[key].append(rate)
    seal()
    total = LedgerTransaction.objects.count()
    sealed = LedgerTransaction.objects.filter(seal__isnull=False).count()
    return median(rates[True]) / median(rates[False]), sealed / total


def measure(
    *, rounds: int = 5, transactions: int = 400, seconds: float = 2.0, processes: int = 4
) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    by_key = {way.key: way for way in WAYS}
    accounts = by_key["function"].accounts()
    make_periods(now=now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    ratio, sealed = background(
        by_key["function"], accounts, rounds=rounds, seconds=seconds, processes=processes
    )
    report = prove(now=LedgerTransaction.objects.latest("posted_at").posted_at)
    return [
        Row("postings per second with a sealer / without", ratio, SEALING_LEAST),
        Row("share of transactions sealed in the end", sealed, SEALED_LEAST),
        Row("faults of the whole proof afterwards", report.faults, 0, at_most=True),
        # Last: what it writes without signatures the proof would rightly find.
        *(
            Row(
                f"CPU of {by_key[key].title}, signed and in an open period / neither",
                digest(by_key[key], accounts, rounds=rounds, transactions=transactions),
                DIGEST_MOST,
                at_most=True,
            )
            for key in ("function", "batch")
        ),
    ]
