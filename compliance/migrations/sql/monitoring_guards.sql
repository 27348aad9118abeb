-- Movements, evidence and the timeline of a case are written once.
CREATE TRIGGER activity_no_change BEFORE UPDATE OR DELETE ON compliance_activity
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER activity_no_truncate BEFORE TRUNCATE ON compliance_activity
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER alertevidence_no_change BEFORE UPDATE OR DELETE ON compliance_alertevidence
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER alertevidence_no_truncate BEFORE TRUNCATE ON compliance_alertevidence
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER caseevent_no_change BEFORE UPDATE OR DELETE ON compliance_caseevent
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER caseevent_no_truncate BEFORE TRUNCATE ON compliance_caseevent
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER casealert_no_change BEFORE UPDATE OR DELETE ON compliance_casealert
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER casealert_no_truncate BEFORE TRUNCATE ON compliance_casealert
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();

-- An alert keeps whom it is about and who raised it, and is never removed.
CREATE FUNCTION compliance_alert_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION '% on % is refused: alerts are evidence', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.customer_id, NEW.source, NEW.public_id, NEW.raised_at) IS DISTINCT FROM (OLD.customer_id, OLD.source, OLD.public_id, OLD.raised_at) THEN
        RAISE EXCEPTION 'an alert keeps whom it is about' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER alert_guard BEFORE UPDATE OR DELETE ON compliance_alert
    FOR EACH ROW EXECUTE FUNCTION compliance_alert_guard();
CREATE TRIGGER alert_no_truncate BEFORE TRUNCATE ON compliance_alert
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_alert_guard();

-- A case closes only as a second person approved it, who wrote nothing to it before; then it stays as it is.
CREATE FUNCTION compliance_case_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP NOT IN ('INSERT', 'UPDATE') THEN
        RAISE EXCEPTION '% on % is refused: cases are evidence', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.state LIKE 'CLOSED\_%' THEN
            RAISE EXCEPTION 'a closed case stays as it was decided' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF (NEW.customer_id, NEW.public_id, NEW.opened_at) IS DISTINCT FROM (OLD.customer_id, OLD.public_id, OLD.opened_at) THEN
            RAISE EXCEPTION 'a case keeps whom it is about' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    IF NEW.state LIKE 'CLOSED\_%' THEN
        IF NOT coalesce(flowlet_approved(NEW.approval_id, 'compliance.close_case', NEW.public_id), false) THEN
            RAISE EXCEPTION 'no second person approved that this case closes' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NOT EXISTS (
            SELECT FROM backoffice_approval a
            WHERE a.id = NEW.approval_id AND NEW.state = 'CLOSED_' || upper(a.payload->>'outcome')
              AND NEW.proposed_outcome = upper(a.payload->>'outcome') AND NEW.proposed_reason = a.reason_code
        ) THEN
            RAISE EXCEPTION 'the case closes otherwise than it was approved' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (
            SELECT FROM backoffice_approvalvote v JOIN compliance_caseevent e ON e.actor_id = v.checker_id
            WHERE v.approval_id = NEW.approval_id AND v.decision = 'APPROVE' AND e.case_id = NEW.id AND e.kind <> 'RETURNED'
        ) THEN
            RAISE EXCEPTION 'whoever wrote to a case may not approve its decision' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER case_guard BEFORE INSERT OR UPDATE OR DELETE ON compliance_case
    FOR EACH ROW EXECUTE FUNCTION compliance_case_guard();
CREATE TRIGGER case_no_truncate BEFORE TRUNCATE ON compliance_case
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_case_guard();

-- Parameters never change under a version; every version but the release's own goes live by two people.
CREATE FUNCTION compliance_scenario_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP NOT IN ('INSERT', 'UPDATE') THEN
        RAISE EXCEPTION '% on % is refused: versions are evidence', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.scenario, NEW.number, NEW.parameters, NEW.public_id) IS DISTINCT FROM (OLD.scenario, OLD.number, OLD.parameters, OLD.public_id) THEN
            RAISE EXCEPTION 'a version keeps its parameters' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF OLD.status = 'RETIRED' OR (OLD.status = 'LIVE' AND NEW.status NOT IN ('LIVE', 'RETIRED')) THEN
            RAISE EXCEPTION 'a version goes forward only' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    IF NEW.status = 'LIVE' AND NEW.number > 1 AND
       NOT coalesce(flowlet_approved(NEW.approval_id, 'compliance.activate_scenario', NEW.public_id), false) THEN
        RAISE EXCEPTION 'no second person approved this version' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER scenarioversion_guard BEFORE INSERT OR UPDATE OR DELETE ON compliance_scenarioversion
    FOR EACH ROW EXECUTE FUNCTION compliance_scenario_guard();
CREATE TRIGGER scenarioversion_no_truncate BEFORE TRUNCATE ON compliance_scenarioversion
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_scenario_guard();
