"""Sums by heading and currency up to a day: the closings of the latest closed period, and the day totals since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

# One statement, so that closings, day totals and what is not sealed yet are of one picture.
_BY_VALUE_DATE = """
WITH closed AS (
    SELECT id, version, last_date FROM ledger_period
    WHERE status = 'CLOSED' AND last_date <= %(day)s ORDER BY last_date DESC LIMIT 1
), since AS (
    SELECT coalesce((SELECT last_date FROM closed), '-infinity') AS day
), booked AS (
    SELECT chart_account_id, t.currency, closing AS net
    FROM ledger_periodtotal t JOIN closed ON closed.id = t.period_id AND closed.version = t.version
    UNION ALL
    SELECT chart_account_id, currency, debit - credit
    FROM ledger_daytotal WHERE effective_date > (SELECT day FROM since) AND effective_date <= %(day)s
    UNION ALL
    SELECT a.chart_account_id, p.currency, p.amount
    FROM ledger_unsealed_transactions() u
    JOIN ledger_posting p ON p.transaction_id = u.id
    JOIN ledger_account a ON a.id = p.account_id
    WHERE p.effective_date > (SELECT day FROM since) AND p.effective_date <= %(day)s
)
SELECT chart_account_id, currency, sum(net)::bigint FROM booked
GROUP BY chart_account_id, currency HAVING sum(net) <> 0
"""
# Without closings: a closing of today knows more than was known then.
_AS_KNOWN = """
SELECT chart_account_id, currency, sum(debit - credit)::bigint FROM ledger_daytotal
WHERE effective_date <= %(day)s AND known_date <= %(known)s
GROUP BY chart_account_id, currency HAVING sum(debit - credit) <> 0
"""
# What each account held after its latest posting up to the instant: one step into the index for each account.
_BY_BOOKING_TIME = """
SELECT a.chart_account_id, a.currency, sum(a.sign * latest.balance_after)::bigint
FROM ledger_account a CROSS JOIN LATERAL (
    SELECT balance_after FROM ledger_posting
    WHERE account_id = a.id AND posted_at <= %(at)s ORDER BY posted_at DESC, account_seq DESC LIMIT 1
) AS latest
GROUP BY a.chart_account_id, a.currency HAVING sum(a.sign * latest.balance_after) <> 0
"""


@dataclass(frozen=True, slots=True)
class HeadingTotal:
    """The net of one heading in one currency, minor units, debit > 0."""

    chart_account_id: int
    currency: str
    net: int


def totals_until(day: date, *, known: date | None = None) -> list[HeadingTotal]:
    """
    Return the sums of all postings with value dates up to `day`, none of which is zero.

    With `known` only what was sealed by the end of that day (UTC): once it is over the answer never changes, whatever
    is backdated later.
    """
    if known is None:
        return _read(_BY_VALUE_DATE, {"day": day})
    return _read(_AS_KNOWN, {"day": day, "known": known})


def totals_at(at: datetime) -> list[HeadingTotal]:
    """Return the sums of all postings booked up to an instant, whatever their value dates; none is zero."""
    return _read(_BY_BOOKING_TIME, {"at": at})


def _read(sql: str, values: dict[str, Any]) -> list[HeadingTotal]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: Iterable[tuple[int, str, int]] = cursor.fetchall()
    return [HeadingTotal(*row) for row in rows]
