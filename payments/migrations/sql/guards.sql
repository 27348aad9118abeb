-- The table of states, for raw SQL too: nothing overwrites a terminal state, and what was asked for never changes.
CREATE FUNCTION payments_guard_payment() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    moving CONSTANT text[] := ARRAY['status', 'transaction_id', 'completed_at', 'refusal_code', 'refusal_detail', 'parked',
                                    'hold_id', 'returned_id'];
    counted CONSTANT text[] := ARRAY['refunded_minor', 'refunding_minor'];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status IN ('OUTCOME_UNKNOWN', 'RETURNED') THEN
            RAISE EXCEPTION 'a payment cannot begin as %', NEW.status
                USING ERRCODE = '23514', CONSTRAINT = 'payment_state_table', TABLE = 'payments_payment';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('REQUIRES_ACTION', 'PROCESSING'), ('REQUIRES_ACTION', 'FAILED'), ('REQUIRES_ACTION', 'CANCELED'),
        ('HELD', 'PROCESSING'), ('HELD', 'REFUSED'), ('HELD', 'CANCELED'),
        ('PROCESSING', 'REQUIRES_ACTION'), ('PROCESSING', 'COMPLETED'), ('PROCESSING', 'FAILED'),
        ('PROCESSING', 'OUTCOME_UNKNOWN'), ('PROCESSING', 'CANCELED'),
        ('OUTCOME_UNKNOWN', 'PROCESSING'), ('OUTCOME_UNKNOWN', 'COMPLETED'), ('OUTCOME_UNKNOWN', 'FAILED'),
        ('COMPLETED', 'RETURNED')
    ) THEN
        RAISE EXCEPTION 'a payment cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = '23514', CONSTRAINT = 'payment_state_table', TABLE = 'payments_payment';
    END IF;
    IF (to_jsonb(NEW) - moving - counted) IS DISTINCT FROM (to_jsonb(OLD) - moving - counted)
        OR (OLD.hold_id IS NOT NULL AND NEW.hold_id IS DISTINCT FROM OLD.hold_id)
        OR (OLD.transaction_id IS NOT NULL AND NEW.transaction_id IS DISTINCT FROM OLD.transaction_id)
        OR (NEW.status = OLD.status AND (to_jsonb(NEW) - counted) IS DISTINCT FROM (to_jsonb(OLD) - counted)) THEN
        RAISE EXCEPTION 'what a payment says never changes'
            USING ERRCODE = '23514', CONSTRAINT = 'payment_unchanged', TABLE = 'payments_payment';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_payment_guard BEFORE INSERT OR UPDATE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_guard_payment();
CREATE TRIGGER payments_payment_refuse_delete BEFORE DELETE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER payments_payment_refuse_truncate BEFORE TRUNCATE ON payments_payment
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- Wallets and bank account are of the payment's partner and currency, and the kind is the one its customers make.
CREATE FUNCTION payments_check_sides() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    payer public.identity_customer%ROWTYPE;
    payee public.identity_customer%ROWTYPE;
    initial CONSTANT jsonb := '{"PERSON": "P", "BUSINESS": "B"}';
    word CONSTANT jsonb := '{"PP": "P2P", "PB": "C2B", "BP": "B2C", "BB": "B2B"}';
BEGIN
    IF (SELECT count(*) FROM public.wallets_wallet w
        WHERE w.id IN (NEW.payer_wallet_id, NEW.payee_wallet_id)
          AND w.partner_id = NEW.partner_id AND w.currency = NEW.currency)
        <> num_nonnulls(NEW.payer_wallet_id, NEW.payee_wallet_id)
        OR (NEW.bank_account_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.wallets_bankaccount a
            WHERE a.id = NEW.bank_account_id AND a.partner_id = NEW.partner_id AND a.currency = NEW.currency)) THEN
        RAISE EXCEPTION 'payment and its sides differ in partner or currency'
            USING ERRCODE = '23514', CONSTRAINT = 'payment_sides_fit', TABLE = 'payments_payment';
    END IF;
    SELECT c.* INTO payer FROM public.identity_customer c JOIN public.wallets_wallet w ON w.customer_id = c.id
        WHERE w.id = NEW.payer_wallet_id;
    IF NEW.kind = 'PAYOUT' THEN
        SELECT c.* INTO payee FROM public.identity_customer c JOIN public.wallets_bankaccount a ON a.customer_id = c.id
            WHERE a.id = NEW.bank_account_id;
        IF payer.id <> payee.id AND payer.kind <> 'BUSINESS' THEN
            RAISE EXCEPTION 'a person is paid out to accounts of his own'
                USING ERRCODE = '23514', CONSTRAINT = 'payment_payout_fits', TABLE = 'payments_payment';
        END IF;
    ELSIF NEW.kind <> 'TOP_UP' THEN
        SELECT c.* INTO payee FROM public.identity_customer c JOIN public.wallets_wallet w ON w.customer_id = c.id
            WHERE w.id = NEW.payee_wallet_id;
        IF NEW.kind IS DISTINCT FROM word ->> ((initial ->> payer.kind) || (initial ->> payee.kind)) THEN
            RAISE EXCEPTION 'between these customers a payment is not %', NEW.kind
                USING ERRCODE = '23514', CONSTRAINT = 'payment_kind_fits', TABLE = 'payments_payment';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_payment_check_sides BEFORE INSERT ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_check_sides();

-- One call to a vendor: what was asked never changes, a refusal is final. A refund, a payout and what was drawn from a
-- bank may still come back after it was done: banks return money days and weeks later.
CREATE FUNCTION payments_guard_step() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    moving CONSTANT text[] := ARRAY['state', 'vendor_reference', 'vendor_code', 'sent_at', 'answered_at',
                                    'next_check_at', 'checks', 'status', 'returned_id'];
    refund CONSTANT boolean := TG_TABLE_NAME = 'payments_refund';
    bank CONSTANT boolean := EXISTS (
        SELECT FROM public.payments_payment p WHERE p.id = NEW.payment_id AND (p.kind = 'PAYOUT' OR p.rail = 'plaid_transfer'));
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
        OR OLD.state = 'REFUSED' AND NEW.state <> 'REFUSED'
        OR OLD.state = 'DONE' AND NEW.state <> 'DONE' AND NOT ((refund OR bank) AND NEW.state = 'REFUSED')
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
