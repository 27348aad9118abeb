"""Building a statement: frozen facts about one account and a span of days, proven before anybody sees them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet, Sum

from flowlet.core.errors import AppError, InvariantBroken, NotFound
from flowlet.core.money import Money
from ledger.models.accounts import Balance
from ledger.models.transactions import Posting

ENTRIES_MAX = 50_000
Names = Callable[[Collection[int]], Mapping[int, str]]


class StatementTooLong(AppError):
    """The span holds more entries than one file should."""

    code = "statement_too_long"
    title = "Statement too long"
    message = "The span holds more than {maximum} entries. Choose a shorter one."

    def __init__(self) -> None:
        super().__init__(maximum=f"{ENTRIES_MAX:,}")


class BadSpan(AppError):
    """The span ends before it begins."""

    code = "bad_span"
    http_status = 400
    title = "Bad span"
    message = "The span ends before it begins."


class StatementNotProven(InvariantBroken):
    """Opening balance and entries do not lead to the closing balance: such a statement is never served."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `amount` in minor units, money in > 0; `balance` is the running balance after it."""

    seq: int
    effective_date: date
    transaction: str
    kind: str
    text: str
    counterparty: str
    amount: int
    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """
    What happened on one account from `first` to `last` day, both included, by effective date.

    Amounts in minor units, in the account's natural sign: a wallet's credit balance is positive.
    """

    reference: str
    owner: str
    currency: str
    first: date
    last: date
    opening: int
    closing: int
    entries: tuple[Entry, ...]

    @property
    def money_in(self) -> int:
        """Sum of what came in, minor units."""
        return sum(entry.amount for entry in self.entries if entry.amount > 0)

    @property
    def money_out(self) -> int:
        """Sum of what went out, minor units, without sign."""
        return -sum(entry.amount for entry in self.entries if entry.amount < 0)

    def money(self, minor: int) -> Money:
        """Return an amount of this statement with its currency."""
        return Money(minor, self.currency)


def build_statement(
    *, account_id: int, first: date, last: date, reference: str, owner: str, names: Names
) -> Statement:
    """
    Return the proven statement of an account.

    `reference` and `owner` stand in its head; `names` tells for ledger accounts whose they are (the other side of an
    entry). A span that reaches into the future ends with what is booked now.

    :raises BadSpan: if `last` lies before `first`
    :raises NotFound: if there is no such account
    :raises StatementTooLong: if there are more than 50,000 entries
    :raises StatementNotProven: if the sums do not meet
    """
    if last < first:
        raise BadSpan
    balance = Balance.objects.filter(pk=account_id).first()
    if balance is None:
        raise NotFound
    # Postings are never changed and their numbers have no gaps, so this limit alone makes all reads below agree.
    booked = Posting.objects.filter(account_id=account_id, account_seq__lte=balance.seq)
    sums = booked.aggregate(
        before=Sum("amount", filter=Q(effective_date__lt=first)),
        after=Sum("amount", filter=Q(effective_date__gt=last)),
    )
    opening = balance.sign * int(sums["before"] or 0)
    within = booked.filter(effective_date__range=(first, last))
    statement = Statement(
        reference=reference,
        owner=owner,
        currency=balance.currency,
        first=first,
        last=last,
        opening=opening,
        closing=balance.posted - balance.sign * int(sums["after"] or 0),
        entries=_entries(within, account_id=account_id, sign=balance.sign, opening=opening, names=names),
    )
    prove(statement)
    return statement


def _entries(
    within: QuerySet[Posting], *, account_id: int, sign: int, opening: int, names: Names
) -> tuple[Entry, ...]:
    rows = within.select_related("transaction__text").order_by("effective_date", "account_seq")
    postings = list(rows[: ENTRIES_MAX + 1])
    if len(postings) > ENTRIES_MAX:
        raise StatementTooLong
    others = _other_sides(within, account_id=account_id, names=names)
    running, entries = opening, []
    for posting in postings:
        amount = sign * posting.amount
        running += amount
        header = posting.transaction
        text = getattr(header, "text", None)
        entries.append(
            Entry(
                seq=posting.account_seq,
                effective_date=posting.effective_date,
                transaction=header.public_id,
                kind=header.kind,
                text=text.text if text is not None else "",
                counterparty=others.get(posting.transaction_id, ""),
                amount=amount,
                balance=running,
            )
        )
    return tuple(entries)


def _other_sides(within: QuerySet[Posting], *, account_id: int, names: Names) -> dict[int, str]:
    """Return for each transaction the name behind its other leg, where there is one that has a name."""
    legs = Posting.objects.filter(transaction_id__in=within.values("transaction_id"))
    pairs = list(legs.exclude(account_id=account_id).values_list("transaction_id", "account_id"))
    known = names({other for _, other in pairs})
    return {transaction_id: known[other] for transaction_id, other in pairs if other in known}


def prove(statement: Statement) -> None:
    """
    Check that opening balance + entries = closing balance, and that every running balance follows from the one before.

    The closing balance comes from the account's balance row, not from the entries.

    :raises StatementNotProven: if not
    """
    running = statement.opening
    for entry in statement.entries:
        running += entry.amount
        if running != entry.balance:
            raise StatementNotProven(f"{statement.reference}: running balance differs at entry {entry.seq}")
    if running != statement.closing:
        raise StatementNotProven(
            f"{statement.reference}: opening balance and entries miss the closing balance"
        )
