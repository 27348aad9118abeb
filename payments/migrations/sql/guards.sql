-- The table of states, for raw SQL too: nothing overwrites a terminal state, and what was asked for never changes.
CREATE FUNCTION payments_guard_payment() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    moving CONSTANT text[] := ARRAY['status', 'transaction_id', 'completed_at', 'refusal_code', 'refusal_detail', 'parked'];
    counted CONSTANT text[] := ARRAY['refunded_minor', 'refunding_minor'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('PROCESSING', 'COMPLETED', 'REFUSED', 'FAILED') THEN
            RAISE EXCEPTION 'a payment cannot begin as %', NEW.status
                USING ERRCODE = '23514', CONSTRAINT = 'payment_state_table', TABLE = 'payments_payment';
        END IF;
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - moving - counted) IS DISTINCT FROM (to_jsonb(OLD) - moving - counted)
        OR (NEW.status = OLD.status AND (to_jsonb(NEW) - counted) IS DISTINCT FROM (to_jsonb(OLD) - counted)) THEN
        RAISE EXCEPTION 'what a payment says never changes'
            USING ERRCODE = '23514', CONSTRAINT = 'payment_unchanged', TABLE = 'payments_payment';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('PROCESSING', 'COMPLETED'), ('PROCESSING', 'FAILED'), ('PROCESSING', 'OUTCOME_UNKNOWN'),
        ('OUTCOME_UNKNOWN', 'PROCESSING'), ('OUTCOME_UNKNOWN', 'COMPLETED'), ('OUTCOME_UNKNOWN', 'FAILED'),
        ('COMPLETED', 'RETURNED')
    ) THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = '23514', CONSTRAINT = 'payment_state_table', TABLE = 'payments_payment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_payment_guard BEFORE INSERT OR UPDATE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_guard_payment();
CREATE TRIGGER payments_payment_refuse_delete BEFORE DELETE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_payment_refuse_truncate BEFORE TRUNCATE ON payments_payment
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- The wallets are of the payment's partner and currency.
CREATE FUNCTION payments_check_wallets() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF (SELECT count(*) FROM public.wallets_wallet w
        WHERE w.id IN (NEW.payer_wallet_id, NEW.payee_wallet_id)
          AND w.partner_id = NEW.partner_id AND w.currency = NEW.currency)
        <> num_nonnulls(NEW.payer_wallet_id, NEW.payee_wallet_id) THEN
        RAISE EXCEPTION 'payment and wallets differ in partner or currency'
            USING ERRCODE = '23514', CONSTRAINT = 'payment_wallets_fit', TABLE = 'payments_payment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_payment_check_wallets BEFORE INSERT ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_check_wallets();

-- One call to a vendor: what was asked never changes, a refusal is final. A refund that was done may still fail.
CREATE FUNCTION payments_guard_step() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    moving CONSTANT text[] := ARRAY['state', 'vendor_reference', 'vendor_code', 'sent_at', 'answered_at',
                                    'next_check_at', 'checks', 'status', 'returned_id'];
    refund CONSTANT boolean := TG_TABLE_NAME = 'payments_refund';
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR OLD.state = 'REFUSED' AND NEW.state <> 'REFUSED'
        OR OLD.state = 'DONE' AND NEW.state <> 'DONE' AND NOT (refund AND NEW.state = 'REFUSED')
        OR refund AND (to_jsonb(OLD) ->> 'status', to_jsonb(NEW) ->> 'status') IN (
            ('SUCCEEDED', 'PENDING'), ('FAILED', 'PENDING'), ('FAILED', 'SUCCEEDED')
        ) THEN
        RAISE EXCEPTION 'a settled call to a vendor never changes'
            USING ERRCODE = '23514', CONSTRAINT = 'step_state_table';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_paymentattempt_guard BEFORE UPDATE ON payments_paymentattempt
    FOR EACH ROW EXECUTE FUNCTION payments_guard_step();
CREATE TRIGGER payments_paymentattempt_refuse_delete BEFORE DELETE ON payments_paymentattempt
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_paymentattempt_refuse_truncate BEFORE TRUNCATE ON payments_paymentattempt
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_refund_guard BEFORE UPDATE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_guard_step();
CREATE TRIGGER payments_refund_refuse_delete BEFORE DELETE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_refund_refuse_truncate BEFORE TRUNCATE ON payments_refund
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A return is written once.
CREATE TRIGGER payments_paymentreturn_refuse_change BEFORE UPDATE OR DELETE ON payments_paymentreturn
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_paymentreturn_refuse_truncate BEFORE TRUNCATE ON payments_paymentreturn
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
