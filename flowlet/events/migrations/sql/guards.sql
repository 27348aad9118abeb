-- An event may be marked as relayed, once; everything else about it is for ever.
CREATE FUNCTION events_refuse_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.relayed_at IS NULL AND NEW.relayed_at IS NOT NULL
       AND to_jsonb(NEW) - 'relayed_at' = to_jsonb(OLD) - 'relayed_at' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on events_event is refused: an event is a fact'
        USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = 'events_event';
END $$;
CREATE TRIGGER events_refuse_edit BEFORE UPDATE ON events_event FOR EACH ROW EXECUTE FUNCTION events_refuse_edit();
CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events_event FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER events_refuse_truncate BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
