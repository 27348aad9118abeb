-- The call log is written once. Old rows may be deleted by the retention job, so only edits are refused.
CREATE TRIGGER vendor_call_refuse_update BEFORE UPDATE ON integrations_vendorcall
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();

-- What a vendor said stays as it was said; only what we did about it moves on, and PROCESSED is final.
CREATE FUNCTION integrations_guard_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ours text[] := ARRAY['status', 'attempts', 'next_try_at', 'processed_at', 'problem'];
BEGIN
    IF TG_OP = 'UPDATE'
       AND to_jsonb(NEW) - ours = to_jsonb(OLD) - ours
       AND (OLD.status <> 'PROCESSED' OR NEW.status = 'PROCESSED') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused: a vendor''s word is kept as it came', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = 'vendor_event_kept', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER vendor_event_guard BEFORE UPDATE OR DELETE ON integrations_vendorevent
    FOR EACH ROW EXECUTE FUNCTION integrations_guard_event();
