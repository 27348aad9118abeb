"""
What an account held: at an instant, on a value date, and on a value date as the ledger knew it then.

All in the account's natural sign (a wallet with 5.00 EUR reads +500). None of them replays: an instant is one look into
an index, a value date adds the postings since the latest closing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import Q, Sum

from flowlet.core.errors import InvalidInput
from flowlet.core.money import Money
from flowlet.core.registry import Registry
from ledger.models.accounts import Balance
from ledger.models.transactions import Posting
from ledger.queries.balances import get_balance


@dataclass(frozen=True, slots=True)
class Closing:
    """What an account held at the end of `day`, by value date and in its natural sign, as a closed period keeps it."""

    day: date
    posted_minor: int


# (account, day): the latest closing on or before that day, or None. Whoever closes periods puts one in.
CLOSINGS: Registry[Callable[[int, date], Closing | None]] = Registry("ledger.closings")


class NotKnownYet(InvalidInput):
    """A day that is not over cannot be looked back on."""

    code = "not_known_yet"
    title = "The day is not over"
    message = "What is known of a day stands once it is over (UTC)."


@dataclass(frozen=True, slots=True)
class BalanceAt:
    """What an account held at an instant; `seq` is the number of its latest posting by then, 0 if there was none."""

    posted: Money
    seq: int
    at: datetime


# Found by (account, posted_at, account_seq), newest first: one way down the index, however long the history is.
AT_INSTANT = """
SELECT balance_after, account_seq FROM ledger_posting
WHERE account_id = %s AND posted_at <= %s ORDER BY posted_at DESC, account_seq DESC LIMIT 1
"""


def balance_at(account_id: int, at: datetime) -> BalanceAt:
    """
    Return what was booked on an account by an instant (inclusive), by the instant of booking.

    :raises NotFound: if there is no such account
    """
    currency = get_balance(account_id).posted.currency
    with connection.cursor() as cursor:
        cursor.execute(AT_INSTANT, [account_id, at])
        minor, seq = cursor.fetchone() or (0, 0)
    return BalanceAt(posted=Money(minor, currency), seq=seq, at=at)


def balance_on(account_id: int, day: date) -> Money:
    """
    Return what an account held at the end of a value date, with all that is booked by now, backdated or not.

    :raises NotFound: if there is no such account
    """
    currency = get_balance(account_id).posted.currency
    sign = Balance.objects.values_list("sign", flat=True).get(pk=account_id)
    closings = [closing for find in CLOSINGS.values() if (closing := find(account_id, day)) is not None]
    latest = max(closings, key=lambda closing: closing.day, default=None)
    rows = Posting.objects.filter(account_id=account_id, effective_date__lte=day)
    if latest is not None:
        rows = rows.filter(effective_date__gt=latest.day)
    moved = int(rows.aggregate(total=Sum("amount"))["total"] or 0)
    return Money((latest.posted_minor if latest else 0) + sign * moved, currency)


def balance_known(account_id: int, day: date, *, known: date, today: date) -> Money:
    """
    Return what an account held at the end of value date `day`, as the ledger knew it at the end of day `known` (UTC).

    What is sealed by then counts; once `known` is over the answer never changes, whatever is backdated later.

    :raises NotFound: if there is no such account
    :raises NotKnownYet: if `known` is not over on `today`
    """
    if known >= today:
        raise NotKnownYet
    currency = get_balance(account_id).posted.currency
    sign = Balance.objects.values_list("sign", flat=True).get(pk=account_id)
    end = datetime.combine(known + timedelta(days=1), time(), UTC)
    # Sealed only after that day: few, and of them only those of the account are asked about.
    rows = Posting.objects.filter(
        Q(transaction__seal__block__sealed_at__lt=end), account_id=account_id, effective_date__lte=day
    )
    moved = int(rows.aggregate(total=Sum("amount"))["total"] or 0)
    return Money(sign * moved, currency)
