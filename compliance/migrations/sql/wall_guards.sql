-- A report moves only along these ways; what a second person saw does not change afterwards.
CREATE FUNCTION compliance_report_moves(old_state text, new_state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT old_state = new_state OR (old_state, new_state) IN (
        ('DRAFT', 'IN_REVIEW'), ('RETURNED', 'IN_REVIEW'), ('IN_REVIEW', 'RETURNED'), ('IN_REVIEW', 'APPROVED'),
        ('IN_REVIEW', 'NOT_FILED'), ('APPROVED', 'BATCHED'), ('BATCHED', 'FILED'), ('FILED', 'ACKNOWLEDGED'),
        ('FILED', 'REJECTED'))
$$;

CREATE FUNCTION compliance_guard_sar() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['state', 'filing_id', 'position', 'bsa_id', 'outcome_text', 'approval_id'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a report is never deleted' USING ERRCODE = '23514', CONSTRAINT = 'report_kept';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.state <> 'DRAFT' THEN
        RAISE EXCEPTION 'a report begins as a draft' USING ERRCODE = '23514', CONSTRAINT = 'report_moves';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF NOT compliance_report_moves(OLD.state, NEW.state) THEN
            RAISE EXCEPTION 'a report does not go from % to %', OLD.state, NEW.state
                USING ERRCODE = '23514', CONSTRAINT = 'report_moves';
        END IF;
        IF OLD.state NOT IN ('DRAFT', 'RETURNED') AND to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves THEN
            RAISE EXCEPTION 'the report was shown to a second person and does not change'
                USING ERRCODE = '23514', CONSTRAINT = 'report_content_fixed';
        END IF;
    END IF;
    IF NEW.state NOT IN ('DRAFT', 'IN_REVIEW', 'RETURNED')
       AND NOT coalesce(flowlet_approved(NEW.approval_id, 'compliance.approve_report', NEW.public_id), false) THEN
        RAISE EXCEPTION 'a report needs a second person'
            USING ERRCODE = '23514', CONSTRAINT = 'report_two_people';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sar_guard BEFORE INSERT OR UPDATE OR DELETE ON compliance_suspiciousactivityreport
    FOR EACH ROW EXECUTE FUNCTION compliance_guard_sar();

CREATE FUNCTION compliance_guard_ctr() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a report is never deleted' USING ERRCODE = '23514', CONSTRAINT = 'report_kept';
    END IF;
    IF NOT compliance_report_moves(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'a report does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = '23514', CONSTRAINT = 'report_moves';
    END IF;
    IF OLD.state <> 'APPROVED'
       AND (OLD.customer_id, OLD.day, OLD.cash_in_cents, OLD.cash_out_cents, OLD.movements)
           IS DISTINCT FROM (NEW.customer_id, NEW.day, NEW.cash_in_cents, NEW.cash_out_cents, NEW.movements) THEN
        RAISE EXCEPTION 'the report is in a file and does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'report_content_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ctr_guard BEFORE UPDATE OR DELETE ON compliance_currencytransactionreport
    FOR EACH ROW EXECUTE FUNCTION compliance_guard_ctr();

CREATE FUNCTION compliance_guard_filing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['state', 'filed_on', 'acknowledged_at'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves
        OR (OLD.state, NEW.state) NOT IN (('BATCHED', 'FILED'), ('FILED', 'ACKNOWLEDGED')) THEN
        RAISE EXCEPTION 'a file keeps its content and goes forward only'
            USING ERRCODE = '23514', CONSTRAINT = 'filing_kept';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER filing_guard BEFORE UPDATE OR DELETE ON compliance_filing
    FOR EACH ROW EXECUTE FUNCTION compliance_guard_filing();
CREATE TRIGGER acknowledgement_append_only BEFORE UPDATE OR DELETE ON compliance_acknowledgement
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['suspiciousactivityreport', 'currencytransactionreport', 'filing', 'acknowledgement'] LOOP
        EXECUTE format('CREATE TRIGGER wall_refuse_truncate BEFORE TRUNCATE ON compliance_%s
                        FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
END $$;
