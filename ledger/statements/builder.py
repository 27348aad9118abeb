"""Building a statement: frozen facts about one account and a span of days, proven before anybody sees them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum

from flowlet.core.errors import NotFound
from ledger.choices import HoldDirection
from ledger.models.accounts import Balance
from ledger.models.holds import HoldEvent
from ledger.models.statements import Statement as Official
from ledger.models.transactions import Posting
from ledger.statements.entries import Names, PostingEntries
from ledger.statements.facts import (
    BadSpan,
    Pending,
    Statement,
    StatementTooLong,
    Totals,
    prove,
    start_of,
)

# Up to here a statement is read into memory and proven at once; longer ones are proven while they are written.
ENTRIES_MAX = 10_000


def build_statement(
    *,
    account_id: int,
    first: date,
    last: date,
    reference: str,
    owner: str,
    names: Names,
    streamed: bool = False,
) -> Statement:
    """
    Return the proven statement of an account by effective date, on demand: it carries no number.

    `reference` and `owner` stand in its head; `names` tells for ledger accounts whose they are (the other side of an
    entry). A span that reaches into the future ends with what is booked now. With `streamed` there may be any number
    of entries: they are read, and the statement proves itself, while a format writes it.

    :raises BadSpan: if `last` lies before `first`
    :raises NotFound: if there is no such account
    :raises StatementTooLong: if there are more than 10,000 entries and it is not streamed
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
    count, totals, latest = _sums(within, balance.sign)
    pending = list_pending(account_id, before=start_of(last + timedelta(days=1)))
    return _finished(
        Statement(
            reference=reference,
            owner=owner,
            currency=balance.currency,
            first=first,
            last=last,
            opening=opening,
            closing=balance.posted - balance.sign * int(sums["after"] or 0),
            held=held_of(pending),
            as_of=latest or start_of(first),
            pending=pending,
            known_totals=totals,
            entries=PostingEntries(
                rows=within.order_by("effective_date", "account_seq"),
                count=count,
                account_id=account_id,
                sign=balance.sign,
                opening=opening,
                names=names,
            ),
        ),
        streamed=streamed,
    )


def build_official(
    record: Official, *, reference: str, owner: str, names: Names, streamed: bool = False
) -> Statement:
    """
    Return the proven statement of a stored number: its range of entries, in the order of booking.

    :raises StatementTooLong: if there are more than 10,000 entries and it is not streamed
    :raises StatementNotProven: if the books no longer give what was stored
    """
    balance = Balance.objects.get(pk=record.account_id)
    within = Posting.objects.filter(
        account_id=record.account_id, account_seq__range=(record.seq_from, record.seq_to)
    )
    count, totals, _ = _sums(within, balance.sign)
    return _finished(
        Statement(
            reference=reference,
            owner=owner,
            currency=record.currency,
            first=record.first_date,
            last=record.latest_date,
            opening=record.opening_minor,
            closing=record.closing_minor,
            held=record.held_minor,
            number=record.number,
            public_id=record.public_id,
            as_of=start_of(record.latest_date + timedelta(days=1)),
            known_totals=totals,
            entries=PostingEntries(
                rows=within.order_by("account_seq"),
                count=count,
                account_id=record.account_id,
                sign=balance.sign,
                opening=record.opening_minor,
                names=names,
                booked=True,
            ),
        ),
        streamed=streamed,
    )


def list_pending(account_id: int, *, before: datetime) -> tuple[Pending, ...]:
    """Return what was set aside or announced on an account at an instant, oldest first; minor units, out < 0."""
    rows: Any = HoldEvent.objects.filter(hold__account_id=account_id, recorded_at__lt=before)
    rows = rows.values("hold_id", "hold__public_id", "hold__placed_at", "hold__direction", "hold__source_key")
    rows = rows.annotate(open=Sum("delta_minor")).filter(open__gt=0).order_by("hold_id")
    return tuple(
        Pending(
            reference=row["hold__public_id"],
            placed=row["hold__placed_at"].date(),
            amount=-row["open"] if row["hold__direction"] == HoldDirection.OUT else row["open"],
            cause=row["hold__source_key"],
        )
        for row in rows
    )


def held_of(pending: Sequence[Pending]) -> int:
    """Return how much of these is set aside, minor units."""
    return -sum(hold.amount for hold in pending if hold.amount < 0)


def _sums(within: QuerySet[Posting], sign: int) -> tuple[int, Totals, datetime | None]:
    found = within.aggregate(
        count=Count("pk"),
        debit=Sum("amount", filter=Q(amount__gt=0)),
        credit=Sum("amount", filter=Q(amount__lt=0)),
        debits=Count("pk", filter=Q(amount__gt=0)),
        latest=Max("posted_at"),
    )
    debit, credit, debits = int(found["debit"] or 0), -int(found["credit"] or 0), found["debits"]
    count = found["count"]
    totals = Totals(debit, credit, debits) if sign > 0 else Totals(credit, debit, count - debits)
    return count, totals, found["latest"]


def _finished(statement: Statement, *, streamed: bool) -> Statement:
    if streamed:
        return statement
    if len(statement.entries) > ENTRIES_MAX:
        raise StatementTooLong(maximum=ENTRIES_MAX)
    read = replace(statement, entries=tuple(statement.entries))
    prove(read)
    return read
