-- Deposits and withdrawals are written once, in their final state, for raw SQL too.
CREATE TRIGGER wallets_deposit_refuse_change BEFORE UPDATE OR DELETE ON wallets_deposit
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_deposit_refuse_truncate BEFORE TRUNCATE ON wallets_deposit
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_withdrawal_refuse_change BEFORE UPDATE OR DELETE ON wallets_withdrawal
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_withdrawal_refuse_truncate BEFORE TRUNCATE ON wallets_withdrawal
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
