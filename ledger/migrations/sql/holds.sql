-- How a hold stands, from what is open, the kind of its latest event and whether any of it was captured.
CREATE FUNCTION ledger_hold_status(open_minor bigint, kind text, captured boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN open_minor > 0 THEN 'ACTIVE' WHEN kind = 'EXPIRE' THEN 'EXPIRED'
                WHEN captured THEN 'CAPTURED' ELSE 'RELEASED' END
$$;

-- Money set aside. One INSERT into ledger_hold places it; each INSERT into ledger_holdevent changes it; the guards move
-- the balance row and the hold's state with it. The balance row is locked first, then the state: the house's order.

CREATE FUNCTION ledger_hold_placed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO ledger_holdevent (hold_id, kind, delta_minor, open_after_minor, transaction, source_key, actor)
    VALUES (NEW.id, 'PLACE', NEW.amount_minor, 0, '', '', NEW.actor);
    RETURN NULL;
END $$;
CREATE TRIGGER hold_placed AFTER INSERT ON ledger_hold FOR EACH ROW EXECUTE FUNCTION ledger_hold_placed();

CREATE FUNCTION ledger_hold_event_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    h ledger_hold%ROWTYPE;
    b ledger_balance%ROWTYPE;
    s ledger_holdstate%ROWTYPE;
    open_now bigint;
    sort text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger is written under READ COMMITTED only'
            USING ERRCODE = '23514', CONSTRAINT = 'transaction_isolation', TABLE = TG_TABLE_NAME;
    END IF;
    SELECT * INTO h FROM ledger_hold WHERE id = NEW.hold_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no hold %', NEW.hold_id
            USING ERRCODE = '23514', CONSTRAINT = 'hold_known', TABLE = TG_TABLE_NAME;
    END IF;
    SELECT * INTO b FROM ledger_balance WHERE account_id = h.account_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no account %', h.account_id
            USING ERRCODE = '23514', CONSTRAINT = 'posting_account', TABLE = TG_TABLE_NAME;
    END IF;
    SELECT * INTO s FROM ledger_holdstate WHERE hold_id = h.id FOR NO KEY UPDATE;
    IF (NEW.kind = 'PLACE') = FOUND OR (FOUND AND s.status <> 'ACTIVE') THEN
        RAISE EXCEPTION 'hold % is %', h.public_id, coalesce(s.status, 'not placed')
            USING ERRCODE = '23514', CONSTRAINT = 'hold_final', TABLE = TG_TABLE_NAME,
                  DETAIL = json_build_object('status', coalesce(s.status, 'NONE'));
    END IF;
    IF b.currency <> h.currency THEN
        RAISE EXCEPTION 'account % is in %, not in %', h.account_id, b.currency, h.currency
            USING ERRCODE = '23514', CONSTRAINT = 'posting_account_currency', TABLE = TG_TABLE_NAME,
                  DETAIL = json_build_object('expected', b.currency, 'given', h.currency);
    END IF;
    IF NEW.kind = 'PLACE' THEN
        NEW.delta_minor := h.amount_minor;
    ELSIF NEW.kind IN ('RELEASE', 'EXPIRE') THEN
        NEW.delta_minor := -s.open_minor;
    END IF;
    open_now := coalesce(s.open_minor, 0) + NEW.delta_minor;
    IF open_now < 0 THEN
        RAISE EXCEPTION 'hold % has only % open', h.public_id, s.open_minor
            USING ERRCODE = '23514', CONSTRAINT = 'hold_too_small', TABLE = TG_TABLE_NAME,
                  DETAIL = json_build_object('open', s.open_minor, 'requested', -NEW.delta_minor,
                                             'currency', h.currency);
    END IF;
    IF NEW.delta_minor > 0 AND h.direction = 'OUT' THEN
        IF b.status NOT IN ('OPEN', 'NO_IN') THEN
            RAISE EXCEPTION 'account % is %', h.account_id, b.status
                USING ERRCODE = '23514', CONSTRAINT = 'balance_open', TABLE = TG_TABLE_NAME;
        ELSIF b.posted - b.held - NEW.delta_minor < b.floor THEN
            RAISE EXCEPTION 'account % would fall below its floor', h.account_id
                USING ERRCODE = '23514', CONSTRAINT = 'balance_floor', TABLE = TG_TABLE_NAME,
                      DETAIL = json_build_object('available', b.posted - b.held - b.floor,
                                                 'requested', NEW.delta_minor, 'currency', b.currency);
        END IF;
    ELSIF NEW.delta_minor > 0 AND b.status NOT IN ('OPEN', 'NO_OUT') THEN
        RAISE EXCEPTION 'account % is %', h.account_id, b.status
            USING ERRCODE = '23514', CONSTRAINT = 'balance_open', TABLE = TG_TABLE_NAME;
    END IF;
    IF h.direction = 'OUT' THEN
        UPDATE ledger_balance SET held = held + NEW.delta_minor WHERE account_id = h.account_id;
    ELSE
        UPDATE ledger_balance SET pending_in = pending_in + NEW.delta_minor WHERE account_id = h.account_id;
    END IF;
    sort := ledger_hold_status(open_now, NEW.kind, NEW.kind = 'CAPTURE' OR EXISTS (
        SELECT FROM ledger_holdevent WHERE hold_id = h.id AND kind = 'CAPTURE'));
    IF NEW.kind = 'PLACE' THEN
        INSERT INTO ledger_holdstate (hold_id, account_id, open_minor, status)
        VALUES (h.id, h.account_id, open_now, sort);
    ELSE
        UPDATE ledger_holdstate SET open_minor = open_now, status = sort WHERE hold_id = h.id;
    END IF;
    -- Numbered under the lock, so that ids tell the order in which the events came to be.
    NEW.id := nextval('ledger_holdevent_id_seq');
    NEW.open_after_minor := open_now;
    NEW.xid := pg_current_xact_id()::text::bigint;
    NEW.recorded_at := clock_timestamp();
    SELECT k.key_id, k.epoch, flowlet_hmac(k.inner_pad, k.outer_pad, ledger_hold_event_message(
        h, NEW.id, NEW.kind, NEW.delta_minor, NEW.open_after_minor, NEW.transaction, NEW.source_key, NEW.actor,
        NEW.recorded_at, NEW.xid, k.epoch, k.key_id))
    INTO NEW.key_id, NEW.epoch, NEW.mac FROM ledger_signer AS k;
    RETURN NEW;
END $$;
CREATE TRIGGER hold_event_guard BEFORE INSERT ON ledger_holdevent
    FOR EACH ROW EXECUTE FUNCTION ledger_hold_event_guard();

-- A capture moves the money in the same database transaction, by a posting on the hold's account: asked at commit. An
-- account has one leg per transaction, which must cover all captures that name it.
CREATE FUNCTION ledger_hold_captured() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    came_in numeric;
    captured record;
BEGIN
    SELECT coalesce(sum(a.sign * p.amount), 0) INTO came_in
    FROM ledger_hold h
    JOIN ledger_account a ON a.id = h.account_id
    JOIN ledger_transaction t ON t.public_id = NEW.transaction AND t.xid = pg_current_xact_id()::text::bigint
    JOIN ledger_posting p ON p.transaction_id = t.id AND p.account_id = h.account_id
    WHERE h.id = NEW.hold_id;
    SELECT coalesce(sum(-e.delta_minor) FILTER (WHERE o.direction = 'OUT'), 0) AS went_out,
           coalesce(sum(-e.delta_minor) FILTER (WHERE o.direction = 'IN'), 0) AS came_in
    INTO captured
    FROM ledger_holdevent e JOIN ledger_hold o ON o.id = e.hold_id JOIN ledger_hold h ON h.account_id = o.account_id
    WHERE h.id = NEW.hold_id AND e.transaction = NEW.transaction AND e.kind = 'CAPTURE';
    IF (captured.went_out > 0 AND -came_in < captured.went_out)
            OR (captured.came_in > 0 AND came_in < captured.came_in) THEN
        RAISE EXCEPTION 'the capture of hold % is not booked', NEW.hold_id
            USING ERRCODE = '23514', CONSTRAINT = 'hold_capture_booked', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER hold_capture_booked AFTER INSERT ON ledger_holdevent DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'CAPTURE') EXECUTE FUNCTION ledger_hold_captured();
