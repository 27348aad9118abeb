"""Sums of postings by heading and currency up to a day: the closings of the latest closed period, and what came since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

# One statement, so that the closings and what came since are of one picture.
_BY_VALUE_DATE = """
WITH closed AS (
    SELECT id, version, last_date FROM ledger_period
    WHERE status = 'CLOSED' AND last_date <= %(day)s ORDER BY last_date DESC LIMIT 1
), booked AS (
    SELECT chart_account_id, t.currency, closing AS net
    FROM ledger_periodtotal t JOIN closed ON closed.id = t.period_id AND closed.version = t.version
    UNION ALL
    SELECT a.chart_account_id, p.currency, p.net
    FROM (
        SELECT account_id, currency, sum(amount) AS net FROM ledger_posting
        WHERE effective_date > coalesce((SELECT last_date FROM closed), '-infinity') AND effective_date <= %(day)s
        GROUP BY account_id, currency
    ) AS p JOIN ledger_account a ON a.id = p.account_id
)
SELECT chart_account_id, currency, sum(net)::bigint FROM booked
GROUP BY chart_account_id, currency HAVING sum(net) <> 0
"""
# Without closings: a closing of today knows more than was known then.
_AS_KNOWN = """
SELECT a.chart_account_id, p.currency, sum(p.amount)::bigint
FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
WHERE p.effective_date <= %(day)s AND p.posted_at < %(known_before)s
GROUP BY a.chart_account_id, p.currency HAVING sum(p.amount) <> 0
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


def totals_until(day: date, *, known_before: datetime | None = None) -> list[HeadingTotal]:
    """
    Return the sums of all postings with value dates up to `day`, none of which is zero.

    With `known_before` only those booked before that instant: always the same answer, whatever is backdated later.
    """
    if known_before is None:
        return _read(_BY_VALUE_DATE, {"day": day})
    return _read(_AS_KNOWN, {"day": day, "known_before": known_before})


def totals_at(at: datetime) -> list[HeadingTotal]:
    """Return the sums of all postings booked up to an instant, whatever their value dates; none is zero."""
    return _read(_BY_BOOKING_TIME, {"at": at})


def _read(sql: str, values: dict[str, Any]) -> list[HeadingTotal]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: Iterable[tuple[int, str, int]] = cursor.fetchall()
    return [HeadingTotal(*row) for row in rows]
