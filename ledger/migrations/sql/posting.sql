-- The fast door: a transaction, or many, in one round trip. It writes the same tables through the same guards as
-- everybody else, so it can be wrong about nothing that they check.
--
-- A draft is {"public_id", "kind", "source", "source_key", "fingerprint" (hex), "effective_date", "reverses" (public
-- id or null), "actor", "context", "text" (null or {"public_id", "salt", "text", "digest"}, hex), "legs": [[account, currency,
-- amount], …]}. Legs of one account become one. The answer is {"id", "public_id", "replayed", "legs": [[account,
-- currency, amount, balance_after, held_after, seq, posted_at], …]}: for a replay, that of the transaction which came
-- first. Generic plans: these statements are planned once per connection, not per call.

CREATE FUNCTION ledger_post_many(drafts jsonb) RETURNS jsonb LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    fresh_ids bigint[];
    fresh_public_ids text[];
    clash text;
    answer jsonb;
BEGIN
    -- Keys in one order for all callers: whoever waits for a key holds no key that the other wants.
    WITH header AS (
        INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date, leg_count,
                                        reverses_id, approval_id, quote, fx_rate, actor, context, text_digest)
        SELECT d.public_id, d.kind, d.source, d.source_key, decode(d.fingerprint, 'hex'), d.effective_date,
               -- `leg - 2` is the leg without its amount.
               (SELECT count(DISTINCT leg - 2) FROM jsonb_array_elements(d.legs) AS leg),
               -- An unknown target becomes 0, which the guard refuses.
               CASE WHEN d.reverses IS NOT NULL
                    THEN coalesce((SELECT id FROM ledger_transaction WHERE public_id = d.reverses), 0) END,
               d.approval, coalesce(d.quote, ''), d.fx_rate, d.actor, d.context,
               decode(d.text ->> 'digest', 'hex')
        FROM jsonb_to_recordset(drafts) AS d(public_id text, kind text, source text, source_key text,
            fingerprint text, effective_date date, reverses text, approval bigint, quote text, fx_rate numeric,
            actor text, context jsonb, text jsonb, legs jsonb)
        ORDER BY d.source, d.source_key
        ON CONFLICT (source, source_key) DO NOTHING
        RETURNING id, public_id
    )
    SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(public_id), '{}')
    INTO fresh_ids, fresh_public_ids FROM header;

    -- A key that was there is judged before funds and states: the same content is answered, other content refused.
    IF cardinality(fresh_ids) < jsonb_array_length(drafts) THEN
        SELECT d.source_key INTO clash
        FROM jsonb_to_recordset(drafts) AS d(source text, source_key text, fingerprint text)
        JOIN ledger_transaction AS t USING (source, source_key)
        WHERE t.fingerprint <> decode(d.fingerprint, 'hex')
        ORDER BY d.source_key LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'the key % was used for another posting', clash
                USING ERRCODE = '23514', CONSTRAINT = 'transaction_key_reused', TABLE = 'ledger_transaction',
                      DETAIL = json_build_object('source_key', clash);
        END IF;
    END IF;

    INSERT INTO ledger_transactiontext (transaction_id, public_id, salt, text)
    SELECT f.id, d.text ->> 'public_id', decode(d.text ->> 'salt', 'hex'), decode(d.text ->> 'text', 'hex')
    FROM jsonb_to_recordset(drafts) AS d(public_id text, text jsonb)
    JOIN unnest(fresh_ids, fresh_public_ids) AS f(id, public_id) USING (public_id)
    WHERE jsonb_typeof(d.text) = 'object';

    -- One statement, in the order of accounts: balance rows are locked in one order by all callers. Within an account
    -- the drafts keep their order, so that a later one may spend what an earlier one brings.
    INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date,
                                balance_after, held_after, account_seq)
    SELECT id, row_number() OVER (PARTITION BY id ORDER BY account_id, currency),
           account_id, currency, amount, effective_date, 0, 0, 0
    FROM (
        SELECT f.id, d.place, d.effective_date, (leg ->> 0)::bigint AS account_id, leg ->> 1 AS currency,
               sum((leg ->> 2)::bigint)::bigint AS amount
        FROM ROWS FROM (jsonb_to_recordset(drafts) AS (public_id text, effective_date date, legs jsonb))
             WITH ORDINALITY AS d(public_id, effective_date, legs, place)
        JOIN unnest(fresh_ids, fresh_public_ids) AS f(id, public_id) USING (public_id)
        CROSS JOIN jsonb_array_elements(d.legs) AS leg
        GROUP BY f.id, d.place, d.effective_date, account_id, currency
    ) AS legs
    ORDER BY account_id, place;

    SELECT jsonb_agg(jsonb_build_object(
               'id', t.id, 'public_id', t.public_id,
               -- The same key may come twice in one call: only one of the two drafts became the transaction.
               'replayed', t.public_id <> d.public_id OR t.id <> ALL (fresh_ids),
               'owing', EXISTS (SELECT FROM ledger_posting AS p JOIN ledger_owing AS o USING (account_id)
                                WHERE p.transaction_id = t.id),
               'legs', (SELECT jsonb_agg(jsonb_build_array(account_id, currency, amount, balance_after, held_after,
                                                           account_seq, posted_at) ORDER BY leg)
                        FROM ledger_posting WHERE transaction_id = t.id)) ORDER BY d.place)
    INTO answer
    FROM ROWS FROM (jsonb_to_recordset(drafts) AS (public_id text, source text, source_key text))
         WITH ORDINALITY AS d(public_id, source, source_key, place)
    JOIN ledger_transaction AS t USING (source, source_key);
    RETURN coalesce(answer, '[]');
