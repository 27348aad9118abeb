"""
A bank made of our own books: the lines a bank would send for what we posted, and what goes wrong on the way.

The truth is handed back with the lines, so that matching can be measured. Nothing here is random without a seed.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from itertools import takewhile

from ledger.models.transactions import Posting
from ledger.reconciliation.parsed import ParsedLine, ParsedStatement

_END_TO_END_MAX = 35
_SHIFT_MAX_DAYS = 3
_MERGED = (2, 5)
_FEE_MINOR = (15, 250)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something we posted and expect at the bank: a posting on the clearing account, as the bank will see it."""

    posting_id: int
    end_to_end_id: str
    amount_minor: int
    currency: str
    on: date
    name: str = ""
    iban: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often, of 1, something happens to an item or a line; the rest arrives as it was posted."""

    drop: float = 0.0
    duplicate: float = 0.0
    merge: float = 0.0
    split: float = 0.0
    fee: float = 0.0
    net: float = 0.0
    shift: float = 0.0
    nameless: float = 0.0


@dataclass(frozen=True, slots=True)
class Truth:
    """
    What belongs together.

    `matches` gives for the bank reference of a line the postings it stands for: several where the bank merged, none
    where it booked a charge or one thing twice. `dropped` are the postings that no line stands for, `reduced` the
    references whose amount the bank cut by a charge.
    """

    matches: dict[str, tuple[int, ...]] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    reduced: set[str] = field(default_factory=set)


Party = Callable[[Posting], tuple[str, str]]


def _nobody(_posting: Posting) -> tuple[str, str]:
    return "", ""


def items_from_ledger(
    *,
    account_id: int,
    first: date,
    last: date,
    party: Party = _nobody,
    skipped_kinds: Iterable[str] = ("BANK_SETTLED",),
) -> list[Item]:
    """
    Return what was posted on a clearing account in those days, in the order it was posted.

    A debit there is money that we expect to come in. `party` gives name and IBAN of the other side of a posting.
    """
    postings = (
        Posting.objects.filter(account_id=account_id, effective_date__range=(first, last))
        .exclude(transaction__kind__in=tuple(skipped_kinds))
        .select_related("transaction")
        .order_by("effective_date", "pk")
    )
    return [_item(posting, *party(posting)) for posting in postings]


def _item(posting: Posting, name: str, iban: str) -> Item:
    return Item(
        posting_id=posting.pk,
        end_to_end_id=posting.transaction.source_key[:_END_TO_END_MAX],
        amount_minor=posting.amount,
        currency=posting.currency,
        on=posting.effective_date,
        name=name,
        iban=iban,
        text=posting.transaction.kind.replace("_", " ").capitalize(),
    )


class _Bank:
    """Books items the way a careless bank would; every line has a reference of its own."""

    def __init__(self, seed: int, rates: Rates, prefix: str) -> None:
        self.chance, self.rates, self.prefix = random.Random(seed), rates, prefix  # noqa: S311 - repeatable on purpose
        self.lines: list[ParsedLine] = []
        self.truth = Truth()

    def happens(self, rate: float) -> bool:
        return self.chance.random() < rate

    def book(self, item: Item, minor: int, postings: tuple[int, ...], **fields: object) -> None:
        """Book one line; a reference has eleven letters or more, so that MT940 carries it whole."""
        reference = f"{self.prefix}{len(self.lines) + 1:07d}"
        day = item.on
        if self.happens(self.rates.shift):
            day += timedelta(days=self.chance.randint(1, _SHIFT_MAX_DAYS))
        line = ParsedLine(
            booking_date=day,
            value_date=item.on,
            amount_minor=minor,
            currency=item.currency,
            place="",
            end_to_end_id="" if self.happens(self.rates.nameless) else item.end_to_end_id,
            bank_reference=reference,
            name=item.name,
            iban=item.iban,
            text=item.text,
            kind="PMNT-RCDT-ESCT" if minor > 0 else "PMNT-ICDT-ESCT",
        )
        self.lines.append(replace(line, **fields))  # type: ignore[arg-type] # the fields are those of a line
        self.truth.matches[reference] = postings

    def take(self, item: Item) -> None:
        """Do with one item what chance wants; at most one thing goes wrong with it."""
        own = (item.posting_id,)
        if self.happens(self.rates.drop):
            self.truth.dropped.add(item.posting_id)
            return
        if abs(item.amount_minor) > 1 and self.happens(self.rates.split):
            part = self.chance.randint(1, abs(item.amount_minor) - 1) * (1 if item.amount_minor > 0 else -1)
            self.book(item, part, own)
            self.book(item, item.amount_minor - part, own)
            return
        if item.amount_minor > _FEE_MINOR[1] and self.happens(self.rates.net):
            self.book(item, item.amount_minor - self.chance.randint(*_FEE_MINOR), own)
            self.truth.reduced.add(self.lines[-1].bank_reference)
            return
        self.book(item, item.amount_minor, own)
        if self.happens(self.rates.duplicate):
            self.book(item, item.amount_minor, ())
        if self.happens(self.rates.fee):
            charge = replace(item, end_to_end_id="", name="", iban="", text="Account charge")
            self.book(charge, -self.chance.randint(*_FEE_MINOR), (), kind="ACMT-MDOP-CHRG")

    def merge(self, items: Sequence[Item]) -> None:
        """Book several items of one day and one direction in one sum, as banks book files of payments."""
        told = self.happens(0.5)
        details = tuple((item.end_to_end_id, "", item.amount_minor) for item in items) if told else ()
        whole = replace(items[0], end_to_end_id="", name="", iban="", text=f"Batch of {len(items)}")
        self.book(
            whole,
            sum(item.amount_minor for item in items),
            tuple(item.posting_id for item in items),
            details=details,
            batch_id=f"BATCH-{self.prefix}{len(self.lines) + 1:07d}",
        )


def play_bank(
    items: Sequence[Item], *, seed: int, rates: Rates | None = None, prefix: str = "BNK"
) -> tuple[list[ParsedLine], Truth]:
    """
    Return the lines a bank sends for these items, by day of booking, and the truth about them.

    The same seed gives the same lines. `prefix` begins the bank's references: each call for one account needs its own.
    """
    bank = _Bank(seed, rates or Rates(), prefix)
    at = 0
    while at < len(items):
        head = items[at]
        alike = list(takewhile(partial(_alike, head), items[at : at + bank.chance.randint(*_MERGED)]))
        if len(alike) > 1 and bank.happens(bank.rates.merge):
            bank.merge(alike)
            at += len(alike)
        else:
            bank.take(head)
            at += 1
    return sorted(bank.lines, key=lambda line: line.booking_date), bank.truth


def _alike(one: Item, other: Item) -> bool:
    return one.on == other.on and (one.amount_minor > 0) == (other.amount_minor > 0)


def daily_statements(
    lines: Sequence[ParsedLine], *, account: str, currency: str, opening_minor: int = 0, first_number: int = 1
) -> list[ParsedStatement]:
    """Return a statement for each day that has lines (in order of days), numbered, each continuing the one before."""
    statements: list[ParsedStatement] = []
    balance = opening_minor
    for number, day in enumerate(sorted({line.booking_date for line in lines}), first_number):
        own = tuple(line for line in lines if line.booking_date == day)
        statements.append(
            ParsedStatement(
                account=account,
                currency=currency,
                place="",
                lines=own,
                opening_date=day,
                closing_date=day,
                opening_minor=balance,
                closing_minor=balance + sum(line.amount_minor for line in own),
                number=str(number),
                reference=f"{account[-6:]}-{number}",
            )
        )
        balance = statements[-1].closing_minor
    return statements


def one_statement(
    lines: Sequence[ParsedLine], *, account: str, currency: str, opening_minor: int = 0, number: int = 1
) -> ParsedStatement:
    """Return all lines (at least one) as one statement, as for a month."""
    days = [line.booking_date for line in lines]
    return ParsedStatement(
        account=account,
        currency=currency,
        place="",
        lines=tuple(lines),
        opening_date=min(days),
        closing_date=max(days),
        opening_minor=opening_minor,
        closing_minor=opening_minor + sum(line.amount_minor for line in lines),
        number=str(number),
        reference=f"{account[-6:]}-{number}",
    )
