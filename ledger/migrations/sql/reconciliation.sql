-- What banks told us. Facts stay as they came; a statement counts only when its lines lead from its opening to its
-- closing balance and it continues the one before. All of it holds for raw SQL too.

CREATE FUNCTION ledger_refuse_bank(name text, words text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', words USING ERRCODE = '23514', CONSTRAINT = name;
END $$;

CREATE FUNCTION ledger_housebank_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.account_id, NEW.currency, NEW.public_id, NEW.client_money)
        IS DISTINCT FROM (OLD.account_id, OLD.currency, OLD.public_id, OLD.client_money) THEN
        PERFORM ledger_refuse_bank('housebank_fixed', 'a bank account keeps its ledger account and currency');
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_account a JOIN ledger_chartaccount c ON c.id = a.chart_account_id
                   WHERE a.id = NEW.account_id AND a.currency = NEW.currency AND c.kind = 'ASSET'
                     AND a.customer_id IS NULL) THEN
        PERFORM ledger_refuse_bank('housebank_account', 'the ledger account must be an asset of the house in that currency');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER housebank_guard BEFORE INSERT OR UPDATE ON ledger_housebankaccount
    FOR EACH ROW EXECUTE FUNCTION ledger_housebank_guard();
CREATE TRIGGER housebank_kept BEFORE DELETE ON ledger_housebankaccount
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();

CREATE FUNCTION ledger_bankfile_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.public_id, NEW.name, NEW.sha256, NEW.size, NEW.received_by, NEW.received_at)
        IS DISTINCT FROM (OLD.public_id, OLD.name, OLD.sha256, OLD.size, OLD.received_by, OLD.received_at) THEN
        PERFORM ledger_refuse_bank('bankfile_fixed', 'a bank file stays as it came');
    END IF;
    IF OLD.state IN ('ACCEPTED', 'DISCARDED') THEN
        PERFORM ledger_refuse_bank('bankfile_final', 'the bank file is accepted or was put aside');
    END IF;
    IF OLD.state = 'ACCEPTING' AND NEW.state NOT IN ('ACCEPTING', 'ACCEPTED') THEN
        PERFORM ledger_refuse_bank('bankfile_final', 'what was begun is finished');
    END IF;
    IF NEW.state = 'ACCEPTED' AND EXISTS (
        SELECT FROM ledger_bankstatement s WHERE s.file_id = NEW.id AND s.accepted_at IS NULL) THEN
        PERFORM ledger_refuse_bank('bankfile_whole', 'a statement of the file is not whole yet');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bankfile_guard BEFORE UPDATE ON ledger_bankfile
    FOR EACH ROW EXECUTE FUNCTION ledger_bankfile_guard();
CREATE TRIGGER bankfile_kept BEFORE DELETE ON ledger_bankfile
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();

CREATE FUNCTION ledger_bankstatement_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    as_was ledger_bankstatement%ROWTYPE;
    before ledger_bankstatement%ROWTYPE;
    found_count bigint;
    found_sum numeric;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.accepted_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM ledger_housebankaccount h WHERE h.id = NEW.bank_account_id AND h.currency = NEW.currency) THEN
            PERFORM ledger_refuse_bank('bankstatement_new', 'a new statement is not accepted yet and in its account''s currency');
        END IF;
        RETURN NEW;
    END IF;
    as_was := OLD;
    as_was.accepted_at := NEW.accepted_at;
    IF OLD.accepted_at IS NOT NULL OR as_was IS DISTINCT FROM NEW THEN
        PERFORM ledger_refuse_bank('bankstatement_fixed', 'a statement stays as the bank sent it');
    END IF;
    IF NEW.accepted_at IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT count(*), coalesce(sum(amount_minor), 0) INTO found_count, found_sum
        FROM ledger_bankline WHERE statement_id = NEW.id;
    IF found_count <> NEW.line_count OR NEW.opening_minor + found_sum <> NEW.closing_minor THEN
        PERFORM ledger_refuse_bank('bankstatement_adds_up', 'opening balance and lines do not make the closing balance');
    END IF;
    IF NEW.sequence > 1 THEN
        SELECT * INTO before FROM ledger_bankstatement
            WHERE bank_account_id = NEW.bank_account_id AND sequence = NEW.sequence - 1;
        IF NOT FOUND OR before.accepted_at IS NULL OR before.closing_minor <> NEW.opening_minor THEN
            PERFORM ledger_refuse_bank('bankstatement_continues', 'the statement does not continue the one before');
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bankstatement_guard BEFORE INSERT OR UPDATE ON ledger_bankstatement
    FOR EACH ROW EXECUTE FUNCTION ledger_bankstatement_guard();
CREATE TRIGGER bankstatement_kept BEFORE DELETE ON ledger_bankstatement
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();

-- Once per statement of SQL, not per row: ten thousand lines cost one join.
CREATE FUNCTION ledger_bankline_whole() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM added n JOIN ledger_bankstatement s ON s.id = n.statement_id
               WHERE s.accepted_at IS NOT NULL OR s.bank_account_id <> n.bank_account_id
                  OR s.file_id <> n.stated_in_id) THEN
        PERFORM ledger_refuse_bank('bankline_statement', 'a line joins an open statement of its own account and file only');
    END IF;
    IF EXISTS (SELECT FROM added WHERE status <> 'OPEN') THEN
        PERFORM ledger_refuse_bank('bankline_status_true', 'a new line is matched to nothing yet');
    END IF;
    IF EXISTS (SELECT FROM added n JOIN ledger_housebankaccount h ON h.id = n.bank_account_id
               WHERE h.currency <> n.currency) THEN
        PERFORM ledger_refuse_bank('bankline_currency', 'a line is in the currency of its account');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER bankline_whole AFTER INSERT ON ledger_bankline REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_bankline_whole();

CREATE FUNCTION ledger_bankline_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    as_was ledger_bankline%ROWTYPE;
BEGIN
    as_was := OLD;
    as_was.status := NEW.status;
    IF as_was IS DISTINCT FROM NEW THEN
        PERFORM ledger_refuse_bank('bankline_fixed', 'a line stays as the bank sent it');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bankline_guard BEFORE UPDATE ON ledger_bankline
    FOR EACH ROW EXECUTE FUNCTION ledger_bankline_guard();
CREATE TRIGGER bankline_kept BEFORE DELETE ON ledger_bankline
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_bankfileoriginal
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_bankannouncement
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
-- A charge is there days before the payout that brings it to a bank: that is named once, nothing else is changed.
CREATE FUNCTION ledger_processorline_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    as_was ledger_processorline%ROWTYPE;
BEGIN
    as_was := OLD;
    as_was.payout := NEW.payout;
    IF OLD.payout <> '' OR as_was IS DISTINCT FROM NEW THEN
        PERFORM ledger_refuse_bank('processorline_fixed', 'a line stays as the processor sent it');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER processorline_guard BEFORE UPDATE ON ledger_processorline
    FOR EACH ROW EXECUTE FUNCTION ledger_processorline_guard();
CREATE TRIGGER append_only BEFORE DELETE ON ledger_processorline
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_bankfileoriginal
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_bankannouncement
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_processorline
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_bankline
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_bankstatement
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_bankfile
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
