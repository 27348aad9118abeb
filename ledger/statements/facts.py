"""What a statement says: frozen facts that prove themselves while they are written."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Self

from django.utils.timezone import get_default_timezone

from flowlet.core.currencies import exponent
from flowlet.core.errors import AppError, InvariantBroken
from flowlet.core.money import Money


class StatementTooLong(AppError):
    """The span holds more entries than one file should."""

    code = "statement_too_long"
    title = "Statement too long"
    message = "The span holds more than {maximum} entries."
    next_action = "export"
    next_text = "Choose a shorter span, or ask for an export, which is made in the background."

    def __init__(self, *, maximum: int) -> None:
        super().__init__(maximum=f"{maximum:,}")


class BadSpan(AppError):
    """The span ends before it begins."""

    code = "bad_span"
    http_status = 400
    title = "Bad span"
    message = "The span ends before it begins."


class NotWritable(AppError):
    """The format has no room for what the statement says."""

    code = "statement_not_writable"
    title = "Not possible in this format"
    message = "{reason} Choose another format."

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class StatementNotProven(InvariantBroken):
    """Opening balance and entries do not lead to the closing balance: such a statement is never served."""


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One line: `amount` in minor units, money in > 0; `balance` is the running balance after it.

    `seq` is the account's own number, without gaps and for ever the same; `cause` is the id of the payment, deposit or
    other thing behind it. `booked` is the day of booking, where it is known to differ from the effective date.
    """

    seq: int
    effective_date: date
    transaction: str
    kind: str
    text: str
    counterparty: str
    amount: int
    balance: int
    booked: date | None = None
    cause: str = ""
    reversal: bool = False

    @property
    def booked_date(self) -> date:
        """The day of booking."""
        return self.booked or self.effective_date


@dataclass(frozen=True, slots=True)
class Pending:
    """Money set aside (`amount` < 0) or announced (> 0), in minor units: a hold that is open."""

    reference: str
    placed: date
    amount: int
    cause: str


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of the entries, minor units without sign, and how many of them are money in."""

    money_in: int
    money_out: int
    count_in: int

    @classmethod
    def of(cls, amounts: Iterable[int]) -> Self:
        """Sum up signed amounts."""
        money_in = money_out = count_in = 0
        for amount in amounts:
            if amount > 0:
                money_in, count_in = money_in + amount, count_in + 1
            else:
                money_out -= amount
        return cls(money_in, money_out, count_in)


@dataclass(frozen=True, slots=True)
class Statement:
    """
    What happened on one account from `first` to `last` day, both included.

    Amounts in minor units, in the account's natural sign: a wallet's credit balance is positive. `number` counts the
    official statements of the account; 0 is one on demand, which carries no number. `as_of` is the instant that the
    facts are of. `entries` may come from the database while they are read: iterate `checked`, which proves them.
    """

    reference: str
    owner: str
    currency: str
    first: date
    last: date
    opening: int
    closing: int
    entries: Collection[Entry]
    held: int = 0
    number: int = 0
    as_of: datetime | None = None
    pending: tuple[Pending, ...] = ()
    known_totals: Totals | None = None
    public_id: str = ""

    @property
    def available(self) -> int:
        """What can be spent: closing balance minus what is held, minor units."""
        return self.closing - self.held

    @property
    def totals(self) -> Totals:
        """Return the sums of the entries; those that came with it are checked while the file is written."""
        return self.known_totals or Totals.of(entry.amount for entry in self.entries)

    @property
    def money_in(self) -> int:
        """Sum of what came in, minor units."""
        return self.totals.money_in

    @property
    def money_out(self) -> int:
        """Sum of what went out, minor units, without sign."""
        return self.totals.money_out

    @property
    def made_at(self) -> datetime:
        """The instant that stands in the file: that of the facts, never that of the clock."""
        return self.as_of or start_of(self.last + timedelta(days=1))

    @property
    def short_id(self) -> str:
        """At most 35 letters: the official id, or the span with the end of the account's reference."""
        return self.public_id or f"{self.first:%y%m%d}{self.last:%y%m%d}-{self.reference[-22:]}"

    def money(self, minor: int) -> Money:
        """Return an amount of this statement with its currency."""
        return Money(minor, self.currency)

    def decimal(self, minor: int) -> Decimal:
        """Return an amount or a sum in major units, exact, with the currency's own digits."""
        return Decimal(minor).scaleb(-exponent(self.currency))

    def checked(self) -> Iterator[Entry]:
        """
        Yield the entries, each after its running balance was followed, and judge the end.

        :raises StatementNotProven: if a running balance, a sum or the closing balance is not what the entries give
        """
        running, money_in, money_out, count_in, count = self.opening, 0, 0, 0, 0
        for entry in self.entries:
            running += entry.amount
            count += 1
            if entry.amount > 0:
                money_in, count_in = money_in + entry.amount, count_in + 1
            else:
                money_out -= entry.amount
            if running != entry.balance:
                raise StatementNotProven(f"{self.reference}: running balance differs at entry {entry.seq}")
            yield entry
        if running != self.closing:
            raise StatementNotProven(
                f"{self.reference}: opening balance and entries miss the closing balance"
            )
        totals = Totals(money_in, money_out, count_in)
        if count != len(self.entries) or (self.known_totals or totals) != totals:
            raise StatementNotProven(f"{self.reference}: the sums in the head are not those of the entries")


def prove(statement: Statement) -> None:
    """
    Check that opening balance + entries = closing balance, and that every running balance follows from the one before.

    The closing balance comes from the books, not from the entries.

    :raises StatementNotProven: if not
    """
    for _ in statement.checked():
        pass


def start_of(day: date) -> datetime:
    """Return the first instant of a day in the book's time zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=get_default_timezone()).astimezone(UTC)


def day_of(at: datetime) -> date:
    """Return the day of an instant in the book's time zone."""
    return at.astimezone(get_default_timezone()).date()
