-- What the ledger never lets happen, for whoever writes: Python, psql, COPY. Every refusal has ERRCODE 23514 and a
-- constraint name, which ledger/operations/refusals.py turns into words, and a DETAIL in JSON where words need it.
-- Functions run as their owner with a fixed search_path. Plans are cached, perhaps while a table is still empty:
-- enable_seqscan = off keeps them on the indexes for ever.

ALTER TABLE ledger_balance SET (fillfactor = 70);
-- Django adds an index for LIKE to each unique text. Nobody looks for part of an id, and every posting would pay.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT indexname FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename = 'ledger_transaction' AND indexname LIKE '%\_like'
    LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;
ALTER TABLE ledger_account ADD CONSTRAINT account_currency_known
    FOREIGN KEY (currency) REFERENCES ledger_currency (code);

-- A refusal from a WHEN clause: TG_ARGV names the constraint.
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = '23514', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
END $$;

-- Currencies and chart -------------------------------------------------------------------------------------------
CREATE TRIGGER currency_fixed BEFORE UPDATE OR DELETE ON ledger_currency
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('currency_fixed');
CREATE TRIGGER currency_fixed_whole BEFORE TRUNCATE ON ledger_currency
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('currency_fixed');

CREATE FUNCTION ledger_chart_account_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger_account WHERE chart_account_id = OLD.id) THEN
        RAISE EXCEPTION 'kind and code of a used chart account are fixed'
            USING ERRCODE = '23514', CONSTRAINT = 'chart_account_fixed', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER chart_account_fixed BEFORE UPDATE ON ledger_chartaccount FOR EACH ROW
    WHEN ((OLD.id, OLD.kind, OLD.code) IS DISTINCT FROM (NEW.id, NEW.kind, NEW.code))
    EXECUTE FUNCTION ledger_chart_account_guard();
CREATE TRIGGER chart_account_fixed_whole BEFORE TRUNCATE ON ledger_chartaccount
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('chart_account_fixed');

-- Accounts and balances ------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_account_sign() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    SELECT CASE WHEN kind IN ('ASSET', 'EXPENSE') THEN 1 ELSE -1 END INTO NEW.sign
    FROM ledger_chartaccount WHERE id = NEW.chart_account_id;
    -- A shard stands for its account: same heading, currency and partner, nobody's own, and no shard of a shard.
    IF NEW.shard_of_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM ledger_account AS whole JOIN ledger_balance AS b ON b.account_id = whole.id
            WHERE whole.id = NEW.shard_of_id AND whole.shard_of_id IS NULL AND b.floor IS NULL
                AND (whole.chart_account_id, whole.currency, whole.partner_id, whole.customer_id, NULL::bigint)
                    IS NOT DISTINCT FROM
                    (NEW.chart_account_id, NEW.currency, NEW.partner_id, NEW.customer_id, NEW.customer_id)) THEN
        RAISE EXCEPTION 'this is no shard of account %', NEW.shard_of_id
            USING ERRCODE = '23514', CONSTRAINT = 'account_shard_fits', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_sign BEFORE INSERT ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_account_sign();

CREATE FUNCTION ledger_account_balance() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_balance (account_id, currency, sign, status, posted, held, pending_in, seq, floor)
    VALUES (NEW.id, NEW.currency, NEW.sign, 'OPEN', 0, 0, 0, 0, CASE WHEN NEW.shard_of_id IS NULL THEN 0 END);
    RETURN NULL;
END $$;
CREATE TRIGGER account_balance AFTER INSERT ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_account_balance();

CREATE TRIGGER account_fixed BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.chart_account_id, OLD.currency, OLD.sign, OLD.partner_id, OLD.customer_id,
           OLD.shard_of_id, OLD.shard)
        IS DISTINCT FROM
        (NEW.id, NEW.public_id, NEW.chart_account_id, NEW.currency, NEW.sign, NEW.partner_id, NEW.customer_id,
         NEW.shard_of_id, NEW.shard))
    EXECUTE FUNCTION ledger_refuse('account_fixed');
CREATE TRIGGER account_kept BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('account_fixed');
CREATE TRIGGER account_kept_whole BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('account_fixed');

-- A plain statement runs at depth 0, a guard's at 1 or deeper. WHEN clauses are parsed anew by each statement, and
-- every posting updates this table: they stay short, and what they would spare is judged inside.
CREATE TRIGGER balance_guarded_insert BEFORE INSERT ON ledger_balance FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse('balance_guarded');

