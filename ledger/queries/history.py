"""
What an account held: at an instant, on a value date, and on a value date as the ledger knew it then.

All in the account's natural sign (a wallet with 5.00 EUR reads +500). None of them replays: an instant is one look into
an index, a value date adds the postings since the latest closing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection

from flowlet.core.errors import InvalidInput
from flowlet.core.money import Money
from ledger.models.accounts import Account


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


@dataclass(frozen=True, slots=True)
class LookedBack:
    """
    What an account held at the end of a day: by booking time, by value date, and by value date as known at a day.

    `as_known` is None where nobody asked for it.
    """

    booked: BalanceAt
    value_date: Money
    as_known: Money | None


# Found by (account, posted_at, account_seq), newest first: one way down the index, however long the history is.
AT_INSTANT = """
SELECT balance_after, account_seq FROM ledger_posting
WHERE account_id = %s AND posted_at <= %s ORDER BY posted_at DESC, account_seq DESC LIMIT 1
"""
_AT_INSTANT_NAMED = AT_INSTANT.replace("%s", "%(account)s", 1).replace("%s", "%(at)s", 1)
# The same, with what was held and owed. Holds are few beside postings, and each event keeps what is open after it.
_ALL_AT_INSTANT = f"""
SELECT coalesce(p.balance_after, 0) AS posted, coalesce(p.account_seq, 0) AS seq, coalesce(h.held, 0) AS held,
       coalesce(h.pending, 0) AS pending, coalesce(o.owed, 0) AS owed
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL ({_AT_INSTANT_NAMED}) AS p ON true
LEFT JOIN LATERAL (
    SELECT sum(e.open_after_minor) FILTER (WHERE h.direction = 'OUT') AS held,
           sum(e.open_after_minor) FILTER (WHERE h.direction = 'IN') AS pending
    FROM ledger_hold AS h CROSS JOIN LATERAL (
        SELECT open_after_minor FROM ledger_holdevent
        WHERE hold_id = h.id AND recorded_at <= %(at)s ORDER BY id DESC LIMIT 1
    ) AS e WHERE h.account_id = %(account)s
) AS h ON true
LEFT JOIN LATERAL (
    SELECT r.balance_after AS owed FROM ledger_owing AS o CROSS JOIN LATERAL (
        SELECT balance_after FROM ledger_posting
        WHERE account_id = o.receivable_id AND posted_at <= %(at)s ORDER BY posted_at DESC, account_seq DESC LIMIT 1
    ) AS r WHERE o.account_id = %(account)s
) AS o ON true
"""  # noqa: S608 - our own text
# By value date: the closing of the latest closed period by then, and what has a later date; two looks into indexes.
_ON_VALUE_DATE = """
WITH closed AS (
    SELECT id, version, last_date FROM ledger_period
    WHERE status = 'CLOSED' AND last_date <= %(day)s ORDER BY last_date DESC LIMIT 1
)
SELECT a.sign * (
    coalesce((SELECT b.closing FROM ledger_periodbalance AS b
              JOIN closed ON closed.id = b.period_id AND closed.version = b.version WHERE b.account_id = a.id), 0)
  + coalesce((SELECT sum(amount) FROM ledger_posting
              WHERE account_id = a.id AND effective_date <= %(day)s
                AND effective_date > coalesce((SELECT last_date FROM closed), '-infinity')), 0))
FROM ledger_account AS a WHERE a.id = %(account)s
"""
# Without closings: a closing of today knows more than was known then.
_AS_KNOWN = """
SELECT coalesce(sum(a.sign * p.amount), 0) FROM ledger_posting AS p JOIN ledger_account AS a ON a.id = p.account_id
JOIN ledger_sealedtransaction AS s ON s.transaction_id = p.transaction_id JOIN ledger_block AS b ON b.n = s.block_id
WHERE p.account_id = %(account)s AND p.effective_date <= %(day)s AND b.sealed_at < %(known_until)s
"""


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
        cursor.execute(_ALL_AT_INSTANT, {"account": account.pk, "at": at})
        return _balance_at(account, at, cursor.fetchone())


def _balance_at(account: Account, at: datetime, row: Sequence[int]) -> BalanceAt:
    posted, seq, held, pending, owed = row
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
    return _summed(account, _ON_VALUE_DATE, {"day": day})


def balance_known(account: Account, day: date, *, known: date, today: date) -> Money:
    """
    Return what an account held at the end of value date `day`, as the ledger knew it at the end of day `known` (UTC).

    What is sealed by then counts; once `known` is over the answer never changes, whatever is backdated later. Reads
    the account's postings up to `day`.

    :raises NotKnownYet: if `known` is not over on `today`
    """
    return _summed(account, _AS_KNOWN, {"day": day, "known_until": _known_until(known, today)})


def look_back(account: Account, day: date, *, known: date | None = None, today: date) -> LookedBack:
    """
    Return all that an account held at the end of a day (UTC), however one asks; one query.

    :raises NotKnownYet: if `known` is given and not over on `today`
    """
    end = datetime.combine(day, time.max, UTC)
    values: dict[str, Any] = {
        "account": account.pk,
        "at": end,
        "day": day,
        "known_until": None if known is None else _known_until(known, today),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ({_ON_VALUE_DATE}), ({_AS_KNOWN}), booked.* FROM ({_ALL_AT_INSTANT}) AS booked",  # noqa: S608 - our own text
            values,
        )
        by_date, as_known, *booked = cursor.fetchone()
    return LookedBack(
        booked=_balance_at(account, end, booked),
        value_date=Money(int(by_date), account.currency),
        as_known=None if known is None else Money(int(as_known), account.currency),
    )


def _known_until(known: date, today: date) -> datetime:
    if known >= today:
        raise NotKnownYet
    return datetime.combine(known + timedelta(days=1), time(), UTC)


def _summed(account: Account, sql: str, values: dict[str, Any]) -> Money:
    """Return a sum in the account's natural sign, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"account": account.pk, **values})
        return Money(int(cursor.fetchone()[0]), account.currency)
