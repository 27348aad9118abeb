"""The questions whose answers prove the ledger: SQL that returns a row (row, field, text) for each fault."""

import json
from dataclasses import dataclass
from typing import Literal

from flowlet.core.currencies import EXPONENTS

Counted = Literal[
    "currencies",
    "accounts",
    "transactions",
    "postings",
    "reversals",
    "holds",
    "periods",
    "hold events",
    "blocks",
    "day totals",
    "texts",
    "anchors",
    "files",
]


@dataclass(frozen=True, slots=True)
class Check:
    """One question; `counts` says which rows it looks at."""

    name: str
    title: str
    counts: Counted
    sql: str


CHECKS = (
    Check(
        "exponents",
        "currencies have the digits of ISO 4217",
        "currencies",
        """
        SELECT 'currency ' || coalesce(c.code, wanted.code), 'exponent',
               format('is %s, should be %s', coalesce(c.exponent::text, 'missing'), coalesce(wanted.exponent, 'absent'))
        FROM ledger_currency c FULL JOIN jsonb_each_text(:exponents) AS wanted(code, exponent)
            ON wanted.code = c.code
        WHERE c.exponent::text IS DISTINCT FROM wanted.exponent
        ORDER BY 1
        """.replace(":exponents", f"'{json.dumps(dict(EXPONENTS))}'"),
    ),
    Check(
        "accounts",
        "accounts have the sign of their heading and one balance row of their own",
        "accounts",
        """
        SELECT format('account %s', a.id), wrong.field, wrong.text
        FROM ledger_account a
        JOIN ledger_chartaccount c ON c.id = a.chart_account_id
        LEFT JOIN ledger_balance b ON b.account_id = a.id
        CROSS JOIN LATERAL (VALUES
            ('sign', a.sign::text, CASE WHEN c.kind IN ('ASSET', 'EXPENSE') THEN '1' ELSE '-1' END),
            ('balance.sign', b.sign::text, a.sign::text),
            ('balance.currency', b.currency, a.currency)
        ) AS value(field, found, wanted)
        CROSS JOIN LATERAL (SELECT value.field, format('is %s, should be %s', coalesce(value.found, 'missing'), value.wanted)
                            AS text) AS wrong
        WHERE value.found IS DISTINCT FROM value.wanted
        ORDER BY a.id, value.field
        """,
    ),
    Check(
        "zero_per_currency",
        "all postings of a currency sum to zero",
        "postings",
        """
        SELECT 'currency ' || currency, 'amount', format('all postings sum to %s, should be 0', sum(amount))
        FROM ledger_posting GROUP BY currency HAVING sum(amount) <> 0 ORDER BY currency
        """,
    ),
    Check(
        "zero_per_transaction",
        "the legs of a transaction sum to zero in each currency",
        "transactions",
        """
        SELECT format('transaction %s', transaction_id), 'amount', format('legs in %s sum to %s, should be 0', currency, sum(amount))
        FROM ledger_posting GROUP BY transaction_id, currency HAVING sum(amount) <> 0 ORDER BY transaction_id, currency
        """,
    ),
    Check(
        "legs_complete",
        "a transaction has the legs 1 to leg_count, a posting has a transaction",
        "transactions",
        """
        SELECT format('transaction %s', coalesce(t.id, p.transaction_id)),
               CASE WHEN t.id IS NULL THEN 'id' ELSE 'leg_count' END,
               CASE WHEN t.id IS NULL THEN format('is missing, but has %s legs', p.n)
                    ELSE format('is %s, but there are %s legs, from %s to %s', t.leg_count, coalesce(p.n, 0),
                                coalesce(p.lowest, 0), coalesce(p.highest, 0)) END
        FROM ledger_transaction t FULL JOIN (
            SELECT transaction_id, count(*) AS n, min(leg) AS lowest, max(leg) AS highest
            FROM ledger_posting GROUP BY transaction_id
        ) AS p ON p.transaction_id = t.id
        WHERE t.id IS NULL OR (p.n, p.lowest, p.highest) IS DISTINCT FROM (t.leg_count::bigint, 1, t.leg_count)
        ORDER BY coalesce(t.id, p.transaction_id)
        """,
    ),
    Check(
        "legs_agree",
        "legs carry their header's date, their account's currency, and are not booked before their header",
        "postings",
        """
        SELECT format('posting %s', p.id), value.field, format('is %s, should be %s', value.found, value.wanted)
        FROM ledger_posting p
        JOIN ledger_transaction t ON t.id = p.transaction_id
        LEFT JOIN ledger_account a ON a.id = p.account_id
        CROSS JOIN LATERAL (VALUES
            ('effective_date', p.effective_date::text, t.effective_date::text, p.effective_date <> t.effective_date),
            ('currency', p.currency, coalesce(a.currency, 'that of an account'), p.currency IS DISTINCT FROM a.currency),
            ('posted_at', p.posted_at::text, 'at or after ' || t.posted_at, p.posted_at < t.posted_at)
        ) AS value(field, found, wanted, wrong)
        WHERE (p.effective_date <> t.effective_date OR p.currency IS DISTINCT FROM a.currency OR p.posted_at < t.posted_at)
            AND value.wrong
        ORDER BY p.id, value.field
        """,
    ),
    Check(
        "running_balance",
        "account_seq counts 1, 2, 3 … and balance_after = before + sign x amount, posted_at never goes back",
        "postings",
        """
        SELECT format('posting %s', p.id), value.field, format('is %s, should be %s', value.found, value.wanted)
        FROM (
            SELECT id, account_id, account_seq, balance_after, posted_at, amount,
                   row_number() OVER account AS seq,
                   coalesce(lag(balance_after) OVER account, 0) AS before,
                   lag(posted_at) OVER account AS posted_before
            FROM ledger_posting WINDOW account AS (PARTITION BY account_id ORDER BY account_seq, id)
        ) AS p
        LEFT JOIN ledger_account a ON a.id = p.account_id
        CROSS JOIN LATERAL (VALUES
            ('account_seq', p.account_seq::text, p.seq::text, p.account_seq <> p.seq),
            ('balance_after', p.balance_after::text, (p.before + a.sign * p.amount)::text,
             p.balance_after IS DISTINCT FROM p.before + a.sign * p.amount),
            ('posted_at', p.posted_at::text, 'at or after ' || p.posted_before, p.posted_at < p.posted_before)
        ) AS value(field, found, wanted, wrong)
        WHERE (p.account_seq <> p.seq OR p.posted_at < p.posted_before
               OR p.balance_after IS DISTINCT FROM p.before + a.sign * p.amount)
            AND value.wrong
        ORDER BY p.account_id, p.seq, value.field
        """,
    ),
    Check(
        "balances",
        "a balance row equals the sum, the number and the latest instant of its postings, and held is what its holds add up to",
        "accounts",
        """
        SELECT format('balance of account %s', b.account_id), value.field,
               format('is %s, should be %s', coalesce(value.found, 'empty'), coalesce(value.wanted, 'empty'))
        FROM ledger_balance b
        LEFT JOIN (
            SELECT account_id, sum(amount) AS amount, count(*) AS n, max(posted_at) AS latest
            FROM ledger_posting GROUP BY account_id
        ) AS p USING (account_id)
        LEFT JOIN (
            SELECT h.account_id, sum(e.delta_minor) FILTER (WHERE h.direction = 'OUT') AS held,
                   sum(e.delta_minor) FILTER (WHERE h.direction = 'IN') AS pending_in
            FROM ledger_hold h JOIN ledger_holdevent e ON e.hold_id = h.id GROUP BY h.account_id
        ) AS k USING (account_id)
        CROSS JOIN LATERAL (VALUES
            ('posted', b.posted::text, (coalesce(p.amount, 0) * b.sign)::text),
            ('seq', b.seq::text, coalesce(p.n, 0)::text),
            ('latest_posted_at', b.latest_posted_at::text, p.latest::text),
            ('held', b.held::text, coalesce(k.held, 0)::text),
            ('pending_in', b.pending_in::text, coalesce(k.pending_in, 0)::text)
        ) AS value(field, found, wanted)
        WHERE (b.posted, b.seq, b.held, b.pending_in, b.latest_posted_at)
                IS DISTINCT FROM (coalesce(p.amount, 0) * b.sign, coalesce(p.n, 0), coalesce(k.held, 0),
                                  coalesce(k.pending_in, 0), p.latest)
            AND value.found IS DISTINCT FROM value.wanted
        ORDER BY b.account_id, value.field
        """,
    ),
    Check(
        "holds",
        "a hold's state is the sum of its events, each event continues the one before, a capture is booked",
        "holds",
        """
        SELECT format('hold %s', f.public_id), f.field, format('is %s, should be %s', f.found, f.wanted)
        FROM (
            SELECT h.id, h.public_id, 'open_minor' AS field, coalesce(s.open_minor::text, 'empty') AS found,
                   coalesce(sum(e.delta_minor), 0)::text AS wanted
            FROM ledger_hold h LEFT JOIN ledger_holdstate s ON s.hold_id = h.id
            LEFT JOIN ledger_holdevent e ON e.hold_id = h.id
            GROUP BY h.id, h.public_id, s.open_minor
            HAVING s.open_minor IS DISTINCT FROM coalesce(sum(e.delta_minor), 0)
            UNION ALL
            SELECT h.id, h.public_id, value.field, coalesce(value.found, 'empty'), coalesce(value.wanted, 'empty')
            FROM ledger_hold h LEFT JOIN ledger_holdstate s ON s.hold_id = h.id
            LEFT JOIN (
                SELECT hold_id, sum(delta_minor)::bigint AS open_minor, bool_or(kind = 'CAPTURE') AS captured,
                       (array_agg(kind ORDER BY id DESC))[1]::text AS kind
                FROM ledger_holdevent GROUP BY hold_id
            ) AS e ON e.hold_id = h.id
            CROSS JOIN LATERAL (VALUES
                ('account', s.account_id::text, h.account_id::text),
                ('status', s.status::text, ledger_hold_status(e.open_minor, e.kind, e.captured))
            ) AS value(field, found, wanted)
            WHERE value.found IS DISTINCT FROM value.wanted
            UNION ALL
            SELECT c.hold_id, h.public_id, 'open_after_minor', c.open_after_minor::text, c.wanted::text
            FROM (SELECT hold_id, open_after_minor,
                         sum(delta_minor) OVER (PARTITION BY hold_id ORDER BY id) AS wanted
                  FROM ledger_holdevent) AS c
            JOIN ledger_hold h ON h.id = c.hold_id
            WHERE c.open_after_minor <> c.wanted
            UNION ALL
            SELECT h.id, h.public_id, 'transaction', e.transaction, 'a transaction on its account'
            FROM ledger_holdevent e JOIN ledger_hold h ON h.id = e.hold_id
            WHERE e.kind = 'CAPTURE' AND NOT EXISTS (
                SELECT FROM ledger_transaction t JOIN ledger_posting p ON p.transaction_id = t.id
                WHERE t.public_id = e.transaction AND p.account_id = h.account_id)
        ) AS f ORDER BY f.id, f.field
        """,
    ),
    Check(
        "owed",
        "what an account owes stands on its customer's receivable, and nothing is available while it owes",
        "accounts",
        """
        SELECT format('account %s', o.account_id), value.field, value.text
        FROM ledger_owing o
        JOIN ledger_account own ON own.id = o.account_id
        JOIN ledger_account owed ON owed.id = o.receivable_id
        JOIN ledger_chartaccount c ON c.id = owed.chart_account_id
        JOIN ledger_balance a ON a.account_id = own.id
        JOIN ledger_balance b ON b.account_id = owed.id
        CROSS JOIN LATERAL (VALUES
            ('receivable', format('account %s is not the same customer''s receivable', owed.id),
             c.code <> 'RECEIVABLES' OR (own.customer_id, own.currency, own.partner_id)
                IS DISTINCT FROM (owed.customer_id, owed.currency, owed.partner_id)),
            ('owed', format('is %s, should not be below 0', b.posted), b.posted < 0),
            ('available', format('is %s while %s is owed, should be 0', a.posted - a.held, b.posted),
             b.posted > 0 AND a.status IN ('OPEN', 'NO_IN') AND (a.floor IS NULL OR a.posted - a.held > a.floor))
        ) AS value(field, text, wrong)
        WHERE value.wrong ORDER BY o.account_id, value.field
        """,
    ),
    Check(
        "reversals",
        "a reversal mirrors an original transaction leg by leg, once",
        "reversals",
        """
        SELECT format('transaction %s', t.id), 'reverses',
               CASE WHEN o.id IS NULL THEN 'names a transaction that is missing'
                    WHEN o.reverses_id IS NOT NULL THEN 'names a reversal'
                    WHEN twice.n > 1 THEN 'names a transaction that is reversed more than once'
                    ELSE format('does not mirror transaction %s', o.id) END
        FROM ledger_transaction t
        LEFT JOIN ledger_transaction o ON o.id = t.reverses_id
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM ledger_transaction s
                            WHERE s.reverses_id IS NOT NULL AND s.reverses_id = t.reverses_id) AS twice
        WHERE t.reverses_id IS NOT NULL AND (o.id IS NULL OR o.reverses_id IS NOT NULL OR twice.n > 1 OR EXISTS (
            (SELECT account_id, amount FROM ledger_posting WHERE transaction_id = t.id
             EXCEPT ALL SELECT account_id, -amount FROM ledger_posting WHERE transaction_id = o.id)
            UNION ALL
            (SELECT account_id, -amount FROM ledger_posting WHERE transaction_id = o.id
             EXCEPT ALL SELECT account_id, amount FROM ledger_posting WHERE transaction_id = t.id)))
        ORDER BY t.id
        """,
    ),
    Check(
        "deals",
        "a deal says what its postings say, an exchange has one, and costs follow the positions posting by posting",
        "transactions",
        """
        SELECT f.name, f.field, format('is %s, should be %s', coalesce(f.found, 'missing'), coalesce(f.wanted, 'absent'))
        FROM (
            SELECT format('deal of transaction %s', d.transaction_id) AS name, value.field, value.found, value.wanted
            FROM ledger_fxdeal d
            CROSS JOIN LATERAL (
                SELECT -sum(p.amount) FILTER (WHERE c.code = 'FX_POSITION' AND p.currency = d.sold_currency) AS sold,
                       sum(p.amount) FILTER (WHERE c.code = 'FX_POSITION' AND p.currency = d.bought_currency) AS bought,
                       -coalesce(sum(p.amount) FILTER (WHERE c.code = 'FX_SPREAD_INCOME'), 0) AS spread
                FROM ledger_posting p JOIN ledger_account a ON a.id = p.account_id
                JOIN ledger_chartaccount c ON c.id = a.chart_account_id
                WHERE p.transaction_id = d.transaction_id
            ) AS s
            CROSS JOIN LATERAL (VALUES
                ('sold_minor', d.sold_minor::text, s.sold::text),
                ('bought_minor', d.bought_minor::text, s.bought::text),
                ('spread_minor', d.spread_minor::text, s.spread::text)
            ) AS value(field, found, wanted)
            UNION ALL
            SELECT format('transaction %s', t.id), 'deal', d.id::text, 'one for quote ' || t.quote
            FROM ledger_transaction t LEFT JOIN ledger_fxdeal d ON d.transaction_id = t.id
            WHERE t.quote <> '' AND d.id IS NULL
            UNION ALL
            SELECT format('cost %s of account %s', k.account_seq, k.account_id), value.field, value.found, value.wanted
            FROM (SELECT *, row_number() OVER own AS number, sum(cost_minor) OVER own AS cost
                  FROM ledger_fxcost WINDOW own AS (PARTITION BY account_id ORDER BY account_seq)) AS k
            LEFT JOIN ledger_posting p USING (account_id, account_seq)
            CROSS JOIN LATERAL (VALUES
                ('account_seq', k.account_seq::text, k.number::text),
                ('quantity_minor', k.quantity_minor::text, p.amount::text),
                ('position_after_minor', k.position_after_minor::text, p.balance_after::text),
                ('cost_after_minor', k.cost_after_minor::text, k.cost::text)
            ) AS value(field, found, wanted)
            UNION ALL
            SELECT format('transaction %s', r.booked_id), 'result', (-sum(p.amount))::text, min(r.minor)::text
            FROM (SELECT booked_id, sum(result_minor) AS minor FROM ledger_fxcost
                  WHERE booked_id IS NOT NULL GROUP BY booked_id) AS r
            LEFT JOIN (ledger_posting p JOIN ledger_account a ON a.id = p.account_id
                       JOIN ledger_chartaccount c ON c.id = a.chart_account_id AND c.code = 'FX_REALISED')
                ON p.transaction_id = r.booked_id
            GROUP BY r.booked_id
        ) AS f WHERE f.found IS DISTINCT FROM f.wanted ORDER BY f.name, f.field
        """,
    ),
)