CREATE FUNCTION ledger_balance_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fault text := CASE
        WHEN (OLD.account_id, OLD.currency, OLD.sign, OLD.posted, OLD.held, OLD.pending_in, OLD.seq,
              OLD.latest_posted_at) IS DISTINCT FROM
             (NEW.account_id, NEW.currency, NEW.sign, NEW.posted, NEW.held, NEW.pending_in, NEW.seq,
              NEW.latest_posted_at) THEN 'balance_guarded'
        WHEN NEW.status NOT IN ('OPEN', 'NO_OUT', 'NO_IN', 'FROZEN', 'CLOSED') THEN 'balance_status'
        WHEN OLD.status = 'CLOSED' AND NEW.status <> 'CLOSED' THEN 'balance_closed_final'
        WHEN NEW.status = 'CLOSED' AND (NEW.posted <> 0 OR NEW.held <> 0 OR NEW.pending_in <> 0 OR EXISTS (
                SELECT FROM ledger_owing o JOIN ledger_balance owed ON owed.account_id = o.receivable_id
                WHERE o.account_id = NEW.account_id AND owed.posted <> 0))
            THEN 'balance_closed_empty'
    END;
BEGIN
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'the change of balance % is refused: %', OLD.account_id, fault
            USING ERRCODE = '23514', CONSTRAINT = fault, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER balance_guarded BEFORE UPDATE ON ledger_balance FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_balance_guard();
CREATE TRIGGER balance_kept BEFORE DELETE ON ledger_balance
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('balance_guarded');
CREATE TRIGGER balance_kept_whole BEFORE TRUNCATE ON ledger_balance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('balance_guarded');

-- The depth alone would not do: a row that ON CONFLICT DO NOTHING drops has been through the posting guard already,
-- and a temporary table can carry a trigger. At commit every version of a balance must be that of a posting.
CREATE FUNCTION ledger_balance_has_posting() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF (OLD.posted <> NEW.posted OR OLD.seq <> NEW.seq) AND NOT EXISTS (
            SELECT FROM ledger_posting
            WHERE account_id = NEW.account_id AND account_seq = NEW.seq AND balance_after = NEW.posted) THEN
        RAISE EXCEPTION 'balance of account % changed without a posting', NEW.account_id
            USING ERRCODE = '23514', CONSTRAINT = 'balance_has_posting', TABLE = TG_TABLE_NAME;
    END IF;
    -- Asked here and not by a trigger of its own, which would cost every posting six times as much. See holds.sql.
    IF EXISTS (SELECT FROM ledger_owing WHERE account_id = NEW.account_id OR receivable_id = NEW.account_id) THEN
        PERFORM ledger_check_owed_first(NEW.account_id);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balance_has_posting AFTER UPDATE ON ledger_balance DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_balance_has_posting();

-- Transactions ---------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_transaction_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    target_is_reversal boolean;
BEGIN
    -- Under a stricter level a statement would judge by an old picture (a period closed meanwhile, a key taken).
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger is written under READ COMMITTED only'
            USING ERRCODE = '23514', CONSTRAINT = 'transaction_isolation', TABLE = TG_TABLE_NAME;
    END IF;
    IF NEW.reverses_id IS NOT NULL THEN
        SELECT reverses_id IS NOT NULL INTO target_is_reversal FROM ledger_transaction WHERE id = NEW.reverses_id;
        IF target_is_reversal IS DISTINCT FROM false THEN
            RAISE EXCEPTION 'transaction % is absent or a reversal itself', NEW.reverses_id
                USING ERRCODE = '23514', CONSTRAINT = 'transaction_reversible', TABLE = TG_TABLE_NAME;
        END IF;
    END IF;
    -- The number comes before the epoch is read: whoever still writes the epoch before has a number from before it ended.
    NEW.xid := pg_current_xact_id()::text::bigint;
    NEW.posted_at := clock_timestamp();
    SELECT s.key_id, s.epoch, flowlet_hmac(s.inner_pad, s.outer_pad, ledger_transaction_message(
        NEW.id, NEW.public_id, NEW.kind, NEW.source, NEW.source_key, NEW.fingerprint, NEW.effective_date,
        NEW.leg_count, NEW.reverses_id, NEW.approval_id, NEW.quote, NEW.fx_rate, NEW.actor, NEW.context,
        NEW.text_digest, NEW.xid, s.epoch, NEW.posted_at, s.key_id))
    INTO NEW.key_id, NEW.epoch, NEW.mac FROM ledger_signer AS s;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no key to sign with: manage.py ledger_key import'
            USING ERRCODE = '23514', CONSTRAINT = 'ledger_key_missing', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER transaction_guard BEFORE INSERT ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_transaction_guard();

CREATE FUNCTION ledger_transaction_has_legs() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    -- One leg is enough to ask for: the posting guard lets legs in as a complete set only.
    IF NOT EXISTS (SELECT FROM ledger_posting WHERE transaction_id = NEW.id AND leg = 1) THEN
        RAISE EXCEPTION 'transaction % has no legs', NEW.public_id
            USING ERRCODE = '23514', CONSTRAINT = 'transaction_has_legs', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transaction_has_legs AFTER INSERT ON ledger_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_transaction_has_legs();

