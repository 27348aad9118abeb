-- A deposit or withdrawal that waits ends once, and nothing else about it changes; one that ended is final.
CREATE FUNCTION wallets_movement_ends() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF OLD.status <> 'PENDING' OR NEW.status = 'PENDING'
        OR (to_jsonb(OLD) - ARRAY['status', 'transaction_id', 'refusal_code', 'refusal_detail', 'ended_at'])
           IS DISTINCT FROM
           (to_jsonb(NEW) - ARRAY['status', 'transaction_id', 'refusal_code', 'refusal_detail', 'ended_at']) THEN
        RAISE EXCEPTION 'a movement that waits ends once, and nothing else about it changes'
            USING ERRCODE = '23514', CONSTRAINT = 'movement_kept', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_deposit_ends BEFORE UPDATE ON wallets_deposit
    FOR EACH ROW EXECUTE FUNCTION wallets_movement_ends();
CREATE TRIGGER wallets_deposit_refuse_delete BEFORE DELETE ON wallets_deposit
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_deposit_refuse_truncate BEFORE TRUNCATE ON wallets_deposit
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_withdrawal_ends BEFORE UPDATE ON wallets_withdrawal
    FOR EACH ROW EXECUTE FUNCTION wallets_movement_ends();
CREATE TRIGGER wallets_withdrawal_refuse_delete BEFORE DELETE ON wallets_withdrawal
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_withdrawal_refuse_truncate BEFORE TRUNCATE ON wallets_withdrawal
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- Completed means booked: under the movement's own id, which the ledger takes once.
CREATE FUNCTION wallets_movement_booked() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_transaction WHERE id = NEW.transaction_id
                       AND (source, source_key) = (TG_ARGV[0], NEW.public_id)) THEN
        RAISE EXCEPTION '% is completed without its booking', NEW.public_id
            USING ERRCODE = '23514', CONSTRAINT = 'movement_booked', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_deposit_booked BEFORE INSERT OR UPDATE ON wallets_deposit FOR EACH ROW
    WHEN (NEW.status = 'COMPLETED') EXECUTE FUNCTION wallets_movement_booked('deposit');
CREATE TRIGGER wallets_withdrawal_booked BEFORE INSERT OR UPDATE ON wallets_withdrawal FOR EACH ROW
    WHEN (NEW.status = 'COMPLETED') EXECUTE FUNCTION wallets_movement_booked('withdrawal');

CREATE TRIGGER wallets_crossing_append_only BEFORE UPDATE OR DELETE ON wallets_balancecrossing
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_crossing_append_only_whole BEFORE TRUNCATE ON wallets_balancecrossing
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A wallet keeps its owner, its currency and its account; closed is final; no wallet is deleted.
CREATE FUNCTION wallets_keep_wallet() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (OLD.id, OLD.public_id, OLD.partner_id, OLD.customer_id, OLD.currency, OLD.account_id)
           IS DISTINCT FROM (NEW.id, NEW.public_id, NEW.partner_id, NEW.customer_id, NEW.currency, NEW.account_id)
        OR (OLD.status = 'CLOSED' AND NEW.status <> 'CLOSED') THEN
        RAISE EXCEPTION 'a wallet keeps owner, currency and account, and closed is final'
            USING ERRCODE = '23514', CONSTRAINT = 'wallet_kept', TABLE = 'wallets_wallet';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_wallet_keep BEFORE UPDATE OR DELETE ON wallets_wallet
    FOR EACH ROW EXECUTE FUNCTION wallets_keep_wallet();