CREATE INDEX hold_event_by_transaction ON ledger_holdevent (transaction) WHERE transaction <> '';

-- State and balance are what the events add up to: asked at commit, whoever wrote them.
CREATE FUNCTION ledger_hold_adds_up() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    found record;
    wanted record;
BEGIN
    SELECT account_id, open_minor, status::text INTO found FROM ledger_holdstate WHERE hold_id = NEW.hold_id;
    SELECT h.account_id, e.open_minor::bigint, ledger_hold_status(e.open_minor::bigint, e.kind, e.captured) AS status
    INTO wanted
    FROM ledger_hold h CROSS JOIN LATERAL (
        SELECT sum(delta_minor) AS open_minor, (array_agg(kind ORDER BY id DESC))[1]::text AS kind,
               bool_or(kind = 'CAPTURE') AS captured
        FROM ledger_holdevent WHERE hold_id = h.id
    ) AS e
    WHERE h.id = NEW.hold_id;
    IF (found.account_id, found.open_minor, found.status)
            IS DISTINCT FROM (wanted.account_id, wanted.open_minor, wanted.status) THEN
        RAISE EXCEPTION 'the state of hold % is not what its events add up to', NEW.hold_id
            USING ERRCODE = '23514', CONSTRAINT = 'hold_adds_up', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER hold_adds_up AFTER INSERT OR UPDATE ON ledger_holdstate DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_hold_adds_up();

