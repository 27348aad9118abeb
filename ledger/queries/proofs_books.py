"""What proves the months of the books: SQL that returns a row (row, field, text) for each fault."""

from ledger.queries.proofs import Check

PERIOD_CHECKS = (
    Check(
        "periods",
        "periods follow each other without gaps, close in their order, and count their closings 1, 2, 3 …",
        "periods",
        """
        SELECT format('period %s', p.public_id), value.field, format('is %s, should be %s', value.found, value.wanted)
        FROM (
            SELECT q.*, lag(last_date) OVER w AS last_before, lag(status) OVER w AS status_before,
                   coalesce(c.n, 0) AS n, coalesce(c.highest, 0) AS highest
            FROM ledger_period q
            LEFT JOIN (SELECT period_id, count(*) AS n, max(version) AS highest FROM ledger_periodclosing
                       GROUP BY period_id) AS c ON c.period_id = q.id
            WINDOW w AS (ORDER BY q.first_date)
        ) AS p
        CROSS JOIN LATERAL (VALUES
            ('first_date', p.first_date::text, (p.last_before + 1)::text,
             p.last_before IS NOT NULL AND p.first_date <> p.last_before + 1),
            ('status', p.status::text, 'OPEN after a period that is ' || p.status_before,
             p.status <> 'OPEN' AND p.status_before <> 'CLOSED'),
            ('version', p.version::text, format('%s closings up to %s', p.n, p.highest),
             p.version <> p.n OR p.version <> p.highest),
            ('version', p.version::text, '1 or more', p.status = 'CLOSED' AND p.version < 1)
        ) AS value(field, found, wanted, wrong)
        WHERE value.wrong ORDER BY p.first_date, value.field
        """,
    ),
    Check(
        "period_digests",
        "a closing's digest is that of its totals, and its totals sum to zero",
        "periods",
        """
        SELECT format('closing %s of %s', c.version, p.public_id), value.field, value.text
        FROM ledger_periodclosing c JOIN ledger_period p ON p.id = c.period_id
        CROSS JOIN LATERAL (VALUES
            ('digest', 'is not that of its totals', c.digest <> ledger_period_digest(c.period_id, c.version)),
            ('closing', 'the totals do not sum to zero', EXISTS (
                SELECT FROM ledger_periodtotal t WHERE t.period_id = c.period_id AND t.version = c.version
                GROUP BY t.currency HAVING sum(t.closing) <> 0))
        ) AS value(field, text, wrong)
        WHERE value.wrong ORDER BY c.period_id, c.version, value.field
        """,
    ),
    Check(
        "period_balances",
        "a closed period holds what was booked up to its last day, for each account and each heading",
        "periods",
        """
        SELECT format('%s, %s', p.public_id, f.row), 'closing',
               format('is %s, the postings sum to %s', coalesce(f.found, 0), coalesce(f.wanted, 0))
        FROM ledger_period p CROSS JOIN LATERAL (
            SELECT format('account %s', account_id) AS row, b.closing::numeric AS found, s.net AS wanted
            FROM (SELECT account_id, closing FROM ledger_periodbalance
                  WHERE period_id = p.id AND version = p.version) AS b
            FULL JOIN (SELECT account_id, sum(amount) AS net FROM ledger_posting
                       WHERE effective_date <= p.last_date GROUP BY account_id) AS s USING (account_id)
            WHERE coalesce(b.closing, 0) <> coalesce(s.net, 0)
            UNION ALL
            SELECT format('heading %s, %s', chart_account_id, currency), t.closing, s.net
            FROM (SELECT chart_account_id, currency, closing FROM ledger_periodtotal
                  WHERE period_id = p.id AND version = p.version) AS t
            FULL JOIN (SELECT a.chart_account_id, b.currency, sum(b.closing) AS net
                       FROM ledger_periodbalance b JOIN ledger_account a ON a.id = b.account_id
                       WHERE b.period_id = p.id AND b.version = p.version
                       GROUP BY a.chart_account_id, b.currency) AS s USING (chart_account_id, currency)
            WHERE coalesce(t.closing, 0) <> coalesce(s.net, 0)
        ) AS f
        WHERE p.status = 'CLOSED' ORDER BY p.first_date, f.row
        """,
    ),
    Check(
        "manual_journals",
        "a manual journal is what two people agreed on",
        "transactions",
        """
        SELECT format('transaction %s', t.public_id), 'approval', 'is not that of its journal'
        FROM ledger_transaction t
        WHERE t.kind = 'MANUAL' AND NOT EXISTS (
            SELECT FROM ledger_journaldraft d JOIN backoffice_approval a ON a.id = d.approval_id
            JOIN backoffice_approvalvote v ON v.approval_id = a.id
            WHERE d.transaction_id = t.id AND d.approval_id = t.approval_id AND a.action = 'ledger.post_journal'
                AND a.object_id = d.public_id AND a.status = 'EXECUTED' AND v.decision = 'APPROVE'
                AND v.checker_id <> a.maker_id)
        ORDER BY t.id
        """,
    ),
)
