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
        -- What is not any more what the second person saw goes back to its writer.
        IF NOT compliance_report_moves(OLD.state, NEW.state)
           AND (OLD.state, NEW.state) <> ('APPROVED', 'RETURNED') THEN
            RAISE EXCEPTION 'a report does not go from % to %', OLD.state, NEW.state
                USING ERRCODE = '23514', CONSTRAINT = 'report_moves';
        END IF;
        IF (OLD.public_id, OLD.customer_id, OLD.case_id, OLD.corrects_id, OLD.drafted_by_id, OLD.created_at)
           IS DISTINCT FROM
           (NEW.public_id, NEW.customer_id, NEW.case_id, NEW.corrects_id, NEW.drafted_by_id, NEW.created_at) THEN
            RAISE EXCEPTION 'a report keeps its case, its customer and who drafted it'
                USING ERRCODE = '23514', CONSTRAINT = 'report_origin_fixed';
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
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('APPROVED', 'NOT_FILED') OR NEW.bsa_id <> ''
           OR (NEW.late_in_cents, NEW.late_out_cents) <> (0, 0) THEN
            RAISE EXCEPTION 'a currency report begins ready or below the limit'
                USING ERRCODE = '23514', CONSTRAINT = 'report_moves';
        END IF;
        IF NEW.corrects_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM compliance_currencytransactionreport first
            WHERE first.id = NEW.corrects_id AND first.customer_id = NEW.customer_id AND first.day = NEW.day
              AND first.state IN ('ACKNOWLEDGED', 'REJECTED')) THEN
            RAISE EXCEPTION 'a correction is of an answered report of the same person and day'
                USING ERRCODE = '23514', CONSTRAINT = 'report_corrects';
        END IF;
        RETURN NEW;
    END IF;
    -- The sums of a day may fall to the limit and rise above it again until the report is in a file.
    IF NOT compliance_report_moves(OLD.state, NEW.state)
       AND (OLD.state, NEW.state) NOT IN (('APPROVED', 'NOT_FILED'), ('NOT_FILED', 'APPROVED')) THEN
        RAISE EXCEPTION 'a report does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = '23514', CONSTRAINT = 'report_moves';
    END IF;
    IF (OLD.public_id, OLD.customer_id, OLD.day, OLD.corrects_id)
       IS DISTINCT FROM (NEW.public_id, NEW.customer_id, NEW.day, NEW.corrects_id) THEN
        RAISE EXCEPTION 'a report keeps its person and day'
            USING ERRCODE = '23514', CONSTRAINT = 'report_origin_fixed';
    END IF;
    IF OLD.state NOT IN ('APPROVED', 'NOT_FILED')
       AND (OLD.cash_in_cents, OLD.cash_out_cents, OLD.movements, OLD.unpriced)
           IS DISTINCT FROM (NEW.cash_in_cents, NEW.cash_out_cents, NEW.movements, NEW.unpriced) THEN
        RAISE EXCEPTION 'the report is in a file and does not change'
            USING ERRCODE = '23514', CONSTRAINT = 'report_content_fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ctr_guard BEFORE INSERT OR UPDATE OR DELETE ON compliance_currencytransactionreport
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
