"""
A busy house account: every posting credits the same one, plain and in eight shards, against postings on cold accounts.

Rounds are interleaved; the figure is the throughput of all processes together, by the operation that the application
calls.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any

from django.db import connection
from django.test import override_settings

from bench import measuring
from bench.rows import Row
from bench.ways import Way, draft, ledger_accounts, pair
from flowlet.core.clock import now
from ledger.operations import shards
from ledger.operations.accounts import house_account
from ledger.operations.posting import post

PLAIN_LEAST, SHARDED_LEAST, SHARDS, CODE = 0.5, 0.9, 8, "FEE_INCOME"


def measure(*, rounds: int = 5, seconds: float = 2.0, processes: int = 6) -> list[Row]:
    """Measure in the database that is connected; it must be a throw-away one."""
    wallets = ledger_accounts()
    hot = house_account(chart_code=CODE, currency="EUR", now=now()).pk
    with override_settings(LEDGER_SHARDS={CODE: SHARDS}):
        shards.open_missing(now=now())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    def cold_step(accounts: Sequence[Any]) -> None:
        payer, payee = pair(accounts)
        post(draft=draft(payer, payee), now=now())

    def hot_step(accounts: Sequence[Any]) -> None:
        post(draft=draft(pair(accounts)[0], hot), now=now())

    ways = {
        "cold": (Way("cold", "cold", ledger_accounts, cold_step), {}),
        "plain": (Way("hot", "hot", ledger_accounts, hot_step), {}),
        "sharded": (Way("hot", "hot", ledger_accounts, hot_step), {CODE: SHARDS}),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    # Round 0 warms caches and plans and is not counted.
    for number in range(rounds + 1):
        for name, (way, setting) in ways.items():
            with override_settings(LEDGER_SHARDS=setting):
                shards.forget()
                rate = measuring.throughput(way, wallets, seconds, processes)
            if number:
                rates[name].append(rate)
    cold = median(rates["cold"])
    return [
        Row(
            f"postings per second, {processes} writers on one hot account / on cold ones",
            median(rates["plain"]) / cold,
            PLAIN_LEAST,
        ),
        Row(
            f"the same with the hot account in {SHARDS} shards / cold ones",
            median(rates["sharded"]) / cold,
            SHARDED_LEAST,
        ),
    ]
