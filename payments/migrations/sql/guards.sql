-- A payment is written once, in its final state: nothing overwrites a terminal state, for raw SQL too.
CREATE TRIGGER payments_payment_refuse_change BEFORE UPDATE OR DELETE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_payment_refuse_truncate BEFORE TRUNCATE ON payments_payment
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- Both wallets are of the payment's partner and currency.
CREATE FUNCTION payments_check_wallets() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF (SELECT count(*) FROM public.wallets_wallet w
        WHERE w.id IN (NEW.payer_wallet_id, NEW.payee_wallet_id)
          AND w.partner_id = NEW.partner_id AND w.currency = NEW.currency) <> 2 THEN
        RAISE EXCEPTION 'payment and wallets differ in partner or currency'
            USING ERRCODE = '23514', CONSTRAINT = 'payment_wallets_fit', TABLE = 'payments_payment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_payment_check_wallets BEFORE INSERT ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_check_wallets();
