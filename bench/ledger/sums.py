"""
The check that a transaction's legs are complete and sum to zero, on one of 2,000 legs: against no check at all, and
against the check that one writes first, a sum by a trigger on each row.

Server CPU, rounds interleaved.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from django.db import connection, transaction

from bench import measuring
from bench.rows import Row
from bench.ways import DAY, key, ledger_accounts
from flowlet.core.clock import now
from flowlet.core.money import Money
from ledger.operations.posting import Draft, Leg, post

OURS_MOST, BY_ROW_LEAST = 1.5, 2.0
_CHECK = "ALTER TABLE ledger_posting {} TRIGGER posting_whole"
_BY_ROW = (
    """
    CREATE FUNCTION bench_sum_by_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT sum(amount) FROM ledger_posting WHERE transaction_id = NEW.transaction_id) <> 0 THEN
            RAISE EXCEPTION 'unbalanced';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER bench_sum_by_row AFTER INSERT ON ledger_posting DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bench_sum_by_row()
    """,
)
_BY_ROW_GONE = ("DROP TRIGGER bench_sum_by_row ON ledger_posting", "DROP FUNCTION bench_sum_by_row()")


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def _checked(how: str) -> Iterator[None]:
    """Check in that way meanwhile: `ours`, `none` or `row`."""
    if how != "ours":
        _run(_CHECK.format("DISABLE"), *(_BY_ROW if how == "row" else ()))
    try:
        yield
    finally:
        if how != "ours":
            _run(*(_BY_ROW_GONE if how == "row" else ()), _CHECK.format("ENABLE"))


def _post(wallets: Sequence[int], legs: int) -> float:
    """Post one transaction of so many legs; return the server's CPU seconds."""
    half = legs // 2
    amounts = [Money(1, "EUR")] * half + [Money(-1, "EUR")] * half
    found = tuple(Leg(account, amount) for account, amount in zip(wallets, amounts, strict=True))
    draft = Draft(kind="PAYROLL", source="bench", source_key=key(), effective_date=DAY, legs=found)
    pid = measuring.backend_pid()
    before = measuring.server_cpu_s(pid)
    with transaction.atomic():
        post(draft=draft, now=now())
    return measuring.server_cpu_s(pid) - before


def measure(*, legs: int = 2_000, rounds: int = 7) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    wallets = ledger_accounts(legs)
    spent: dict[str, list[float]] = {"ours": [], "none": [], "row": []}
    for number in range(rounds + 1):
        for how, found in spent.items():
            with _checked(how):
                # Plans are made anew after a trigger came or went.
                _post(wallets[:10], 10)
                took = _post(wallets[:legs], legs)
            if number:
                found.append(took)
    ours = median(spent["ours"])
    return [
        Row(
            f"server CPU of {legs:,} legs, our sum check / none",
            ours / median(spent["none"]),
            OURS_MOST,
            at_most=True,
        ),
        Row(
            f"server CPU of {legs:,} legs, a sum per row / our check",
            median(spent["row"]) / ours,
            BY_ROW_LEAST,
        ),
    ]
