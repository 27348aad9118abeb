"""
What an account held: at an instant, on a value date, and on a value date as the ledger knew it then.

All in the account's natural sign (a wallet with 5.00 EUR reads +500). None of them replays: an instant is one look into
an index, a value date adds the postings since the latest closing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import F, QuerySet, Sum

from flowlet.core.errors import InvalidInput
from flowlet.core.money import Money
from flowlet.core.registry import Registry
from ledger.models.accounts import Account
from ledger.models.transactions import Posting


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
# The same, with what was held and owed. Holds are few beside postings, and each event keeps what is open after it.
_ALL_AT_INSTANT = f"""
SELECT coalesce(p.balance_after, 0), coalesce(p.account_seq, 0), coalesce(h.held, 0), coalesce(h.pending, 0),
       coalesce(o.owed, 0)
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL ({AT_INSTANT}) AS p ON true
LEFT JOIN LATERAL (
    SELECT sum(e.open_after_minor) FILTER (WHERE h.direction = 'OUT') AS held,
           sum(e.open_after_minor) FILTER (WHERE h.direction = 'IN') AS pending
    FROM ledger_hold AS h CROSS JOIN LATERAL (
        SELECT open_after_minor FROM ledger_holdevent
        WHERE hold_id = h.id AND recorded_at <= %s ORDER BY id DESC LIMIT 1
    ) AS e WHERE h.account_id = %s
) AS h ON true
LEFT JOIN LATERAL (
    SELECT r.balance_after AS owed FROM ledger_owing AS o CROSS JOIN LATERAL (
        SELECT balance_after FROM ledger_posting
        WHERE account_id = o.receivable_id AND posted_at <= %s ORDER BY posted_at DESC, account_seq DESC LIMIT 1
    ) AS r WHERE o.account_id = %s
) AS o ON true
"""  # noqa: S608 - our own text


def balance_at(account_id: int, at: datetime) -> tuple[int, int]:
    """
    Return what was booked on an account by an instant (inclusive), in minor units, and the number of its latest
    posting by then; zeros before the first. By the instant of booking, in about four pages of an index.
    """
    with connection.cursor() as cursor:
        cursor.execute(AT_INSTANT, [account_id, at])
        return cursor.fetchone() or (0, 0)


def balances_at(account: Account, at: datetime) -> BalanceAt:
    """Return what an account held at an instant (inclusive), by the instant of booking; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL_AT_INSTANT, [account.pk, at, at, account.pk, at, account.pk])
        posted, seq, held, pending, owed = cursor.fetchone()
    return BalanceAt(
        posted=Money(posted, account.currency),
        held=Money(int(held), account.currency),
        pending=Money(int(pending), account.currency),
        owed=Money(owed, account.currency),
        seq=seq,
        at=at,
    )


def balance_on(account: Account, day: date) -> Money:
    """
    Return what an account held at the end of a value date, with all that is booked by now, backdated or not.

    Adds what was booked since the latest closing on or before that day, from an index alone.
    """
    closings = [closing for find in CLOSINGS.values() if (closing := find(account.pk, day)) is not None]
    latest = max(closings, key=lambda closing: closing.day, default=None)
    rows = Posting.objects.filter(account=account, effective_date__lte=day)
    if latest is not None:
        rows = rows.filter(effective_date__gt=latest.day)
    return Money((latest.posted_minor if latest else 0) + _moved(rows), account.currency)


def balance_known(account: Account, day: date, *, known: date, today: date) -> Money:
    """
    Return what an account held at the end of value date `day`, as the ledger knew it at the end of day `known` (UTC).

    What is sealed by then counts; once `known` is over the answer never changes, whatever is backdated later. Reads
    the account's postings up to `day`.

    :raises NotKnownYet: if `known` is not over on `today`
    """
    if known >= today:
        raise NotKnownYet
    end = datetime.combine(known + timedelta(days=1), time(), UTC)
    rows = Posting.objects.filter(account=account, effective_date__lte=day)
    return Money(_moved(rows.filter(transaction__seal__block__sealed_at__lt=end)), account.currency)


def _moved(rows: QuerySet[Posting]) -> int:
    """Return the sum of these postings in their account's natural sign, as the database has it."""
    return int(rows.aggregate(total=Sum(F("amount") * F("account__sign")))["total"] or 0)
