-- Opinions about hits are evidence: nobody changes or removes one, not with raw SQL either.
CREATE FUNCTION compliance_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: rows are append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER hitdecision_no_change BEFORE UPDATE OR DELETE ON compliance_hitdecision
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER hitdecision_no_truncate BEFORE TRUNCATE ON compliance_hitdecision
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();

-- What a hit was computed from never changes; only its state does. A hit is never removed.
CREATE FUNCTION compliance_hit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION '% on % is refused: hits are evidence', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (to_jsonb(NEW) - 'status' - 'closed_at' - 'due_at') IS DISTINCT FROM (to_jsonb(OLD) - 'status' - 'closed_at' - 'due_at') THEN
        RAISE EXCEPTION 'a hit keeps what it was computed from' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status IN ('TRUE_MATCH', 'FALSE_POSITIVE', 'SUPERSEDED', 'DELISTED') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'a decided hit stays decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status IN ('TRUE_MATCH', 'FALSE_POSITIVE', 'ESCALATED') AND NEW.status <> OLD.status AND NOT EXISTS (
        SELECT 1 FROM compliance_hitdecision d WHERE d.hit_id = NEW.id AND d.outcome = NEW.status
    ) THEN
        RAISE EXCEPTION 'no decision of a person stands behind this state' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER screeninghit_guard BEFORE UPDATE OR DELETE ON compliance_screeninghit
    FOR EACH ROW EXECUTE FUNCTION compliance_hit_guard();
CREATE TRIGGER screeninghit_no_truncate BEFORE TRUNCATE ON compliance_screeninghit
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_hit_guard();
