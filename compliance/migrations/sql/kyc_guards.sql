-- Decisions, checks, ratings and what was uploaded are evidence: nobody changes or removes them, not with raw SQL either.
CREATE TRIGGER kycdecision_no_change BEFORE UPDATE OR DELETE ON compliance_kycdecision
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER kycdecision_no_truncate BEFORE TRUNCATE ON compliance_kycdecision
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER documentreview_no_change BEFORE UPDATE OR DELETE ON compliance_documentreview
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER documentreview_no_truncate BEFORE TRUNCATE ON compliance_documentreview
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER identitycheck_no_change BEFORE UPDATE OR DELETE ON compliance_identitycheck
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER identitycheck_no_truncate BEFORE TRUNCATE ON compliance_identitycheck
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER riskassessment_no_change BEFORE UPDATE OR DELETE ON compliance_riskassessment
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER riskassessment_no_truncate BEFORE TRUNCATE ON compliance_riskassessment
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER documentoriginal_no_change BEFORE UPDATE OR DELETE ON compliance_documentoriginal
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER documentoriginal_no_truncate BEFORE TRUNCATE ON compliance_documentoriginal
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER documentpage_no_change BEFORE UPDATE OR DELETE ON compliance_documentpage
    FOR EACH ROW EXECUTE FUNCTION compliance_append_only();
CREATE TRIGGER documentpage_no_truncate BEFORE TRUNCATE ON compliance_documentpage
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_append_only();

-- A document keeps what came; only what was thought of it moves, and a file once replaced or refused stays so.
CREATE FUNCTION compliance_document_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION '% on % is refused: documents are evidence', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (to_jsonb(NEW) - 'state') IS DISTINCT FROM (to_jsonb(OLD) - 'state') THEN
        RAISE EXCEPTION 'a document keeps the file that came' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state IN ('REJECTED', 'REPLACED') AND NEW.state <> OLD.state THEN
        RAISE EXCEPTION 'a document that does not count never counts again' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER kycdocument_guard BEFORE UPDATE OR DELETE ON compliance_kycdocument
    FOR EACH ROW EXECUTE FUNCTION compliance_document_guard();
CREATE TRIGGER kycdocument_no_truncate BEFORE TRUNCATE ON compliance_kycdocument
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_document_guard();

-- An application moves along its states only, begins as a draft, and stays as it was decided. Nobody is approved
-- without a decision, and the machine approves only what passed every check of the newest run at low risk.
CREATE FUNCTION compliance_kyc_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'DRAFT' THEN
            RAISE EXCEPTION 'an application begins as a draft' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE' THEN
        RAISE EXCEPTION '% on % is refused: applications are evidence', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state IN ('AUTO_APPROVED', 'APPROVED', 'REJECTED') THEN
        RAISE EXCEPTION 'a closed application stays as it is' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (OLD.id, OLD.public_id, OLD.customer_id, OLD.created_at) IS DISTINCT FROM (NEW.id, NEW.public_id, NEW.customer_id, NEW.created_at)
        OR NEW.submission < OLD.submission OR NEW.run < OLD.run THEN
        RAISE EXCEPTION 'an application keeps its customer, and its counts only grow' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.form <> OLD.form AND OLD.state NOT IN ('DRAFT', 'INFORMATION_NEEDED') THEN
        RAISE EXCEPTION 'data that were handed in do not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('DRAFT', 'SUBMITTED'), ('SUBMITTED', 'CHECKING'),
        ('CHECKING', 'CHECK_ERROR'), ('CHECKING', 'AUTO_APPROVED'), ('CHECKING', 'IN_REVIEW'), ('CHECK_ERROR', 'CHECKING'),
        ('IN_REVIEW', 'APPROVED'), ('IN_REVIEW', 'REJECTED'), ('IN_REVIEW', 'INFORMATION_NEEDED'), ('IN_REVIEW', 'CHECKING'),
        ('INFORMATION_NEEDED', 'SUBMITTED')
    ) THEN
        RAISE EXCEPTION 'an application does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state IN ('AUTO_APPROVED', 'APPROVED', 'REJECTED', 'INFORMATION_NEEDED') AND NOT EXISTS (
        SELECT 1 FROM compliance_kycdecision d
        WHERE d.application_id = NEW.id AND d.submission = NEW.submission AND d.outcome = NEW.state
    ) THEN
        RAISE EXCEPTION 'no decision stands behind this state' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state = 'AUTO_APPROVED' AND (
        NEW.risk_level <> 'LOW'
        OR NOT EXISTS (SELECT 1 FROM compliance_identitycheck c WHERE c.application_id = NEW.id AND c.run = NEW.run)
        OR EXISTS (SELECT 1 FROM compliance_identitycheck c
                   WHERE c.application_id = NEW.id AND c.run = NEW.run AND c.status <> 'PASSED')
        OR EXISTS (SELECT 1 FROM compliance_screeninghit h
                   WHERE h.customer_id = NEW.customer_id AND h.status IN ('OPEN', 'ESCALATED', 'TRUE_MATCH'))
    ) THEN
        RAISE EXCEPTION 'the machine approves only what passed everything' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER kycapplication_guard BEFORE INSERT OR UPDATE OR DELETE ON compliance_kycapplication
    FOR EACH ROW EXECUTE FUNCTION compliance_kyc_guard();
CREATE TRIGGER kycapplication_no_truncate BEFORE TRUNCATE ON compliance_kycapplication
    FOR EACH STATEMENT EXECUTE FUNCTION compliance_kyc_guard();

-- A risk model that rated somebody keeps its numbers.
CREATE FUNCTION compliance_riskmodel_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM compliance_riskassessment a WHERE a.model_id = OLD.id)
        AND (TG_OP = 'DELETE' OR (OLD.id, OLD.version, OLD.parameters) IS DISTINCT FROM (NEW.id, NEW.version, NEW.parameters)) THEN
        RAISE EXCEPTION 'a risk model that was used does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER riskmodelversion_guard BEFORE UPDATE OR DELETE ON compliance_riskmodelversion
    FOR EACH ROW EXECUTE FUNCTION compliance_riskmodel_guard();
