-- The proof of signatures and blocks. Each function answers one row (row, field, text) per fault. They run as their
-- owner: whoever asks never sees a key. `since` looks at rows from that instant on, and at one of `part` older ones by
-- turns (`turn`): over `part` runs all are looked at. -infinity looks at all.

CREATE FUNCTION ledger_verify_transactions(first_id bigint, last_id bigint, since timestamptz, part integer, turn integer)
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('transaction %s (%s)', t.id, t.public_id), CASE WHEN k.key_id IS NULL THEN 'key_id' ELSE 'mac' END,
           CASE WHEN k.key_id IS NULL THEN format('names key %s, which is not there', t.key_id)
                ELSE 'the signature does not fit: a column was changed, or the row was not written by the ledger' END
    FROM ledger_transaction AS t LEFT JOIN ledger_keypad AS k USING (key_id)
    WHERE t.id BETWEEN first_id AND last_id AND (t.posted_at >= since OR t.id % part = turn)
        AND t.mac IS DISTINCT FROM flowlet_hmac(k.inner_pad, k.outer_pad, ledger_transaction_message(
            t.id, t.public_id, t.kind, t.source, t.source_key, t.fingerprint, t.effective_date, t.leg_count,
            t.reverses_id, t.approval_id, t.quote, t.fx_rate, t.actor, t.context, t.text_digest, t.xid, t.epoch,
            t.posted_at, t.key_id))
    ORDER BY t.id
$$;

CREATE FUNCTION ledger_verify_postings(first_id bigint, last_id bigint, since timestamptz, part integer, turn integer)
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('posting %s (leg %s of transaction %s)', p.id, p.leg, p.transaction_id),
           CASE WHEN k.key_id IS NULL THEN 'key_id' ELSE 'mac' END,
           CASE WHEN k.key_id IS NULL THEN format('names key %s, which is not there', p.key_id)
                ELSE 'the signature does not fit: a column was changed, or the row was not written by the ledger' END
    FROM ledger_posting AS p LEFT JOIN ledger_keypad AS k USING (key_id)
    WHERE p.id BETWEEN first_id AND last_id AND (p.posted_at >= since OR p.id % part = turn)
        AND p.mac IS DISTINCT FROM flowlet_hmac(k.inner_pad, k.outer_pad, ledger_posting_message(
            p.id, p.transaction_id, p.leg, p.account_id, p.currency, p.amount, p.effective_date, p.balance_after,
            p.held_after, p.account_seq, p.posted_at, p.key_id))
    ORDER BY p.id
$$;

CREATE FUNCTION ledger_verify_hold_events(first_id bigint, last_id bigint, since timestamptz, part integer, turn integer)
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('event %s of hold %s', e.id, e.hold_id),
           CASE WHEN h.id IS NULL THEN 'hold' WHEN k.key_id IS NULL THEN 'key_id' ELSE 'mac' END,
           CASE WHEN h.id IS NULL THEN 'its hold is missing'
                WHEN k.key_id IS NULL THEN format('names key %s, which is not there', e.key_id)
                ELSE 'the signature does not fit: a column of the event or of its hold was changed, or the event was not'
                     ' written by the ledger' END
    FROM ledger_holdevent AS e LEFT JOIN ledger_hold AS h ON h.id = e.hold_id LEFT JOIN ledger_keypad AS k USING (key_id)
    WHERE e.id BETWEEN first_id AND last_id AND (e.recorded_at >= since OR e.id % part = turn)
        AND e.mac IS DISTINCT FROM flowlet_hmac(k.inner_pad, k.outer_pad, ledger_hold_event_message(
            h, e.id, e.kind, e.delta_minor, e.open_after_minor, e.transaction, e.source_key, e.actor, e.recorded_at,
            e.xid, e.epoch, e.key_id))
    ORDER BY e.id
$$;

