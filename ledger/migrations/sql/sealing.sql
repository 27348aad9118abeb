-- The sealer. Any INSERT into ledger_block seals what is not sealed yet, or makes no row; whatever was sent is ignored.
-- So there is one way to make a block, for everybody, and it is right.

-- The rows to look at come in the order of their transaction numbers, from the floor up. The floor is the oldest
-- transaction that was still running when the search before began: what commits later has a number at or above it,
-- so nothing is missed, and a long writer elsewhere delays nothing.
CREATE FUNCTION ledger_seal_block() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    most CONSTANT integer := 2000;
    signer ledger_signer%ROWTYPE;
    latest ledger_block%ROWTYPE;
    horizon bigint;
    next_floor bigint;
    txs bigint[];
    events bigint[];
    highest bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger is written under READ COMMITTED only'
            USING ERRCODE = '23514', CONSTRAINT = 'transaction_isolation', TABLE = TG_TABLE_NAME;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ledger_seal'));
    SELECT * INTO signer FROM ledger_signer;
    SELECT * INTO latest FROM ledger_block ORDER BY n DESC LIMIT 1;
    -- Taken before the searches: all below it is over, so the searches, which look later, see it.
    horizon := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

    IF signer.cluster <> (SELECT system_identifier FROM pg_control_system()) THEN
        -- Restored into another cluster: its numbers start anew, and so does the search.
        UPDATE ledger_signer SET epoch = epoch + 1, older_until = NULL, older_sealed = false,
                                 cluster = (SELECT system_identifier FROM pg_control_system());
        SELECT * INTO signer FROM ledger_signer;
    ELSIF NOT signer.older_sealed AND signer.older_until IS NULL THEN
        -- The epoch was raised by a transaction that is over: whoever wrote the older one has a number below this.
        UPDATE ledger_signer SET older_until = pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    END IF;

    IF NOT signer.older_sealed THEN
        SELECT array_agg(id) INTO txs FROM (
            SELECT id FROM ledger_transaction AS t WHERE epoch < signer.epoch
                AND NOT EXISTS (SELECT FROM ledger_sealedtransaction WHERE transaction_id = t.id)
            ORDER BY epoch, xid, id LIMIT most) AS found;
        SELECT array_agg(id) INTO events FROM (
            SELECT id FROM ledger_holdevent AS e WHERE epoch < signer.epoch
                AND NOT EXISTS (SELECT FROM ledger_sealedholdevent WHERE event_id = e.id)
            ORDER BY epoch, xid, id LIMIT most) AS found;
        IF txs IS NULL AND events IS NULL AND horizon >= signer.older_until THEN
            UPDATE ledger_signer SET older_sealed = true;
        END IF;
    END IF;

    next_floor := CASE WHEN latest.epoch = signer.epoch THEN latest.floor_xid ELSE 0 END;
    IF txs IS NULL AND events IS NULL THEN
        SELECT array_agg(id), CASE WHEN count(*) = most THEN max(xid) END INTO txs, highest FROM (
            SELECT id, xid FROM ledger_transaction AS t WHERE epoch = signer.epoch AND xid >= next_floor
                AND NOT EXISTS (SELECT FROM ledger_sealedtransaction WHERE transaction_id = t.id)
            ORDER BY xid, id LIMIT most) AS found;
        SELECT array_agg(id), least(highest, CASE WHEN count(*) = most THEN max(xid) END)
        INTO events, highest FROM (
            SELECT id, xid FROM ledger_holdevent AS e WHERE epoch = signer.epoch AND xid >= next_floor
                AND NOT EXISTS (SELECT FROM ledger_sealedholdevent WHERE event_id = e.id)
            ORDER BY xid, id LIMIT most) AS found;
        next_floor := least(horizon, highest);
    END IF;
    NEW.n := coalesce(latest.n, 0) + 1;
    IF txs IS NULL AND events IS NULL AND NOT EXISTS (SELECT FROM ledger_periodclosing WHERE block_n = NEW.n) THEN
        RETURN NULL;
    END IF;

    NEW.epoch := signer.epoch;
    NEW.floor_xid := next_floor;
    NEW.transactions := coalesce(cardinality(txs), 0);
    NEW.hold_events := coalesce(cardinality(events), 0);
    NEW.sealed_at := greatest(clock_timestamp(), latest.sealed_at);
    NEW.previous := coalesce(latest.hash, decode(repeat('00', 32), 'hex'));
    NEW.key_id := signer.key_id;
    INSERT INTO ledger_sealedtransaction (transaction_id, block_id) SELECT unnest(txs), NEW.n;
    INSERT INTO ledger_sealedholdevent (event_id, block_id) SELECT unnest(events), NEW.n;
    NEW.hash := sha256(ledger_block_message(NEW.n, NEW.epoch, NEW.floor_xid, NEW.transactions, NEW.hold_events,
        NEW.sealed_at, NEW.key_id, NEW.previous, ledger_block_digests(NEW.n)));
    NEW.mac := flowlet_hmac(signer.inner_pad, signer.outer_pad, NEW.hash);

    INSERT INTO ledger_daytotal AS d (chart_account_id, currency, effective_date, known_date, debit, credit, count)
    SELECT a.chart_account_id, p.currency, p.effective_date, (NEW.sealed_at AT TIME ZONE 'UTC')::date,
           sum(greatest(p.amount, 0)), sum(greatest(-p.amount, 0)), count(*)
    FROM ledger_posting AS p JOIN ledger_account AS a ON a.id = p.account_id
    WHERE p.transaction_id = ANY (txs)
    GROUP BY a.chart_account_id, p.currency, p.effective_date
    ON CONFLICT (effective_date, chart_account_id, currency, known_date) DO UPDATE
    SET debit = d.debit + excluded.debit, credit = d.credit + excluded.credit, count = d.count + excluded.count;
    RETURN NEW;
