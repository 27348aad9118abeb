-- A card keeps whose it is and what it is; closed is final; a physical card is activated once.
CREATE FUNCTION cards_keep_card() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (OLD.id, OLD.public_id, OLD.partner_id, OLD.programme_id, OLD.customer_id, OLD.wallet_id, OLD.kind, OLD.token,
            OLD.bin, OLD.last_four, OLD.expires_on, OLD.fingerprint, OLD.created_at)
           IS DISTINCT FROM
           (NEW.id, NEW.public_id, NEW.partner_id, NEW.programme_id, NEW.customer_id, NEW.wallet_id, NEW.kind, NEW.token,
            NEW.bin, NEW.last_four, NEW.expires_on, NEW.fingerprint, NEW.created_at)
        OR (OLD.status = 'CLOSED' AND NEW.status <> 'CLOSED')
        OR (OLD.status = 'ACTIVE' AND NEW.status = 'INACTIVE') THEN
        RAISE EXCEPTION 'a card keeps owner, number and kind, and closed is final'
            USING ERRCODE = '23514', CONSTRAINT = 'card_kept', TABLE = 'cards_card';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_card_keep BEFORE UPDATE OR DELETE ON cards_card
    FOR EACH ROW EXECUTE FUNCTION cards_keep_card();

-- A freeze is lifted once and keeps who placed it; a version of controls is retired once.
CREATE FUNCTION cards_keep_freeze() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.lifted_at IS NOT NULL
        OR (OLD.card_id, OLD.source, OLD.reason_code, OLD.placed_by, OLD.placed_at)
           IS DISTINCT FROM (NEW.card_id, NEW.source, NEW.reason_code, NEW.placed_by, NEW.placed_at) THEN
        RAISE EXCEPTION 'a freeze is lifted once and keeps who placed it'
            USING ERRCODE = '23514', CONSTRAINT = 'freeze_kept', TABLE = 'cards_cardfreeze';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_freeze_keep BEFORE UPDATE OR DELETE ON cards_cardfreeze
    FOR EACH ROW EXECUTE FUNCTION cards_keep_freeze();

CREATE FUNCTION cards_keep_controls() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.retired_at IS NOT NULL
        OR to_jsonb(NEW) - 'retired_at' <> to_jsonb(OLD) - 'retired_at' THEN
        RAISE EXCEPTION 'a version of controls is retired once and never edited'
            USING ERRCODE = '23514', CONSTRAINT = 'controls_kept', TABLE = 'cards_controlset';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_controls_keep BEFORE UPDATE OR DELETE ON cards_controlset
    FOR EACH ROW EXECUTE FUNCTION cards_keep_controls();

-- What was asked stays; a declined authorisation stays declined.
CREATE FUNCTION cards_keep_authorization() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    moves text[] := ARRAY['state', 'hold_id', 'authorized_minor', 'cleared_minor', 'refunded_minor', 'counted_minor'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - moves <> to_jsonb(OLD) - moves
        OR (OLD.state = 'DECLINED' AND NEW.state <> 'DECLINED')
        OR (OLD.hold_id IS NOT NULL AND NEW.hold_id IS DISTINCT FROM OLD.hold_id) THEN
        RAISE EXCEPTION 'what the network asked stays as it was'
            USING ERRCODE = '23514', CONSTRAINT = 'authorization_kept', TABLE = 'cards_cardauthorization';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cards_authorization_keep BEFORE UPDATE OR DELETE ON cards_cardauthorization
    FOR EACH ROW EXECUTE FUNCTION cards_keep_authorization();

-- An authorisation that is open holds exactly what it has promised and not cleared: asked at commit.
CREATE FUNCTION cards_hold_fits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    a cards_cardauthorization%ROWTYPE;
    held bigint;
BEGIN
    SELECT * INTO a FROM cards_cardauthorization WHERE id = NEW.id;
    SELECT open_minor INTO held FROM ledger_holdstate WHERE hold_id = a.hold_id;
    IF coalesce(held, 0) <> (CASE WHEN a.state = 'OPEN' THEN greatest(0, a.authorized_minor - a.cleared_minor) ELSE 0 END)
    THEN
        RAISE EXCEPTION 'authorisation % holds %, which is not what it promised', a.public_id, coalesce(held, 0)
            USING ERRCODE = '23514', CONSTRAINT = 'authorization_hold_fits', TABLE = 'cards_cardauthorization';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cards_hold_fits AFTER INSERT OR UPDATE ON cards_cardauthorization
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cards_hold_fits();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['networkevent', 'cardtransaction', 'carddecision', 'vaultentry'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON cards_%s
                        FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['networkevent', 'cardtransaction', 'carddecision', 'vaultentry', 'card', 'cardfreeze',
                                'controlset', 'cardauthorization'] LOOP
        EXECUTE format('CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON cards_%s
                        FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
END $$;
