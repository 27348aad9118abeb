"""
The feed: posted movements of wallets become activities, once each, and note whose windows want another look.

One statement serves both ways in: the event of one transaction, and a sweep over many. So both write the same rows.
Other rooms say more about a transaction by its context: `counterparty`, `country`, `channel`, `bank_account`.
"""

from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from compliance.rates import RATES
from flowlet.core.currencies import exponent

# A wallet's account grows by credits, which are below zero in the ledger: money came in where `-amount` is above it.
# The instant is the event's: the ledger's own `posted_at` is when the row was written. Rows never change, so a conflict
# is a repetition.
_SQL = """
WITH rates (currency, millionths, divisor, from_date, code) AS (
    SELECT * FROM unnest(%(currencies)s::text[], %(millionths)s::bigint[], %(divisors)s::bigint[], %(dates)s::date[],
                         %(codes)s::text[])
), legs AS (
    SELECT t.id AS transaction_id, t.kind, t.context, t.reverses_id, t.effective_date,
           p.leg, -p.amount AS moved, p.currency, w.id AS wallet_id, w.customer_id,
           coalesce(e.occurred_at, t.posted_at) AS at
    FROM ledger_transaction t
    JOIN ledger_posting p ON p.transaction_id = t.id
    JOIN wallets_wallet w ON w.account_id = p.account_id
    LEFT JOIN events_event e
      ON e.object_id = t.public_id AND e.sequence = 1 AND e.type = 'ledger.transaction_posted'
    WHERE (%(public_id)s::text IS NULL OR t.public_id = %(public_id)s)
      AND (%(since)s::timestamptz IS NULL OR t.posted_at >= %(since)s)
), fed AS (
    INSERT INTO compliance_activity (
        customer_id, wallet_id, transaction_id, side, kind, channel, counterparty_id, counterparty_key,
        counterparty_country, amount_minor, currency, reporting_minor, rate_code, reverses_id, at
    )
    SELECT l.customer_id, l.wallet_id, l.transaction_id, CASE WHEN l.moved > 0 THEN 'IN' ELSE 'OUT' END, l.kind,
           CASE WHEN l.context->>'channel' IN ('WALLET', 'BANK', 'CARD', 'CASH') THEN l.context->>'channel'
                WHEN l.kind LIKE 'CASH\\_%%' THEN 'CASH'
                WHEN l.kind LIKE 'CARD%%' OR l.kind IN ('TOP_UP', 'REFUND', 'REFUND_RETURN') THEN 'CARD'
                WHEN other.customer_id IS NOT NULL THEN 'WALLET'
                WHEN b.id IS NOT NULL OR n.id IS NOT NULL OR l.kind IN ('DEPOSIT', 'WITHDRAWAL') THEN 'BANK'
                ELSE 'OTHER' END,
           other.customer_id,
           left(coalesce(other.public_id, b.public_id, n.public_id, l.context->>'counterparty', ''), 80),
           upper(left(coalesce(other.country, l.context->>'country', b.country, n.country, ''), 2)),
           abs(l.moved), l.currency,
           round(abs(l.moved)::numeric * r.millionths / r.divisor)::bigint,
           coalesce(r.code, ''), l.reverses_id, l.at
    FROM legs l
    LEFT JOIN wallets_deposit d ON d.transaction_id = l.transaction_id
    LEFT JOIN wallets_withdrawal x ON x.transaction_id = l.transaction_id
    LEFT JOIN wallets_bankaccount b ON b.id = coalesce(d.bank_account_id, x.bank_account_id)
    LEFT JOIN wallets_bankaccount n ON n.public_id = l.context->>'bank_account'
    LEFT JOIN LATERAL (
        SELECT y.customer_id, z.public_id, z.country
        FROM ledger_posting q
        JOIN wallets_wallet y ON y.account_id = q.account_id
        JOIN identity_customer z ON z.id = y.customer_id
        WHERE q.transaction_id = l.transaction_id AND y.id <> l.wallet_id
          AND sign(q.amount) = sign(l.moved)
        ORDER BY abs(q.amount) DESC, q.leg LIMIT 1
    ) other ON true
    LEFT JOIN LATERAL (
        SELECT s.millionths, s.divisor, s.code FROM rates s
        WHERE s.currency = l.currency AND s.from_date <= l.effective_date ORDER BY s.from_date DESC LIMIT 1
    ) r ON true
    ON CONFLICT (transaction_id, wallet_id, side) DO NOTHING
    RETURNING customer_id, at
), noted AS (
    INSERT INTO compliance_dirtywindow (customer_id, from_at)
    SELECT customer_id, min(at) FROM fed GROUP BY customer_id
)
SELECT count(*) FROM fed
"""


def feed_transaction(*, public_id: str) -> int:
    """Store the activities of one ledger transaction (`txn_…`) and return how many were new; safe to repeat."""
    return _feed(public_id=public_id, since=None)


def feed_activities(*, since: datetime | None = None) -> int:
    """
    Store what was posted at or after `since` (None: all there is) and is not stored yet; return how many were new.

    For history, and as the sweep that finds whatever the events missed.
    """
    return _feed(public_id=None, since=since)


@transaction.atomic
def _feed(*, public_id: str | None, since: datetime | None) -> int:
    values: dict[str, Any] = {"public_id": public_id, "since": since, **_rates()}
    with connection.cursor() as cursor:
        # The joins are written in the order they should run; searching for a better one costs thirty times the query.
        cursor.execute("SET LOCAL join_collapse_limit = 1; SET LOCAL from_collapse_limit = 1")
        cursor.execute(_SQL, values)
        number = int(cursor.fetchone()[0])
        cursor.execute("SET LOCAL join_collapse_limit = DEFAULT; SET LOCAL from_collapse_limit = DEFAULT")
    return number


def _rates() -> dict[str, list[str] | list[int] | list[date]]:
    return {
        "currencies": [rate.currency for rate in RATES],
        "millionths": [rate.usd_millionths for rate in RATES],
        # Millionths of a dollar and minor units on one side, cents on the other.
        "divisors": [10 ** (4 + exponent(rate.currency)) for rate in RATES],
        "dates": [rate.from_date for rate in RATES],
        "codes": [rate.code for rate in RATES],
    }
