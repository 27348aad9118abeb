-- Shared by every append-only table of the house: refuse change, with a name that Python can read.
CREATE FUNCTION flowlet_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the table is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '23514', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;

-- HMAC-SHA-256 (RFC 2104) by its two pads; the server has no pgcrypto.
CREATE FUNCTION flowlet_hmac(inner_pad bytea, outer_pad bytea, message bytea) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(outer_pad || sha256(inner_pad || message))
$$;

-- One column of the signed message: its length in bytes, a colon, its text; NULL has a mark of its own.
CREATE FUNCTION audit_part(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN '-' ELSE octet_length(convert_to(value, 'UTF8')) || ':' || value END
$$;

CREATE FUNCTION audit_message(r audit_auditrecord) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT convert_to(
        'flowlet-audit-1'
        || audit_part(r.id::text) || audit_part(r.epoch::text) || audit_part(r.xid::text)
        || audit_part((extract(epoch FROM r.recorded_at) * 1000000)::bigint::text)
        || audit_part(r.origin) || audit_part(r.partner_id::text) || audit_part(r.customer)
        || audit_part(r.actor_kind) || audit_part(r.actor) || audit_part(r.actor_label) || audit_part(r.ip)
        || audit_part(r.request_id) || audit_part(r.action) || audit_part(r.object_type) || audit_part(r.object_id)
        || audit_part(r.outcome) || audit_part(r.reason_code) || audit_part(r.changes) || audit_part(r.note_digest)
        || audit_part(r.db_user) || audit_part(r.key_id::text) || audit_part(encode(r.nonce, 'hex')),
        'UTF8')
$$;

-- The pad is "key id:nonce:inner pad:outer pad" in hex, set for this transaction only. It is made of a key derived
-- from the nonce, so whoever reads it can sign rows of that one transaction; the master key never comes here.
CREATE FUNCTION audit_sign() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    pad text[] := string_to_array(nullif(current_setting('flowlet.audit_pad', true), ''), ':');
BEGIN
    NEW.epoch := 1;
    NEW.xid := pg_current_xact_id()::text::bigint;
    NEW.recorded_at := clock_timestamp();
    NEW.db_user := session_user;
    NEW.mac := NULL;
    IF pad IS NULL THEN
        NEW.origin := 'DATABASE';
        NEW.key_id := NULL;
        NEW.nonce := NULL;
        RETURN NEW;
    END IF;
    NEW.origin := 'APP';
    NEW.key_id := pad[1]::int;
    NEW.nonce := decode(pad[2], 'hex');
    NEW.mac := flowlet_hmac(decode(pad[3], 'hex'), decode(pad[4], 'hex'), audit_message(NEW));
    RETURN NEW;
END $$;

CREATE TRIGGER audit_sign BEFORE INSERT ON audit_auditrecord FOR EACH ROW EXECUTE FUNCTION audit_sign();
CREATE TRIGGER audit_refuse_change BEFORE UPDATE OR DELETE ON audit_auditrecord
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit_auditrecord
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER audit_note_refuse_update BEFORE UPDATE ON audit_auditnote
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER audit_note_refuse_truncate BEFORE TRUNCATE ON audit_auditnote
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
-- Erasure of a person's words comes with its own function; until then nobody deletes a note.
CREATE TRIGGER audit_note_refuse_delete BEFORE DELETE ON audit_auditnote
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