END $$;

-- The legs with those of one account as one, in the order of accounts.
CREATE FUNCTION ledger_merged_legs(legs jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jsonb_agg(jsonb_build_array(account, currency, amount) ORDER BY account, currency)
    FROM (
        SELECT (leg ->> 0)::bigint AS account, leg ->> 1 AS currency, sum((leg ->> 2)::bigint) AS amount
        FROM jsonb_array_elements(legs) AS leg GROUP BY account, currency
    ) AS merged
$$;

CREATE FUNCTION ledger_post(draft jsonb) RETURNS jsonb LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
    SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    header_id bigint;
    reverses_id bigint;
    day date := draft ->> 'effective_date';
    legs jsonb := draft -> 'legs';
    answer jsonb;
BEGIN
    -- Our own callers send the legs merged and sorted.
    FOR place IN 1 .. jsonb_array_length(legs) - 1 LOOP
        IF (legs -> place -> 0)::bigint <= (legs -> (place - 1) -> 0)::bigint THEN
            legs := ledger_merged_legs(legs);
            EXIT;
        END IF;
    END LOOP;
    IF draft ->> 'reverses' IS NOT NULL THEN
        reverses_id := coalesce((SELECT id FROM ledger_transaction WHERE public_id = draft ->> 'reverses'), 0);
    END IF;

    INSERT INTO ledger_transaction (public_id, kind, source, source_key, fingerprint, effective_date, leg_count,
                                    reverses_id, approval_id, quote, fx_rate, actor, context, text_digest)
    VALUES (draft ->> 'public_id', draft ->> 'kind', draft ->> 'source', draft ->> 'source_key',
            decode(draft ->> 'fingerprint', 'hex'), day, jsonb_array_length(legs), reverses_id,
            (draft ->> 'approval')::bigint, coalesce(draft ->> 'quote', ''), (draft ->> 'fx_rate')::numeric,
            draft ->> 'actor', draft -> 'context', decode(draft -> 'text' ->> 'digest', 'hex'))
    ON CONFLICT (source, source_key) DO NOTHING
    RETURNING id INTO header_id;
    IF header_id IS NULL THEN
        -- The key was there: a replay or a clash, which the other door tells apart.
        RETURN ledger_post_many(jsonb_build_array(draft)) -> 0;
    END IF;

    IF jsonb_typeof(draft -> 'text') = 'object' THEN
        INSERT INTO ledger_transactiontext (transaction_id, public_id, salt, text)
        VALUES (header_id, draft -> 'text' ->> 'public_id', decode(draft -> 'text' ->> 'salt', 'hex'),
                decode(draft -> 'text' ->> 'text', 'hex'));
    END IF;

    WITH posted AS (
        INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date,
                                    balance_after, held_after, account_seq)
        SELECT header_id, place, (leg ->> 0)::bigint, leg ->> 1, (leg ->> 2)::bigint, day, 0, 0, 0
        FROM jsonb_array_elements(legs) WITH ORDINALITY AS l(leg, place)
        RETURNING account_id, currency, amount, balance_after, held_after, account_seq, posted_at
    )
    SELECT jsonb_agg(jsonb_build_array(account_id, currency, amount, balance_after, held_after, account_seq, posted_at))
    INTO answer FROM posted;
    RETURN jsonb_build_object(
        'id', header_id, 'public_id', draft ->> 'public_id', 'replayed', false, 'legs', answer,
        'owing', EXISTS (SELECT FROM ledger_owing WHERE account_id IN (
            SELECT (leg -> 0)::bigint FROM jsonb_array_elements(legs) AS leg)));
END $$;

-- The queue -------------------------------------------------------------------------------------------------------
-- What waits keeps what it says until it is posted under its own key, or fails and is tried again. A row cannot say that
-- it was posted when it was not, and none goes: a close counts what still waits.
CREATE FUNCTION ledger_queued_posting_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    fits boolean := NEW.state = 'QUEUED';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        fits := OLD.state <> 'POSTED'
            AND (NEW.id, NEW.public_id, NEW.source, NEW.source_key, NEW.kind, NEW.draft, NEW.queued_at)
                IS NOT DISTINCT FROM
                (OLD.id, OLD.public_id, OLD.source, OLD.source_key, OLD.kind, OLD.draft, OLD.queued_at)
            AND (NEW.state <> 'POSTED' OR EXISTS (
                SELECT FROM ledger_transaction
                WHERE public_id = NEW.transaction AND (source, source_key) = (NEW.source, NEW.source_key)));
    END IF;
    IF NOT fits THEN
        RAISE EXCEPTION 'queued posting % waits until it is posted under its own key', NEW.public_id
            USING ERRCODE = '23514', CONSTRAINT = 'queued_posting_kept', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER queued_posting_guard BEFORE INSERT OR UPDATE ON ledger_queuedposting
    FOR EACH ROW EXECUTE FUNCTION ledger_queued_posting_guard();
CREATE TRIGGER queued_posting_kept BEFORE DELETE ON ledger_queuedposting
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('queued_posting_kept');
CREATE TRIGGER queued_posting_kept_whole BEFORE TRUNCATE ON ledger_queuedposting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('queued_posting_kept');