-- Blocks: numbers without gaps, each names the hash before, its hash is that of its rows, and we signed the hash.
CREATE FUNCTION ledger_verify_blocks(first_id bigint, last_id bigint, since timestamptz, part integer, turn integer)
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('block %s', c.n), v.field, v.text
    FROM (
        SELECT b.*, before.n AS before_n, before.hash AS before_hash, k.inner_pad, k.outer_pad,
               (SELECT count(*) FROM ledger_sealedtransaction AS s
                JOIN ledger_transaction AS t ON t.id = s.transaction_id WHERE s.block_id = b.n) AS found,
               (SELECT count(*) FROM ledger_sealedholdevent AS s
                JOIN ledger_holdevent AS e ON e.id = s.event_id WHERE s.block_id = b.n) AS found_events
        FROM ledger_block AS b
        LEFT JOIN LATERAL (SELECT n, hash FROM ledger_block AS p WHERE p.n < b.n ORDER BY p.n DESC LIMIT 1) AS before
            ON true
        LEFT JOIN ledger_keypad AS k USING (key_id)
        WHERE b.n BETWEEN first_id AND last_id AND (b.sealed_at >= since OR b.n % part = turn)
    ) AS c CROSS JOIN LATERAL (VALUES
        ('n', format('follows block %s: blocks are missing', coalesce(c.before_n, 0)),
         c.n <> coalesce(c.before_n, 0) + 1),
        ('previous', 'is not the hash of the block before',
         c.previous <> coalesce(c.before_hash, decode(repeat('00', 32), 'hex'))),
        ('transactions', format('is %s, but %s are there', c.transactions, c.found), c.transactions <> c.found),
        ('hold_events', format('is %s, but %s are there', c.hold_events, c.found_events),
         c.hold_events <> c.found_events),
        ('hash', 'is not the hash of its rows', c.hash <> sha256(ledger_block_message(
            c.n, c.epoch, c.floor_xid, c.transactions, c.hold_events, c.sealed_at, c.key_id, c.previous,
            ledger_block_digests(c.n)))),
        ('mac', 'the signature does not fit the hash',
         c.mac IS DISTINCT FROM flowlet_hmac(c.inner_pad, c.outer_pad, c.hash))
    ) AS v(field, text, wrong)
    WHERE v.wrong ORDER BY c.n, v.field
$$;

-- Membership: what a block names is there and the block too, and nothing below the floor was left out.
CREATE FUNCTION ledger_verify_membership()
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH latest AS (SELECT epoch, floor_xid FROM ledger_block ORDER BY n DESC LIMIT 1)
    SELECT format('transaction %s', s.transaction_id), 'id', format('is missing, but block %s holds it', s.block_id)
    FROM ledger_sealedtransaction AS s
    WHERE NOT EXISTS (SELECT FROM ledger_transaction AS t WHERE t.id = s.transaction_id)
    UNION ALL
    SELECT format('hold event %s', s.event_id), 'id', format('is missing, but block %s holds it', s.block_id)
    FROM ledger_sealedholdevent AS s WHERE NOT EXISTS (SELECT FROM ledger_holdevent AS e WHERE e.id = s.event_id)
    UNION ALL
    SELECT format('block %s', m.block_id), 'n', 'is missing, but rows are sealed in it'
    FROM (SELECT block_id FROM ledger_sealedtransaction UNION SELECT block_id FROM ledger_sealedholdevent) AS m
    WHERE NOT EXISTS (SELECT FROM ledger_block AS b WHERE b.n = m.block_id)
    UNION ALL
    SELECT format('transaction %s (%s)', t.id, t.public_id), 'block', 'is in none, though the sealer has passed it'
    FROM ledger_transaction AS t, latest AS l
    WHERE t.epoch = l.epoch AND t.xid < l.floor_xid
        AND NOT EXISTS (SELECT FROM ledger_sealedtransaction AS s WHERE s.transaction_id = t.id)
    UNION ALL
    SELECT format('event %s of hold %s', e.id, e.hold_id), 'block', 'is in none, though the sealer has passed it'
    FROM ledger_holdevent AS e, latest AS l
    WHERE e.epoch = l.epoch AND e.xid < l.floor_xid
        AND NOT EXISTS (SELECT FROM ledger_sealedholdevent AS s WHERE s.event_id = e.id)
$$;

-- Day totals are the sums of the sealed postings.
CREATE FUNCTION ledger_verify_day_totals(since date)
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH wanted AS (
        SELECT a.chart_account_id, p.currency, p.effective_date, (b.sealed_at AT TIME ZONE 'UTC')::date AS known_date,
               sum(greatest(p.amount, 0)) AS debit, sum(greatest(-p.amount, 0)) AS credit, count(*) AS count
        FROM ledger_block AS b JOIN ledger_sealedtransaction AS s ON s.block_id = b.n
        JOIN ledger_posting AS p USING (transaction_id) JOIN ledger_account AS a ON a.id = p.account_id
        WHERE b.sealed_at >= since AT TIME ZONE 'UTC'
        GROUP BY a.chart_account_id, p.currency, p.effective_date, known_date
    ), found AS (SELECT * FROM ledger_daytotal WHERE known_date >= since)
    SELECT format('total of heading %s, %s, value date %s, known %s', c.number, currency, effective_date, known_date),
           v.field, format('is %s, should be %s', coalesce(v.found, 0), coalesce(v.wanted, 0))
    FROM found AS f FULL JOIN wanted AS w USING (chart_account_id, currency, effective_date, known_date)
    LEFT JOIN ledger_chartaccount AS c ON c.id = chart_account_id
    CROSS JOIN LATERAL (VALUES ('debit', f.debit, w.debit), ('credit', f.credit, w.credit),
                               ('count', f.count::numeric, w.count::numeric)) AS v(field, found, wanted)
    WHERE v.found IS DISTINCT FROM v.wanted
    ORDER BY known_date, effective_date, c.number, currency, v.field
