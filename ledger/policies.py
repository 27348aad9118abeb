"""What a posting must look like before the database is asked: pure, no clock, no tables."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from flowlet.core import jsons
from flowlet.core.money import Money
from ledger.errors import UnbalancedTransaction, ZeroLeg

# Headings whose accounts may not be sharded, and why: something reads or compares one account by itself.
NEVER_SHARDED = {
    "FX_POSITION": "the average cost of a currency follows the postings of one account",
    "CLIENT_MONEY_BANK": "its balance is compared with that of one account at a bank",
    "OPERATING_BANK": "its balance is compared with that of one account at a bank",
    # Safeguarding never nets one owner's debt with another's: shards on both sides of zero would overstate what is owed.
    "SUSPENSE": "the safeguarding proof counts what each account owes by itself",
    "UNALLOCATED_RECEIPTS": "the safeguarding proof counts what each account owes by itself",
}


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a transaction: the account's primary key and a signed amount, debit > 0."""

    account_id: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A transaction to be posted.

    `source` and `source_key` name its cause and make it happen once (`source="payment", source_key="pay_…"`); `kind`
    is a code in upper case; `text` is free and is kept encrypted, `context` holds ids only. `reverses` is the public
    id of the transaction that this one undoes. `approval_id` is the key of what two people agreed on; `quote` is the
    public id of the exchange quote that is used up, `fx_rate` its rate (bought units for one sold unit).
    """

    kind: str
    source: str
    source_key: str
    effective_date: date
    legs: tuple[Leg, ...]
    text: str = ""
    context: Mapping[str, str | int] = field(default_factory=dict)
    reverses: str | None = None
    approval_id: int | None = None
    quote: str = ""
    fx_rate: Decimal | None = None


def merged_legs(draft: Draft) -> list[tuple[int, str, int]]:
    """Return (account, currency, amount) with the legs of one account as one, in the order of accounts."""
    totals: dict[tuple[int, str], int] = defaultdict(int)
    for leg in draft.legs:
        totals[leg.account_id, leg.amount.currency] += leg.amount.minor
    return [(account_id, currency, minor) for (account_id, currency), minor in sorted(totals.items())]


def check_draft(draft: Draft) -> None:
    """
    Judge the legs by themselves; the database judges them again, with the accounts.

    :raises ZeroLeg: if a leg moves nothing, alone or merged with the others of its account
    :raises UnbalancedTransaction: if there are fewer than two, or a currency does not sum to zero
    """
    legs = merged_legs(draft)
    if not all(leg.amount.minor for leg in draft.legs) or not all(minor for _, _, minor in legs):
        raise ZeroLeg
    sums: dict[str, int] = defaultdict(int)
    for _, currency, minor in legs:
        sums[currency] += minor
    if not legs or any(sums.values()):
        raise UnbalancedTransaction


def fingerprint(draft: Draft) -> bytes:
    """Return 32 bytes that stand for what is posted: kind, date, merged legs, references; not words, actor or clock."""
    content = [
        draft.kind,
        draft.effective_date.isoformat(),
        merged_legs(draft),
        draft.reverses,
        dict(draft.context),
        draft.approval_id,
        draft.quote,
        None if draft.fx_rate is None else str(draft.fx_rate),
    ]
    return hashlib.sha256(jsons.dumps_canonical(content)).digest()


def text_digest(salt: bytes, text: str) -> bytes:
    """Return what a header keeps of its words: without the salt nobody can guess them from it."""
    return hashlib.sha256(salt + text.encode()).digest()