CREATE FUNCTION ledger_held_adds_up() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    now_held record;
    open_holds record;
BEGIN
    SELECT held, pending_in INTO now_held FROM ledger_balance WHERE account_id = NEW.account_id;
    SELECT coalesce(sum(s.open_minor) FILTER (WHERE h.direction = 'OUT'), 0) AS held,
           coalesce(sum(s.open_minor) FILTER (WHERE h.direction = 'IN'), 0) AS pending_in
    INTO open_holds
    FROM ledger_holdstate s JOIN ledger_hold h ON h.id = s.hold_id
    WHERE s.account_id = NEW.account_id AND s.status = 'ACTIVE';
    IF now_held.held <> open_holds.held OR now_held.pending_in <> open_holds.pending_in THEN
        RAISE EXCEPTION 'what account % holds is not the sum of its holds', NEW.account_id
            USING ERRCODE = '23514', CONSTRAINT = 'held_adds_up', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER held_adds_up AFTER UPDATE ON ledger_balance DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.held <> NEW.held OR OLD.pending_in <> NEW.pending_in)
    EXECUTE FUNCTION ledger_held_adds_up();

CREATE TRIGGER hold_state_guarded BEFORE INSERT OR UPDATE ON ledger_holdstate FOR EACH ROW
    WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse('hold_state_guarded');
CREATE TRIGGER hold_state_kept BEFORE DELETE ON ledger_holdstate
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('hold_state_guarded');
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_hold', 'ledger_holdevent', 'ledger_owing'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
                        FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['ledger_hold', 'ledger_holdevent', 'ledger_owing', 'ledger_holdstate'] LOOP
        EXECUTE format('CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
END $$;

-- Owed money ------------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_owing_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    -- The receivable is the same customer's, in the same currency, cannot turn into a debt of ours, and starts empty.
    IF NOT EXISTS (
            SELECT FROM ledger_account own
            JOIN ledger_account owed ON owed.id = NEW.receivable_id
            JOIN ledger_chartaccount c ON c.id = owed.chart_account_id
            JOIN ledger_balance b ON b.account_id = owed.id
            WHERE own.id = NEW.account_id AND own.sign = -1 AND c.code = 'RECEIVABLES' AND owed.sign = 1
                AND (own.customer_id, own.currency) = (owed.customer_id, owed.currency)
                AND own.partner_id IS NOT DISTINCT FROM owed.partner_id AND b.floor = 0 AND b.posted = 0) THEN
        RAISE EXCEPTION 'account % cannot keep what account % owes', NEW.receivable_id, NEW.account_id
            USING ERRCODE = '23514', CONSTRAINT = 'owing_fits', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER owing_guard BEFORE INSERT ON ledger_owing FOR EACH ROW EXECUTE FUNCTION ledger_owing_guard();

-- While something is owed nothing is available: asked at commit, by the trigger that looks at each changed balance, for
-- accounts that owe or have owed and for their receivables.
CREATE FUNCTION ledger_check_owed_first(account bigint) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
            SELECT FROM ledger_owing o
            JOIN ledger_balance own ON own.account_id = o.account_id
            JOIN ledger_balance owed ON owed.account_id = o.receivable_id
            WHERE (o.account_id = account OR o.receivable_id = account) AND owed.posted > 0
                AND own.status IN ('OPEN', 'NO_IN') AND (own.floor IS NULL OR own.posted - own.held > own.floor)) THEN
        RAISE EXCEPTION 'account % owes and has money available', account
            USING ERRCODE = '23514', CONSTRAINT = 'owed_first', TABLE = 'ledger_balance';
    END IF;
END $$;