END $$;

-- The signatures of a block's rows as one: each header before its legs, transactions by id, then hold events by id, then
-- the closings of periods, where it has one.
CREATE FUNCTION ledger_block_digests(block bigint) RETURNS bytea LANGUAGE sql STABLE
    SET search_path = public, pg_temp AS $$
    SELECT sha256(coalesce((
        SELECT string_agg(d.mac, ''::bytea ORDER BY d.id, d.leg)
        FROM ledger_sealedtransaction AS s CROSS JOIN LATERAL (
            SELECT t.id, 0 AS leg, t.mac FROM ledger_transaction AS t WHERE t.id = s.transaction_id
            UNION ALL
            SELECT p.transaction_id, p.leg, p.mac FROM ledger_posting AS p WHERE p.transaction_id = s.transaction_id
        ) AS d WHERE s.block_id = block), ''))
    || sha256(coalesce((
        SELECT string_agg(e.mac, ''::bytea ORDER BY e.id)
        FROM ledger_sealedholdevent AS s JOIN ledger_holdevent AS e ON e.id = s.event_id
        WHERE s.block_id = block), ''))
    || coalesce((
        SELECT sha256(string_agg(
            int8send(c.period_id) || int4send(c.version) || int8send(c.postings) || ledger_part(c.digest), ''::bytea
            ORDER BY c.id))
        FROM ledger_periodclosing AS c WHERE c.block_n = block), '')
$$;
CREATE TRIGGER seal_block BEFORE INSERT ON ledger_block FOR EACH ROW EXECUTE FUNCTION ledger_seal_block();

-- The door: seal once. The block's number, 0 if there was nothing, NULL if somebody else is at it.
CREATE FUNCTION ledger_seal() RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sealed bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ledger_seal')) THEN
        RETURN NULL;
    END IF;
    INSERT INTO ledger_block DEFAULT VALUES RETURNING n INTO sealed;
    RETURN coalesce(sealed, 0);
END $$;

