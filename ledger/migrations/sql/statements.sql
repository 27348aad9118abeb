-- An official statement continues the one before: in number, days, range of entries and balance. Its closing balance is
-- what the database itself wrote with the latest entry of the range, so no statement can say anything else.
CREATE FUNCTION ledger_statement_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    b ledger_balance%ROWTYPE;
    previous ledger_statement%ROWTYPE;
    closing bigint;
    fault text;
BEGIN
    -- The lock of postings: two statements of one account come one after the other, and nothing is booked meanwhile.
    SELECT * INTO b FROM ledger_balance WHERE account_id = NEW.account_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no account %', NEW.account_id
            USING ERRCODE = '23514', CONSTRAINT = 'posting_account', TABLE = TG_TABLE_NAME;
    END IF;
    SELECT * INTO previous FROM ledger_statement WHERE account_id = NEW.account_id ORDER BY number DESC LIMIT 1;
    IF NEW.seq_to < NEW.seq_from THEN
        closing := NEW.opening_minor;
    ELSE
        SELECT balance_after INTO closing FROM ledger_posting
        WHERE account_id = NEW.account_id AND account_seq = NEW.seq_to;
    END IF;
    fault := CASE
        WHEN NEW.number <> coalesce(previous.number, 0) + 1 THEN 'statement_number_continues'
        WHEN NEW.seq_from <> coalesce(previous.seq_to, 0) + 1 THEN 'statement_range_continues'
        WHEN previous.id IS NOT NULL AND NEW.first_date <> previous.latest_date + 1 THEN 'statement_days_continue'
        WHEN NEW.opening_minor <> coalesce(previous.closing_minor, 0) THEN 'statement_opening_continues'
        WHEN closing IS NULL OR NEW.closing_minor <> closing THEN 'statement_closing_booked'
        WHEN NEW.currency <> b.currency THEN 'posting_account_currency'
    END;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'statement % of account % is refused: %', NEW.number, NEW.account_id, fault
            USING ERRCODE = '23514', CONSTRAINT = fault, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_guard BEFORE INSERT ON ledger_statement
    FOR EACH ROW EXECUTE FUNCTION ledger_statement_guard();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_statement
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_statement
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_statementfile
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_statementfile
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A file that was given out stays what it was; that an export is done or over is final.
CREATE TRIGGER export_final BEFORE UPDATE ON ledger_exportjob FOR EACH ROW
    WHEN (OLD.state IN ('FAILED', 'EXPIRED') OR (OLD.state = 'DONE' AND NEW.state <> 'EXPIRED'))
    EXECUTE FUNCTION ledger_refuse('export_final');
CREATE TRIGGER export_file_final BEFORE UPDATE ON ledger_exportfile FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL) EXECUTE FUNCTION ledger_refuse('export_final');
CREATE TRIGGER export_part_fixed BEFORE UPDATE ON ledger_exportpart
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('export_final');
CREATE TRIGGER export_kept BEFORE DELETE ON ledger_exportjob
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('export_final');
CREATE TRIGGER export_file_kept BEFORE DELETE ON ledger_exportfile
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('export_final');
