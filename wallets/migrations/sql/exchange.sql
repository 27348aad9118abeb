-- Terms of a quote are fixed; it ends once, as used or expired, and is used by the exchange that stands beside it.
CREATE FUNCTION wallets_keep_quote() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    was jsonb;
    is_now jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        was := to_jsonb(OLD) - 'status' - 'used_at';
        is_now := to_jsonb(NEW) - 'status' - 'used_at';
    END IF;
    IF TG_OP = 'DELETE' OR was IS DISTINCT FROM is_now OR OLD.status <> 'OPEN' THEN
        RAISE EXCEPTION 'a quote keeps its terms and ends once'
            USING ERRCODE = '23514', CONSTRAINT = 'quote_kept', TABLE = 'wallets_quote';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_quote_keep BEFORE UPDATE OR DELETE ON wallets_quote
    FOR EACH ROW EXECUTE FUNCTION wallets_keep_quote();
CREATE TRIGGER wallets_quote_refuse_truncate BEFORE TRUNCATE ON wallets_quote
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A quote begins open, between two wallets of its customer, in their currencies.
CREATE FUNCTION wallets_open_quote() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NEW.status <> 'OPEN' OR NOT EXISTS (
            SELECT FROM wallets_wallet s JOIN wallets_wallet b ON b.customer_id = s.customer_id
            WHERE s.id = NEW.sell_wallet_id AND b.id = NEW.buy_wallet_id
                AND (s.customer_id, s.partner_id) = (NEW.customer_id, NEW.partner_id)
                AND (s.currency, b.currency) = (NEW.sell_currency, NEW.buy_currency)) THEN
        RAISE EXCEPTION 'a quote begins open, between two wallets of one customer'
            USING ERRCODE = '23514', CONSTRAINT = 'quote_wallets', TABLE = 'wallets_quote';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_quote_open BEFORE INSERT ON wallets_quote
    FOR EACH ROW EXECUTE FUNCTION wallets_open_quote();

-- Used means exchanged, and exchanged means posted under this quote: asked at commit, whatever came first.
CREATE FUNCTION wallets_quote_exchanged() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM wallets_exchange WHERE quote_id = NEW.id) THEN
        RAISE EXCEPTION 'quote % is used without an exchange', NEW.public_id
            USING ERRCODE = '23514', CONSTRAINT = 'quote_exchanged', TABLE = 'wallets_quote';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wallets_quote_exchanged AFTER UPDATE ON wallets_quote DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status = 'USED') EXECUTE FUNCTION wallets_quote_exchanged();

CREATE FUNCTION wallets_exchange_guard() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
            SELECT FROM wallets_quote q
            JOIN ledger_transaction t ON t.id = NEW.transaction_id AND t.quote = q.public_id
            JOIN ledger_fxdeal d ON d.transaction_id = t.id
                AND (d.sold_currency, d.sold_minor, d.bought_currency, d.bought_minor, d.spread_minor, d.rate)
                    = (q.sell_currency, q.sell_minor - q.spread_minor, q.buy_currency, q.buy_minor, q.spread_minor, q.rate)
            WHERE q.id = NEW.quote_id AND q.status = 'USED' AND q.used_at = NEW.created_at
                AND (q.partner_id, q.customer_id) = (NEW.partner_id, NEW.customer_id)) THEN
        RAISE EXCEPTION 'an exchange uses its own quote, in time and at its terms'
            USING ERRCODE = '23514', CONSTRAINT = 'exchange_uses_quote', TABLE = 'wallets_exchange';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_exchange_guard BEFORE INSERT ON wallets_exchange
    FOR EACH ROW EXECUTE FUNCTION wallets_exchange_guard();
CREATE TRIGGER wallets_exchange_refuse_change BEFORE UPDATE OR DELETE ON wallets_exchange
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_exchange_refuse_truncate BEFORE TRUNCATE ON wallets_exchange
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
