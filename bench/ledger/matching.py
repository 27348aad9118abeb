"""
Matching against a careless bank: what it finds, that it is never wrong, and how its time grows.

Recall and wrong matches: pure passes over invented movements, no database. Growth: the job itself, from reading what is
open to the last journal, CPU of client and server. The time of 10,000 lines against 100,000 items is held against that
of 1,000 against 10,000, before and after it, all within the same fifty days.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from statistics import mean
from time import process_time

from django.db import connection

from bench import measuring
from bench.rows import Row
from flowlet.audit.trail import Actor, acting
from flowlet.core.money import Money
from ledger.operations.accounts import house_account, open_account
from ledger.operations.bank_accounts import open_house_bank_account
from ledger.operations.matching import MatchRun, match_lines
from ledger.operations.posting import Draft, Leg, post_many
from ledger.operations.reconciliation import import_file
from ledger.reconciliation.generate import Item, one_statement, play_bank
from ledger.reconciliation.write import camt053
from ledger.tests.perturbed import CARELESS, invented_items, score

RECALL_LEAST, GROWTH_MOST, DAYS = 0.98, 10.0, 50
NOW = datetime(2026, 12, 15, tzinfo=UTC)
_ITEMS_PER_LINE, _AT_ONCE, _CUSTOMERS = 10, 500, 500


def measure(*, seeds: int = 20, movements: int = 10_000, small: int = 1_000) -> list[Row]:
    """Return the rows of matching: `seeds` banks of `movements` each, and the growth from `small` to ten times it."""
    scores = [
        score(invented_items(movements, seed=seed, customers=movements // 4), seed=seed)
        for seed in range(seeds)
    ]
    # A currency each, so that none sees the others' items.
    first, large, last = (
        _spent("EUR", small, seed=1),
        _spent("USD", 10 * small, seed=2),
        _spent("GBP", small, seed=3),
    )
    return [
        Row(
            "wrong automatic matches of all seeds",
            sum(one.wrong for one in scores),
            0,
            at_most=True,
        ),
        Row("recall of matching, the worst of all seeds", min(one.recall for one in scores), RECALL_LEAST),
        Row(
            f"CPU of matching {10 * small:,} lines x {100 * small:,} items / {small:,} x {10 * small:,}",
            large / mean((first, last)),
            GROWTH_MOST,
            at_most=True,
        ),
    ]


def _spent(currency: str, lines: int, *, seed: int) -> float:
    """Return the CPU seconds, client and server, of the job over so many lines, with ten times as many items open."""
    items = [
        replace(one, currency=currency)
        for one in invented_items(
            _ITEMS_PER_LINE * lines, seed=seed, per_day=_ITEMS_PER_LINE * lines // DAYS, customers=lines
        )
    ]
    _book(items, currency)
    _import(items[::_ITEMS_PER_LINE], currency)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    pid = measuring.backend_pid()
    client, server = process_time(), measuring.server_cpu_s(pid)
    with acting(Actor("SYSTEM", "job:bench")):
        done: MatchRun = match_lines(currency=currency, now=NOW)
    if done.lines < 0.9 * lines:
        raise RuntimeError(f"only {done.lines:,} of about {lines:,} lines were matched")
    return process_time() - client + measuring.server_cpu_s(pid) - server


def _book(items: Sequence[Item], currency: str) -> None:
    clearing = house_account(chart_code="BANK_CLEARING", currency=currency, now=NOW).pk
    wallets = [
        open_account(
            chart_code="CUSTOMER_WALLETS", currency=currency, name=f"{number}", floor_minor=None, now=NOW
        ).pk
        for number in range(_CUSTOMERS)
    ]
    for start in range(0, len(items), _AT_ONCE):
        post_many(
            drafts=[
                Draft(
                    kind="DEPOSIT",
                    source="deposit",
                    source_key=item.end_to_end_id,
                    effective_date=item.on,
                    legs=(
                        Leg(clearing, Money(item.amount_minor, currency)),
                        Leg(wallets[item.posting_id % _CUSTOMERS], Money(-item.amount_minor, currency)),
                    ),
                )
                for item in items[start : start + _AT_ONCE]
            ],
            now=NOW,
        )


def _import(items: Sequence[Item], currency: str) -> None:
    """Import what a careless bank says of these."""
    bank = house_account(chart_code="CLIENT_MONEY_BANK", currency=currency, now=NOW)
    open_house_bank_account(
        account_id=bank.pk, name="Bench", bank_name="Bench", other_id=f"BENCH{currency}", now=NOW
    )
    told, _ = play_bank(items, seed=1, rates=CARELESS)
    statement = one_statement(told, account=f"BENCH{currency}", currency=currency)
    with acting(Actor("SYSTEM", "job:bench")):
        file = import_file(data=camt053([statement], message_id=currency), name="bench.xml", now=NOW)
    if file.state != "ACCEPTED":
        raise RuntimeError(file.findings)