-- What only the sealer writes. A plain statement runs at depth 0, a guard's at 1 or deeper.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_sealedtransaction', 'ledger_sealedholdevent', 'ledger_daytotal'] LOOP
        EXECUTE format('CREATE TRIGGER sealer_only BEFORE INSERT ON %I FOR EACH ROW
                        WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse(''sealer_only'')', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['ledger_block', 'ledger_sealedtransaction', 'ledger_sealedholdevent', 'ledger_anchor',
                                'ledger_anchorcopy', 'ledger_texterasure'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['ledger_block', 'ledger_sealedtransaction', 'ledger_sealedholdevent', 'ledger_anchor',
                                'ledger_anchorcopy', 'ledger_texterasure', 'ledger_daytotal'] LOOP
        EXECUTE format('CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
END $$;
CREATE TRIGGER day_total_kept BEFORE DELETE ON ledger_daytotal
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('sealer_only');
CREATE TRIGGER day_total_guarded BEFORE UPDATE ON ledger_daytotal FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse('sealer_only');

-- An anchor is of a block as it is, in the order of blocks.
CREATE FUNCTION ledger_anchor_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_block WHERE n = NEW.block_id AND hash = NEW.hash) THEN
        RAISE EXCEPTION 'block % has another hash', NEW.block_id
            USING ERRCODE = '23514', CONSTRAINT = 'anchor_block', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER anchor_guard BEFORE INSERT ON ledger_anchor FOR EACH ROW EXECUTE FUNCTION ledger_anchor_guard();

-- Erase a person's words: they go with their salt, the header keeps a digest that leads nowhere. Once; false if there
-- are no words.
CREATE FUNCTION ledger_erase_text(txn bigint, who text) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM ledger_transactiontext WHERE transaction_id = txn FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO ledger_texterasure (transaction_id, actor, erased_at) VALUES (txn, who, now());
    DELETE FROM ledger_transactiontext WHERE transaction_id = txn;
    RETURN true;
END $$;

-- The transactions that wait for the sealer. Cheap: from the floor up, as the sealer searches, and what an older cluster
-- wrote as long as it is searched. A function of its own, so that no planner takes a third of the ledger for the answer.
CREATE FUNCTION ledger_unsealed_transactions() RETURNS TABLE (id bigint) LANGUAGE plpgsql STABLE ROWS 100
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off AS $$
DECLARE
    signer ledger_signer%ROWTYPE;
    floor bigint;
BEGIN
    SELECT * INTO signer FROM ledger_signer;
    floor := coalesce((SELECT CASE WHEN b.epoch = signer.epoch THEN b.floor_xid ELSE 0 END
                       FROM ledger_block AS b ORDER BY b.n DESC LIMIT 1), 0);
    RETURN QUERY
        SELECT t.id FROM ledger_transaction AS t WHERE t.epoch = signer.epoch AND t.xid >= floor
            AND NOT EXISTS (SELECT FROM ledger_sealedtransaction AS s WHERE s.transaction_id = t.id);
    IF NOT signer.older_sealed THEN
        RETURN QUERY
            SELECT t.id FROM ledger_transaction AS t WHERE t.epoch < signer.epoch
                AND NOT EXISTS (SELECT FROM ledger_sealedtransaction AS s WHERE s.transaction_id = t.id);
    END IF;
END $$;

-- What waits for the sealer of value dates up to a day: how many rows, and since when the oldest of them. Hold events have
-- no value date.
CREATE FUNCTION ledger_unsealed(until date, OUT transactions bigint, OUT hold_events bigint, OUT oldest timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    signer ledger_signer%ROWTYPE;
    floor bigint;
BEGIN
    SELECT count(*), min(posted_at) INTO transactions, oldest
    FROM ledger_unsealed_transactions() JOIN ledger_transaction USING (id) WHERE effective_date <= until;
    SELECT * INTO signer FROM ledger_signer;
    floor := coalesce((SELECT CASE WHEN epoch = signer.epoch THEN floor_xid ELSE 0 END
                       FROM ledger_block ORDER BY n DESC LIMIT 1), 0);
    SELECT count(*), least(oldest, min(recorded_at)) INTO hold_events, oldest FROM (
        SELECT id, recorded_at FROM ledger_holdevent WHERE epoch = signer.epoch AND xid >= floor
        UNION ALL
        SELECT id, recorded_at FROM ledger_holdevent WHERE NOT signer.older_sealed AND epoch < signer.epoch
    ) AS e WHERE NOT EXISTS (SELECT FROM ledger_sealedholdevent WHERE event_id = e.id);
END $$;