CREATE TRIGGER transaction_append_only BEFORE UPDATE OR DELETE ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER transaction_append_only_whole BEFORE TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

CREATE FUNCTION ledger_text_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_transaction WHERE id = NEW.transaction_id AND text_digest IS NOT NULL
                       AND xid = pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'the text comes with its transaction'
            USING ERRCODE = '23514', CONSTRAINT = 'text_with_transaction', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER text_guard BEFORE INSERT ON ledger_transactiontext
    FOR EACH ROW EXECUTE FUNCTION ledger_text_guard();
CREATE TRIGGER text_append_only BEFORE UPDATE ON ledger_transactiontext
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
-- A text goes only together with a row that says so; see ledger_erase_text.
CREATE FUNCTION ledger_text_erased(txn bigint) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    RETURN EXISTS (SELECT FROM ledger_texterasure WHERE transaction_id = txn);
END $$;
CREATE TRIGGER text_kept BEFORE DELETE ON ledger_transactiontext FOR EACH ROW
    WHEN (NOT ledger_text_erased(OLD.transaction_id)) EXECUTE FUNCTION ledger_refuse('append_only');
CREATE TRIGGER text_append_only_whole BEFORE TRUNCATE ON ledger_transactiontext
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- Postings -------------------------------------------------------------------------------------------------------
-- The update of the balance row is the lock: whoever comes second waits here and then sees the balance as it is.
-- It finds the row by account and currency, which makes it the foreign key too: a declared one would ask again for each
-- leg and lock the account's row besides. Account and currency of a balance are fixed, and accounts are never deleted.
CREATE FUNCTION ledger_posting_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    b ledger_balance%ROWTYPE;
    sent_at timestamptz := NEW.posted_at;
BEGIN
    LOOP
        UPDATE ledger_balance
        SET posted = posted + sign * NEW.amount,
            seq = seq + 1,
            latest_posted_at = greatest(clock_timestamp(), latest_posted_at)
        WHERE account_id = NEW.account_id AND currency = NEW.currency
            AND (status = 'OPEN' OR (status = 'NO_OUT' AND sign * NEW.amount > 0)
                OR (status = 'NO_IN' AND sign * NEW.amount < 0))
            AND (floor IS NULL OR posted + sign * NEW.amount - held >= floor)
        RETURNING posted, held, seq, latest_posted_at
        INTO NEW.balance_after, NEW.held_after, NEW.account_seq, NEW.posted_at;
        IF FOUND THEN
            -- A row cannot move to another month's partition: over the edge the whole transaction begins again.
            IF NEW.posted_at - sent_at > interval '0' AND to_char(NEW.posted_at AT TIME ZONE 'UTC', 'YYYYMM')
                    <> to_char(sent_at AT TIME ZONE 'UTC', 'YYYYMM')
                    AND (SELECT relispartition FROM pg_class WHERE oid = TG_RELID) THEN
                RAISE EXCEPTION 'the month ended meanwhile' USING ERRCODE = '40001';
            END IF;
            SELECT s.key_id, flowlet_hmac(s.inner_pad, s.outer_pad, ledger_posting_message(
                NEW.id, NEW.transaction_id, NEW.leg, NEW.account_id, NEW.currency, NEW.amount, NEW.effective_date,
                NEW.balance_after, NEW.held_after, NEW.account_seq, NEW.posted_at, s.key_id))
            INTO NEW.key_id, NEW.mac FROM ledger_signer AS s;
            RETURN NEW;
        END IF;
        -- The rare way: say why. The row is locked now, so a change since the update shows in the next turn.
        SELECT * INTO b FROM ledger_balance WHERE account_id = NEW.account_id FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no account %', NEW.account_id
                USING ERRCODE = '23514', CONSTRAINT = 'posting_account', TABLE = TG_TABLE_NAME;
        ELSIF b.currency <> NEW.currency THEN
            RAISE EXCEPTION 'account % is in %, not in %', NEW.account_id, b.currency, NEW.currency
                USING ERRCODE = '23514', CONSTRAINT = 'posting_account_currency', TABLE = TG_TABLE_NAME,
                      DETAIL = json_build_object('expected', b.currency, 'given', NEW.currency);
        ELSIF b.status IN ('FROZEN', 'CLOSED') OR (b.status = 'NO_OUT' AND b.sign * NEW.amount < 0)
                OR (b.status = 'NO_IN' AND b.sign * NEW.amount > 0) THEN
            RAISE EXCEPTION 'account % is %', NEW.account_id, b.status
                USING ERRCODE = '23514', CONSTRAINT = 'balance_open', TABLE = TG_TABLE_NAME;
        ELSIF b.posted + b.sign * NEW.amount - b.held < b.floor THEN
            RAISE EXCEPTION 'account % would fall below its floor', NEW.account_id
                USING ERRCODE = '23514', CONSTRAINT = 'balance_floor', TABLE = TG_TABLE_NAME,
                      DETAIL = json_build_object('available', b.posted - b.held - b.floor,
                                                 'requested', abs(NEW.amount), 'currency', b.currency);
        END IF;
    END LOOP;