$$;

-- Words go only with a row that says so.
CREATE FUNCTION ledger_verify_texts()
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('transaction %s (%s)', t.id, t.public_id), 'text',
           CASE WHEN x.id IS NULL THEN 'is missing, and nobody erased it' ELSE 'is there, though it was erased' END
    FROM ledger_transaction AS t LEFT JOIN ledger_transactiontext AS x ON x.transaction_id = t.id
    LEFT JOIN ledger_texterasure AS e ON e.transaction_id = t.id
    WHERE t.text_digest IS NOT NULL AND (x.id IS NULL) = (e.transaction_id IS NULL)
    ORDER BY t.id
$$;

-- The sums of what was booked since an instant, from the rows before it: what the whole proof computes from the start.
CREATE FUNCTION ledger_verify_recent(since timestamptz)
RETURNS TABLE ("row" text, field text, text text) LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT format('transaction %s (%s)', t.id, t.public_id), v.field, v.text
    FROM ledger_transaction AS t CROSS JOIN LATERAL (
        SELECT sum(n) AS n, bool_and(total = 0) AS balanced, min(lowest) AS lowest, max(highest) AS highest
        FROM (SELECT count(*) AS n, sum(amount) AS total, min(leg) AS lowest, max(leg) AS highest
              FROM ledger_posting WHERE transaction_id = t.id GROUP BY currency) AS c
    ) AS legs CROSS JOIN LATERAL (VALUES
        ('leg_count', format('is %s, but there are %s legs', t.leg_count, coalesce(legs.n, 0)),
         (legs.n, legs.lowest, legs.highest) IS DISTINCT FROM (t.leg_count::numeric, 1, t.leg_count)),
        ('amount', 'the legs of a currency do not sum to 0', legs.balanced IS FALSE)
    ) AS v(field, text, wrong) WHERE t.posted_at >= since AND v.wrong
    UNION ALL
    SELECT format('posting %s (leg %s of transaction %s)', p.id, p.leg, p.transaction_id), v.field, v.text
    FROM ledger_posting AS p JOIN ledger_account AS a ON a.id = p.account_id
    LEFT JOIN ledger_posting AS b ON b.account_id = p.account_id AND b.account_seq = p.account_seq - 1
    CROSS JOIN LATERAL (VALUES
        ('account_seq', 'the posting before it is missing', b.id IS NULL AND p.account_seq <> 1),
        ('balance_after', format('is %s, should be %s', p.balance_after,
                                 coalesce(b.balance_after, 0) + a.sign * p.amount),
         p.balance_after <> coalesce(b.balance_after, 0) + a.sign * p.amount)
    ) AS v(field, text, wrong) WHERE p.posted_at >= since AND v.wrong
    UNION ALL
    SELECT format('balance of account %s', b.account_id), v.field,
           format('is %s, should be %s', coalesce(v.found, 'empty'), coalesce(v.wanted, 'empty'))
    FROM ledger_balance AS b
    LEFT JOIN LATERAL (SELECT * FROM ledger_posting WHERE account_id = b.account_id
                       ORDER BY account_seq DESC LIMIT 1) AS p ON true
    CROSS JOIN LATERAL (VALUES
        ('posted', b.posted::text, coalesce(p.balance_after, 0)::text),
        ('seq', b.seq::text, coalesce(p.account_seq, 0)::text),
        ('latest_posted_at', b.latest_posted_at::text, p.posted_at::text)
    ) AS v(field, found, wanted) WHERE v.found IS DISTINCT FROM v.wanted
$$;

-- A run of the proof is asked for, ends once, and then says for ever what it found.
CREATE TRIGGER ledger_check_begins BEFORE INSERT ON ledger_ledgercheck FOR EACH ROW
    WHEN (NEW.status <> 'WAITING') EXECUTE FUNCTION ledger_refuse('ledger_check_final');
CREATE TRIGGER ledger_check_final BEFORE UPDATE ON ledger_ledgercheck FOR EACH ROW
    WHEN (OLD.status IN ('CLEAN', 'FAULTS', 'FAILED')) EXECUTE FUNCTION ledger_refuse('ledger_check_final');
CREATE TRIGGER ledger_check_kept BEFORE DELETE ON ledger_ledgercheck
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('ledger_check_final');
CREATE TRIGGER ledger_check_kept_whole BEFORE TRUNCATE ON ledger_ledgercheck
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('ledger_check_final');
