CREATE TRIGGER form_receipt_refuse_change BEFORE UPDATE OR DELETE ON backoffice_formreceipt
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER form_receipt_refuse_truncate BEFORE TRUNCATE ON backoffice_formreceipt
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A request for a second person: its content is fixed, its status moves once, and only as a vote allows.
ALTER TABLE backoffice_approvalvote ADD CONSTRAINT vote_of_this_maker
    FOREIGN KEY (approval_id, maker_id) REFERENCES backoffice_approval (id, maker_id);

CREATE FUNCTION backoffice_guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an approval is never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'PENDING' THEN
            RAISE EXCEPTION 'an approval begins as PENDING' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.public_id, NEW.action, NEW.object_type, NEW.object_id, NEW.payload, NEW.evidence, NEW.content_hash,
        NEW.maker_id, NEW.reason_code, NEW.note, NEW.created_at, NEW.expires_at)
       IS DISTINCT FROM
       (OLD.id, OLD.public_id, OLD.action, OLD.object_type, OLD.object_id, OLD.payload, OLD.evidence, OLD.content_hash,
        OLD.maker_id, OLD.reason_code, OLD.note, OLD.created_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'the content of an approval does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status <> 'PENDING' THEN
        RAISE EXCEPTION 'an approval is decided once' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status IN ('EXECUTED', 'FAILED') AND NOT EXISTS (
        SELECT FROM backoffice_approvalvote WHERE approval_id = NEW.id AND decision = 'APPROVE') THEN
        RAISE EXCEPTION 'nobody approved %', NEW.public_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status = 'REJECTED' AND NOT EXISTS (
        SELECT FROM backoffice_approvalvote WHERE approval_id = NEW.id AND decision = 'REJECT') THEN
        RAISE EXCEPTION 'nobody rejected %', NEW.public_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approval_guard BEFORE INSERT OR UPDATE OR DELETE ON backoffice_approval
    FOR EACH ROW EXECUTE FUNCTION backoffice_guard_approval();
CREATE TRIGGER approval_refuse_truncate BEFORE TRUNCATE ON backoffice_approval
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

CREATE FUNCTION backoffice_guard_vote() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked backoffice_approval;
BEGIN
    SELECT * INTO asked FROM backoffice_approval WHERE id = NEW.approval_id FOR SHARE;
    IF asked.status IS DISTINCT FROM 'PENDING' THEN
        RAISE EXCEPTION 'the approval is decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.voted_at >= asked.expires_at THEN
        RAISE EXCEPTION 'the approval has expired' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.seen_hash <> asked.content_hash THEN
        RAISE EXCEPTION 'the checker saw another content' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER vote_guard BEFORE INSERT ON backoffice_approvalvote
    FOR EACH ROW EXECUTE FUNCTION backoffice_guard_vote();
CREATE TRIGGER vote_refuse_change BEFORE UPDATE OR DELETE ON backoffice_approvalvote
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER vote_refuse_truncate BEFORE TRUNCATE ON backoffice_approvalvote
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- For triggers of rows that need two people: did somebody approve exactly this act on exactly this object?
CREATE FUNCTION flowlet_approved(approval bigint, act text, object text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM backoffice_approval a JOIN backoffice_approvalvote v ON v.approval_id = a.id
        WHERE a.id = approval AND a.action = act AND a.object_id = object
          AND v.decision = 'APPROVE' AND a.status IN ('PENDING', 'EXECUTED'))
$$;
