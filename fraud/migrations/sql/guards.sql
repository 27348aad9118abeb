-- History, decisions and model files only grow. The transaction's id is the database's word, never the client's.
CREATE FUNCTION fraud_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xact_id := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER fraud_stamp BEFORE INSERT ON fraud_historyevent FOR EACH ROW EXECUTE FUNCTION fraud_stamp();

-- A label belongs to a stored event and carries that event's own keys.
CREATE FUNCTION fraud_label_insert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event fraud_historyevent;
BEGIN
    SELECT * INTO event FROM fraud_historyevent WHERE id = NEW.event_id AND stream = NEW.stream;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'label for an event that does not exist in stream %', NEW.stream
            USING ERRCODE = '23503', CONSTRAINT = 'label_event_exists', TABLE = TG_TABLE_NAME;
    END IF;
    NEW.event_at := event.event_at;
    NEW.customer_key := event.customer_key;
    NEW.terminal_key := event.terminal_key;
    NEW.device_key := event.device_key;
    NEW.counterparty_key := event.counterparty_key;
    NEW.xact_id := pg_current_xact_id();
    NEW.mark := (SELECT last_value FROM fraud_historyevent_id_seq);
    NEW.superseded_xact := CASE WHEN NEW.superseded_at IS NULL THEN NULL ELSE NEW.xact_id END;
    NEW.superseded_mark := CASE WHEN NEW.superseded_at IS NULL THEN NULL ELSE NEW.mark END;
    RETURN NEW;
END $$;
CREATE TRIGGER fraud_label_insert BEFORE INSERT ON fraud_label FOR EACH ROW EXECUTE FUNCTION fraud_label_insert();

CREATE FUNCTION fraud_label_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['superseded_at', 'superseded_xact', 'superseded_mark'];
BEGIN
    IF OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL
       AND to_jsonb(NEW) - moves = to_jsonb(OLD) - moves THEN
        NEW.superseded_xact := pg_current_xact_id();
        NEW.superseded_mark := (SELECT last_value FROM fraud_historyevent_id_seq);
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on fraud_label is refused: a label may be superseded, once'
        USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER fraud_label_update BEFORE UPDATE ON fraud_label FOR EACH ROW EXECUTE FUNCTION fraud_label_update();

-- A version is fixed once it has left DRAFT; only its standing moves.
CREATE FUNCTION fraud_version_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['status', 'approval', 'backtest_digest'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'DRAFT' THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.status = 'DRAFT' OR to_jsonb(NEW) - moves = to_jsonb(OLD) - moves THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: a version that has left DRAFT is fixed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER fraud_rule_fixed BEFORE UPDATE OR DELETE ON fraud_ruleversion
    FOR EACH ROW EXECUTE FUNCTION fraud_version_update();
CREATE TRIGGER fraud_policy_fixed BEFORE UPDATE OR DELETE ON fraud_policyversion
    FOR EACH ROW EXECUTE FUNCTION fraud_version_update();

CREATE FUNCTION fraud_run_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state IN ('QUEUED', 'RUNNING') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on fraud_trainingrun is refused: a finished run is fixed', TG_OP
        USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER fraud_run_fixed BEFORE UPDATE OR DELETE ON fraud_trainingrun
    FOR EACH ROW EXECUTE FUNCTION fraud_run_update();

-- A model's standing moves, the rest is fixed; nobody is champion of the live stream past the gate or alone.
CREATE FUNCTION fraud_model_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['status', 'requested_by', 'approved_by', 'approval_id', 'promoted_at', 'retired_at'];
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves) THEN
        RAISE EXCEPTION '% on fraud_modelartefact is refused: only its standing may change', TG_OP
            USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
    END IF;
    IF NEW.status = 'CHAMPION' AND NEW.stream = 'live'
       AND NOT EXISTS (SELECT FROM fraud_gaterun WHERE artefact_id = NEW.id AND passed) THEN
        RAISE EXCEPTION 'a champion of the live stream needs a passed gate'
            USING ERRCODE = '23514', CONSTRAINT = 'model_champion_gated', TABLE = TG_TABLE_NAME;
    END IF;
    IF NEW.status = 'CHAMPION' AND NEW.stream = 'live'
       AND NOT coalesce(flowlet_approved(NEW.approval_id, 'fraud.promote_champion', NEW.public_id), false) THEN
        RAISE EXCEPTION 'a champion of the live stream needs a second person'
            USING ERRCODE = '23514', CONSTRAINT = 'model_champion_two_people', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fraud_model_change BEFORE INSERT OR UPDATE OR DELETE ON fraud_modelartefact
    FOR EACH ROW EXECUTE FUNCTION fraud_model_change();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['historyevent', 'decision', 'decisionkey', 'modelscore', 'rulehit', 'modelfile',
                                'featureset', 'gaterun'] LOOP
        EXECUTE format('CREATE TRIGGER fraud_append_only BEFORE UPDATE OR DELETE ON fraud_%s
                        FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
    EXECUTE 'CREATE TRIGGER fraud_label_delete BEFORE DELETE ON fraud_label
             FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change()';
    FOREACH name IN ARRAY ARRAY['historyevent', 'label', 'decision', 'decisionkey', 'modelscore', 'rulehit',
                                'modelfile', 'featureset', 'gaterun', 'ruleversion', 'policyversion', 'trainingrun',
                                'modelartefact'] LOOP
        EXECUTE format('CREATE TRIGGER fraud_no_truncate BEFORE TRUNCATE ON fraud_%s
                        FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
END $$;
-- A file that is not what its digest says cannot be stored; loaders check again what they read.
ALTER TABLE fraud_modelfile ADD CONSTRAINT model_file_size CHECK (octet_length(content) BETWEEN 1 AND 20971520);
ALTER TABLE fraud_modelfile ADD CONSTRAINT model_file_digest CHECK (sha256 = encode(sha256(content), 'hex'));
