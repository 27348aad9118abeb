-- Rates, deals and costs are written once. A deal says what its own transaction's postings say, and comes with it.
ALTER TABLE ledger_fxrate ADD CONSTRAINT rate_base_known FOREIGN KEY (base) REFERENCES ledger_currency (code);
ALTER TABLE ledger_fxrate ADD CONSTRAINT rate_quote_known FOREIGN KEY (quote) REFERENCES ledger_currency (code);

CREATE FUNCTION ledger_fx_deal_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found record;
    base text := (SELECT base_currency FROM ledger_fxdeal ORDER BY id DESC LIMIT 1);
BEGIN
    -- Costs add up in one currency only: the setting is fixed by the first deal.
    IF base <> NEW.base_currency THEN
        RAISE EXCEPTION 'deals are valued in %, not in %', base, NEW.base_currency
            USING ERRCODE = '23514', CONSTRAINT = 'deal_base_fixed', TABLE = TG_TABLE_NAME;
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_transaction
                   WHERE id = NEW.transaction_id AND xid = pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION 'the deal comes with its transaction'
            USING ERRCODE = '23514', CONSTRAINT = 'deal_with_transaction', TABLE = TG_TABLE_NAME;
    END IF;
    -- Debits are positive: what came into a position is a credit, what left it a debit.
    SELECT coalesce(sum(p.amount) FILTER (WHERE c.code = 'FX_POSITION' AND p.currency = NEW.sold_currency), 0) AS sold,
           coalesce(sum(p.amount) FILTER (WHERE c.code = 'FX_POSITION' AND p.currency = NEW.bought_currency), 0) AS bought,
           coalesce(sum(p.amount) FILTER (WHERE c.code = 'FX_SPREAD_INCOME'), 0) AS spread,
           count(*) FILTER (WHERE c.code = 'FX_POSITION') AS legs
    INTO found
    FROM ledger_posting p
    JOIN ledger_account a ON a.id = p.account_id
    JOIN ledger_chartaccount c ON c.id = a.chart_account_id
    WHERE p.transaction_id = NEW.transaction_id;
    IF (found.sold, found.bought, found.spread, found.legs)
            IS DISTINCT FROM (-NEW.sold_minor, NEW.bought_minor, -NEW.spread_minor, 2) THEN
        RAISE EXCEPTION 'the deal differs from the postings of transaction %', NEW.transaction_id
            USING ERRCODE = '23514', CONSTRAINT = 'deal_is_posted', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deal_guard BEFORE INSERT ON ledger_fxdeal
    FOR EACH ROW EXECUTE FUNCTION ledger_fx_deal_guard();

-- Every cost continues the one before it; without gaps, for the account's own sequence has none.
CREATE FUNCTION ledger_fx_cost_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before ledger_fxcost%ROWTYPE;
BEGIN
    SELECT * INTO before FROM ledger_fxcost
    WHERE account_id = NEW.account_id ORDER BY account_seq DESC LIMIT 1;
    IF NEW.account_seq <> coalesce(before.account_seq, 0) + 1
        OR NEW.position_after_minor <> coalesce(before.position_after_minor, 0) + NEW.quantity_minor
        OR NEW.cost_after_minor <> coalesce(before.cost_after_minor, 0) + NEW.cost_minor
        OR NOT EXISTS (SELECT FROM ledger_posting
                       WHERE account_id = NEW.account_id AND account_seq = NEW.account_seq
                           AND amount = NEW.quantity_minor AND currency = NEW.currency
                           AND effective_date = NEW.effective_date AND balance_after = NEW.position_after_minor) THEN
        RAISE EXCEPTION 'cost % of account % does not continue', NEW.account_seq, NEW.account_id
            USING ERRCODE = '23514', CONSTRAINT = 'cost_continues', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cost_guard BEFORE INSERT ON ledger_fxcost
    FOR EACH ROW EXECUTE FUNCTION ledger_fx_cost_guard();

CREATE TRIGGER rate_append_only BEFORE UPDATE OR DELETE ON ledger_fxrate
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER rate_append_only_whole BEFORE TRUNCATE ON ledger_fxrate
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER deal_append_only BEFORE UPDATE OR DELETE ON ledger_fxdeal
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER deal_append_only_whole BEFORE TRUNCATE ON ledger_fxdeal
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER cost_append_only BEFORE UPDATE OR DELETE ON ledger_fxcost
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER cost_append_only_whole BEFORE TRUNCATE ON ledger_fxcost
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
