"""
What an account held: at an instant, on a value date, and on a value date as the ledger knew it then.

All in the account's natural sign (a wallet with 5.00 EUR reads +500). None of them replays: an instant is one look into
an index, a value date adds the postings since the latest closing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import Sum

from flowlet.core.errors import InvalidInput
from flowlet.core.money import Money
from flowlet.core.registry import Registry
from ledger.models.accounts import Balance
from ledger.models.holds import Owing
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
    """
    What an account held at an instant: booked, set aside, announced, owed.

    `seq` is the number of its latest posting by then, 0 if there was none.
    """

    posted: Money
    held: Money
    pending: Money
    owed: Money
    seq: int
    at: datetime


# Found by (account, posted_at, account_seq), newest first: one way down the index, however long the history is.
AT_INSTANT = """
SELECT balance_after, account_seq FROM ledger_posting
WHERE account_id = %s AND posted_at <= %s ORDER BY posted_at DESC, account_seq DESC LIMIT 1
"""
# Holds are few beside postings, and each keeps what is open after its latest event.
_HELD = """
SELECT coalesce(sum(e.open_after_minor) FILTER (WHERE h.direction = 'OUT'), 0),
       coalesce(sum(e.open_after_minor) FILTER (WHERE h.direction = 'IN'), 0)
FROM ledger_hold AS h CROSS JOIN LATERAL (
    SELECT open_after_minor FROM ledger_holdevent
    WHERE hold_id = h.id AND recorded_at <= %s ORDER BY id DESC LIMIT 1
) AS e WHERE h.account_id = %s
"""


def balance_at(account_id: int, at: datetime) -> tuple[int, int]:
    """
    Return what was booked on an account by an instant (inclusive), in minor units, and the number of its latest
    posting by then; zeros before the first. By the instant of booking, in about four pages of an index.
    """
    with connection.cursor() as cursor:
        cursor.execute(AT_INSTANT, [account_id, at])
        return cursor.fetchone() or (0, 0)


def balances_at(account_id: int, at: datetime) -> BalanceAt:
    """
    Return what an account held at an instant (inclusive), by the instant of booking.

    :raises NotFound: if there is no such account
    """
    currency = get_balance(account_id).posted.currency
    posted, seq = balance_at(account_id, at)
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [at, account_id])
        held, pending = (int(minor) for minor in cursor.fetchone())
    receivable = Owing.objects.filter(pk=account_id).values_list("receivable_id", flat=True).first()
    owed = balance_at(receivable, at)[0] if receivable else 0
    return BalanceAt(
        posted=Money(posted, currency),
        held=Money(held, currency),
        pending=Money(pending, currency),
        owed=Money(owed, currency),
        seq=seq,
        at=at,
    )


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
    rows = Posting.objects.filter(
        transaction__seal__block__sealed_at__lt=end, account_id=account_id, effective_date__lte=day
    )
    moved = int(rows.aggregate(total=Sum("amount"))["total"] or 0)
    return Money(sign * moved, currency)