END $$;
CREATE TRIGGER posting_guard BEFORE INSERT ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_posting_guard();

-- What is wrong with the legs that one statement brought for one transaction; NULL if nothing.
CREATE FUNCTION ledger_legs_fault(
    header_is_fresh boolean, leg_count int, effective_date date,
    n numeric, lowest int, highest int, earliest date, latest date, balanced boolean
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        -- A header of another database transaction is complete already.
        WHEN header_is_fresh IS NOT TRUE THEN 'posting_header'
        WHEN n <> leg_count OR lowest <> 1 OR highest <> leg_count THEN 'posting_complete'
        WHEN earliest <> effective_date OR latest <> effective_date THEN 'posting_date'
        WHEN NOT balanced THEN 'posting_balanced'
    END
$$;

CREATE FUNCTION ledger_posting_whole() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    own_xid bigint := pg_current_xact_id()::text::bigint;
    legs record;
    header record;
    fault text;
BEGIN
    -- Most statements bring one transaction in one currency: that is judged without grouping.
    SELECT min(transaction_id) AS id, max(transaction_id) AS highest_id, min(currency) AS currency,
           max(currency) AS highest_currency, count(*) AS n, min(leg) AS lowest, max(leg) AS highest,
           min(effective_date) AS earliest, max(effective_date) AS latest, sum(amount) = 0 AS balanced
    INTO legs FROM inserted;
    IF legs.id = legs.highest_id AND legs.currency = legs.highest_currency THEN
        SELECT xid, leg_count, effective_date, reverses_id INTO header FROM ledger_transaction WHERE id = legs.id;
        fault := ledger_legs_fault(header.xid = own_xid, header.leg_count, header.effective_date,
            legs.n, legs.lowest, legs.highest, legs.earliest, legs.latest, legs.balanced);
    ELSE
        SELECT faults.id, faults.fault INTO legs
        FROM (
            SELECT t.id, ledger_legs_fault(h.xid = own_xid, h.leg_count, h.effective_date,
                                           t.n, t.lowest, t.highest, t.earliest, t.latest, t.balanced) AS fault
            FROM (
                SELECT id, sum(n) AS n, min(lowest) AS lowest, max(highest) AS highest,
                       min(earliest) AS earliest, max(latest) AS latest, bool_and(total = 0) AS balanced
                FROM (
                    SELECT transaction_id AS id, count(*) AS n, min(leg) AS lowest, max(leg) AS highest,
                           min(effective_date) AS earliest, max(effective_date) AS latest, sum(amount) AS total
                    FROM inserted GROUP BY transaction_id, currency
                ) AS by_currency
                GROUP BY id
            ) AS t
            LEFT JOIN ledger_transaction AS h USING (id)
        ) AS faults
        WHERE faults.fault IS NOT NULL ORDER BY faults.id LIMIT 1;
        fault := legs.fault;
        SELECT min(h.reverses_id) AS reverses_id INTO header
        FROM ledger_transaction AS h
        WHERE h.id IN (SELECT transaction_id FROM inserted) AND h.reverses_id IS NOT NULL;
    END IF;

    IF fault IS NULL AND header.reverses_id IS NOT NULL THEN
        SELECT h.id, 'posting_mirror' AS fault INTO legs
        FROM ledger_transaction AS h
        WHERE h.id IN (SELECT transaction_id FROM inserted) AND h.reverses_id IS NOT NULL AND EXISTS (
            (SELECT account_id, amount FROM inserted WHERE transaction_id = h.id
             EXCEPT ALL SELECT account_id, -amount FROM ledger_posting WHERE transaction_id = h.reverses_id)
            UNION ALL
            (SELECT account_id, -amount FROM ledger_posting WHERE transaction_id = h.reverses_id
             EXCEPT ALL SELECT account_id, amount FROM inserted WHERE transaction_id = h.id))
        ORDER BY h.id LIMIT 1;
        fault := legs.fault;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'the legs of transaction % are refused: %', legs.id, fault
            USING ERRCODE = '23514', CONSTRAINT = fault, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_whole AFTER INSERT ON ledger_posting REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_posting_whole();

CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER posting_append_only_whole BEFORE TRUNCATE ON ledger_posting
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
