"""
What bringing in a bank file costs: 10,000 lines of camt.053, against lxml's bare parse of the same bytes.

One throw-away database, interleaved rounds, CPU of this process (ratios hold on a busy machine). The bare parse makes a
tree and looks at nothing; reading makes checked lines of it, importing seals the original and stores every line with
its key, its words encrypted.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median

from lxml import etree

from bench.rows import Row
from flowlet.audit.trail import Actor, acting
from ledger.models.reconciliation import BankFile, HouseBankAccount
from ledger.operations.accounts import open_account
from ledger.operations.bank_accounts import open_house_bank_account
from ledger.operations.reconciliation import import_file
from ledger.reconciliation import formats
from ledger.reconciliation.generate import Item, one_statement, play_bank
from ledger.reconciliation.write import camt053

NOW, DAY = datetime(2026, 1, 15, 6, tzinfo=UTC), date(2026, 1, 1)
READ_MOST, IMPORT_MOST, GROWTH_MOST, ROUNDS = 15.0, 80.0, 1.3, 3


def written(lines: int, number: int) -> bytes:
    """A bank's statement of that many lines, on an account of its own."""
    items = [
        Item(
            posting_id=index,
            end_to_end_id=f"dep_{index:026d}",
            amount_minor=(index * 7919) % 90_000 + 100,
            currency="EUR",
            on=DAY + timedelta(days=index * 14 // lines),
            name=f"Payer {index % 977}",
            iban="FI2112345600000785",
            text=f"Invoice {index}",
        )
        for index in range(lines)
    ]
    booked, _ = play_bank(items, seed=number, prefix=f"B{number:02d}")
    return camt053([one_statement(booked, account=f"BENCH{number}", currency="EUR")], message_id=f"M{number}")


def bank_account(number: int) -> HouseBankAccount:
    """The house's account that the statement is of."""
    account = open_account(
        chart_code="CLIENT_MONEY_BANK", currency="EUR", name=f"bench {number}", floor_minor=None, now=NOW
    )
    return open_house_bank_account(
        account_id=account.pk, name="Bench", bank_name="Bench", other_id=f"BENCH{number}", now=NOW
    )


def _cpu(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


def _import(data: bytes) -> None:
    with acting(Actor("SYSTEM", "job:bench")):
        file: BankFile = import_file(data=data, name="bench.xml", now=NOW)
    if file.state != "ACCEPTED":
        raise RuntimeError(file.findings)


def measure(*, lines: int = 10_000) -> list[Row]:
    """Return the rows of the table."""
    parse, read, whole, small = [], [], [], []
    for number in range(ROUNDS):
        large, tenth = written(lines, 2 * number), written(lines // 10, 2 * number + 1)
        bank_account(2 * number)
        bank_account(2 * number + 1)
        parse.append(_cpu(lambda data=large: etree.fromstring(data)))  # type: ignore[misc] # bound now
        read.append(_cpu(lambda data=large: formats.read(data)))  # type: ignore[misc] # as above
        whole.append(_cpu(lambda data=large: _import(data)))  # type: ignore[misc] # as above
        small.append(_cpu(lambda data=tenth: _import(data)))  # type: ignore[misc] # as above
    bare = median(parse)
    return [
        Row(
            f"reading {lines:,} lines of camt.053 / lxml's bare parse, CPU",
            median(read) / bare,
            READ_MOST,
            at_most=True,
        ),
        Row(
            f"importing {lines:,} lines / lxml's bare parse, CPU",
            median(whole) / bare,
            IMPORT_MOST,
            at_most=True,
        ),
        Row(
            f"CPU per line, {lines:,} lines / {lines // 10:,} lines",
            median(whole) / median(small) / 10,
            GROWTH_MOST,
            at_most=True,
        ),
    ]
