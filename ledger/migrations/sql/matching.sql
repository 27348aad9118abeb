-- What may belong together, what may be written off: nothing is used beyond its amount, whoever writes. Refusals have
-- ERRCODE 23514 and a constraint name, which ledger/operations/refusals.py turns into words.

CREATE FUNCTION ledger_refuse_match(name text, words text, detail json DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', words USING ERRCODE = '23514', CONSTRAINT = name, DETAIL = detail::text;
END $$;

-- Accounts whose postings wait for a bank or a processor.
CREATE FUNCTION ledger_is_clearing(account bigint) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM ledger_account a JOIN ledger_chartaccount c ON c.id = a.chart_account_id
                   WHERE a.id = account AND c.code IN ('BANK_CLEARING', 'SETTLEMENT_CLEARING'))
$$;

CREATE FUNCTION ledger_line_used(line bigint) RETURNS bigint LANGUAGE sql STABLE
    SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM ledger_matchleg l JOIN ledger_match m ON m.id = l.match_id
    WHERE l.line_id = line AND m.undone_at IS NULL
$$;

CREATE FUNCTION ledger_posting_used(posting bigint) RETURNS bigint LANGUAGE sql STABLE
    SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM ledger_matchleg l JOIN ledger_match m ON m.id = l.match_id
    WHERE l.posting_id = posting AND m.undone_at IS NULL
$$;

-- Legs ---------------------------------------------------------------------------------------------------------
-- All legs of a match come in one statement. The rows they use are locked first, so that of two who want the same
-- line the second sees what the first has taken.
CREATE FUNCTION ledger_matchleg_whole() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    over record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger_refuse_match('match_isolation', 'matches are written under READ COMMITTED only');
    END IF;
    PERFORM FROM ledger_bankline WHERE id IN (SELECT line_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    PERFORM FROM ledger_posting WHERE id IN (SELECT posting_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM ledger_matchleg l WHERE l.match_id IN (SELECT match_id FROM added)
               AND l.id NOT IN (SELECT id FROM added))
       OR EXISTS (SELECT FROM added a JOIN ledger_match m ON m.id = a.match_id WHERE m.undone_at IS NOT NULL) THEN
        PERFORM ledger_refuse_match('matchleg_with_match', 'a match gets all its legs at once');
    END IF;
    IF EXISTS (SELECT FROM added a JOIN ledger_match m ON m.id = a.match_id
               LEFT JOIN ledger_bankline b ON b.id = a.line_id LEFT JOIN ledger_posting p ON p.id = a.posting_id
               WHERE (a.line_id IS NOT NULL AND b.currency IS DISTINCT FROM m.currency)
                  OR (a.posting_id IS NOT NULL AND p.currency IS DISTINCT FROM m.currency)) THEN
        PERFORM ledger_refuse_match('match_currency', 'a match is in one currency');
    END IF;
    IF EXISTS (SELECT FROM added a JOIN ledger_match m ON m.id = a.match_id
               WHERE (a.posting_id IS NULL AND m.matched_by NOT IN ('REBOOKED', 'WRITTEN_OFF'))
                  OR (a.line_id IS NULL AND m.matched_by <> 'WRITTEN_OFF')) THEN
        PERFORM ledger_refuse_match('match_two_sides', 'a match has two sides');
    END IF;
    IF EXISTS (SELECT FROM added a JOIN ledger_posting p ON p.id = a.posting_id
               JOIN ledger_transaction t ON t.id = p.transaction_id
               WHERE NOT ledger_is_clearing(p.account_id)
                  OR t.source IN ('match', 'match_undo', 'bank_line', 'break')) THEN
        PERFORM ledger_refuse_match('match_item', 'only postings that wait for a bank can be matched');
    END IF;
    IF EXISTS (SELECT FROM added a JOIN ledger_bankline b ON b.id = a.line_id
               LEFT JOIN ledger_bankstatement s ON s.id = b.statement_id
               WHERE s.accepted_at IS NULL) THEN
        PERFORM ledger_refuse_match('match_line_accepted', 'only lines of accepted statements can be matched');
    END IF;
    SELECT b.public_id, b.amount_minor, ledger_line_used(b.id) AS used, b.currency INTO over
    FROM ledger_bankline b
    WHERE b.id IN (SELECT line_id FROM added)
      AND ledger_line_used(b.id) NOT BETWEEN least(b.amount_minor, 0) AND greatest(b.amount_minor, 0) LIMIT 1;
    IF FOUND THEN
        PERFORM ledger_refuse_match('match_line_overused', 'a line is matched beyond its amount',
            json_build_object('line', over.public_id));
    END IF;
    SELECT p.id INTO over
    FROM ledger_posting p
    WHERE p.id IN (SELECT posting_id FROM added)
      AND ledger_posting_used(p.id) NOT BETWEEN least(p.amount, 0) AND greatest(p.amount, 0) LIMIT 1;
    IF FOUND THEN
        PERFORM ledger_refuse_match('match_item_overused', 'a posting is matched beyond its amount');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER matchleg_whole AFTER INSERT ON ledger_matchleg REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_matchleg_whole();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_matchleg
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_matchleg
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- Matches ------------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_match_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    as_was ledger_match%ROWTYPE;
BEGIN
    as_was := OLD;
    as_was.reversal_id := NEW.reversal_id;
    as_was.undone_at := NEW.undone_at;
    as_was.undone_by := NEW.undone_by;
    IF OLD.undone_at IS NOT NULL OR as_was IS DISTINCT FROM NEW THEN
        PERFORM ledger_refuse_match('match_fixed', 'a match is undone once and never changed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER match_guard BEFORE UPDATE ON ledger_match FOR EACH ROW EXECUTE FUNCTION ledger_match_guard();
CREATE TRIGGER match_kept BEFORE DELETE ON ledger_match FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_match
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- At commit: the journal of a match takes from each clearing account exactly what its legs say.
CREATE FUNCTION ledger_match_posted() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.undone_at IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM ledger_transaction WHERE id = NEW.reversal_id AND reverses_id = NEW.transaction_id) THEN
            PERFORM ledger_refuse_match('match_reversed', 'a match is undone by the reversal of its journal');
        END IF;
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_matchleg WHERE match_id = NEW.id)
       OR NOT EXISTS (SELECT FROM ledger_transaction WHERE id = NEW.transaction_id AND source IN ('match', 'break'))
       OR EXISTS (
            SELECT FROM (
                SELECT p.account_id, sum(l.amount_minor) AS amount
                FROM ledger_matchleg l JOIN ledger_posting p ON p.id = l.posting_id
                WHERE l.match_id = NEW.id GROUP BY p.account_id
            ) AS legs
            FULL JOIN (
                SELECT account_id, -sum(amount) AS amount FROM ledger_posting
                WHERE transaction_id = NEW.transaction_id AND ledger_is_clearing(account_id) GROUP BY account_id
            ) AS journal USING (account_id)
            WHERE coalesce(legs.amount, 0) <> coalesce(journal.amount, 0)) THEN
        PERFORM ledger_refuse_match('match_posted', 'the journal of a match takes what its legs say');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER match_posted AFTER INSERT OR UPDATE ON ledger_match DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_match_posted();

-- A line says MATCHED or BROKEN only when it is.
CREATE FUNCTION ledger_bankline_status() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    line ledger_bankline%ROWTYPE;
BEGIN
    SELECT * INTO line FROM ledger_bankline WHERE id = NEW.id;  -- as it is at commit
    IF (line.status = 'MATCHED') IS DISTINCT FROM (ledger_line_used(line.id) = line.amount_minor)
       OR (line.status = 'BROKEN') IS DISTINCT FROM
          EXISTS (SELECT FROM ledger_break WHERE line_id = line.id AND state IN ('OPEN', 'EXPLAINED')) THEN
        PERFORM ledger_refuse_match('bankline_status_true', 'a line''s status follows its matches and breaks');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bankline_status_true AFTER UPDATE ON ledger_bankline DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_bankline_status();

-- Breaks -------------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_break_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    as_was ledger_break%ROWTYPE;
BEGIN
    as_was := OLD;
    as_was.state := NEW.state;
    as_was.owner_id := NEW.owner_id;
    as_was.reason := NEW.reason;
    as_was.note := NEW.note;
    as_was.due_at := NEW.due_at;
    as_was.closed_at := NEW.closed_at;
    as_was.closed_by := NEW.closed_by;
    IF as_was IS DISTINCT FROM NEW THEN
        PERFORM ledger_refuse_match('break_fixed', 'what a break is about does not change');
    END IF;
    IF OLD.state IN ('RESOLVED', 'WRITTEN_OFF') THEN
        PERFORM ledger_refuse_match('break_final', 'the break is closed');
    END IF;
    IF NEW.state = 'WRITTEN_OFF' AND NOT EXISTS (SELECT FROM ledger_writeoff WHERE broken_id = NEW.id) THEN
        PERFORM ledger_refuse_match('break_written_off', 'a write-off posts its own journal');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER break_guard BEFORE UPDATE ON ledger_break FOR EACH ROW EXECUTE FUNCTION ledger_break_guard();
CREATE TRIGGER break_begins BEFORE INSERT ON ledger_break FOR EACH ROW
    WHEN (NEW.state <> 'OPEN') EXECUTE FUNCTION ledger_refuse('break_begins_open');
CREATE TRIGGER break_kept BEFORE DELETE ON ledger_break FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_break
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A break over a line is closed when nothing of the line waits any more, or what waits has a break of its own.
CREATE FUNCTION ledger_break_settled() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger_bankline b WHERE b.id = NEW.line_id AND ledger_line_used(b.id) <> b.amount_minor)
       AND NOT EXISTS (SELECT FROM ledger_break WHERE line_id = NEW.line_id AND state IN ('OPEN', 'EXPLAINED')) THEN
        PERFORM ledger_refuse_match('break_settled', 'money of the line still waits');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER break_settled AFTER UPDATE ON ledger_break DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state IN ('RESOLVED', 'WRITTEN_OFF') AND NEW.line_id IS NOT NULL)
    EXECUTE FUNCTION ledger_break_settled();

-- Write-offs ---------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_writeoffrule_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT coalesce(flowlet_approved(NEW.approval_id, 'ledger.set_write_off_rule', NEW.currency), false) THEN
        PERFORM ledger_refuse_match('writeoffrule_approved', 'two people set the caps of write-offs');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER writeoffrule_guard BEFORE INSERT ON ledger_writeoffrule
    FOR EACH ROW EXECUTE FUNCTION ledger_writeoffrule_guard();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_writeoffrule
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_writeoffrule
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

CREATE FUNCTION ledger_writeoff_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    b ledger_break%ROWTYPE;
    rule ledger_writeoffrule%ROWTYPE;
    used bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger_refuse_match('match_isolation', 'write-offs are written under READ COMMITTED only');
    END IF;
    NEW.day := (clock_timestamp() AT TIME ZONE 'UTC')::date;  -- whatever was sent
    SELECT * INTO b FROM ledger_break WHERE id = NEW.broken_id FOR NO KEY UPDATE;
    IF b.state NOT IN ('OPEN', 'EXPLAINED') OR b.kind = 'SHORTFALL' OR b.currency <> NEW.currency
       OR NEW.amount_minor <> abs(b.amount_minor) THEN
        PERFORM ledger_refuse_match('writeoff_break', 'a write-off closes one open break, as a whole');
    END IF;
    IF NEW.rule_id IS NULL THEN
        IF NOT coalesce(flowlet_approved(NEW.approval_id, 'ledger.write_off', b.public_id), false) THEN
            PERFORM ledger_refuse_match('writeoff_approved', 'nobody approved writing this break off');
        END IF;
        RETURN NEW;
    END IF;
    -- The lock makes two who use the rule count one after the other.
    SELECT * INTO rule FROM ledger_writeoffrule WHERE currency = NEW.currency ORDER BY id DESC LIMIT 1 FOR NO KEY UPDATE;
    SELECT coalesce(sum(w.amount_minor), 0) INTO used FROM ledger_writeoff w
        WHERE w.rule_id IS NOT NULL AND w.currency = NEW.currency AND w.day = NEW.day;
    IF rule.id IS DISTINCT FROM NEW.rule_id OR NEW.amount_minor > rule.cap_break_minor THEN
        PERFORM ledger_refuse_match('writeoff_cap_break', 'this is more than the rule allows for one break',
            json_build_object('cap', rule.cap_break_minor, 'currency', NEW.currency));
    END IF;
    IF used + NEW.amount_minor > rule.cap_day_minor THEN
        PERFORM ledger_refuse_match('writeoff_cap_day', 'this is more than the rule allows for one day',
            json_build_object('cap', rule.cap_day_minor, 'currency', NEW.currency));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER writeoff_guard BEFORE INSERT ON ledger_writeoff
    FOR EACH ROW EXECUTE FUNCTION ledger_writeoff_guard();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_writeoff
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_writeoff
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A journal that calls itself a write-off is one: of exactly the break's amount, by the rule or with the approval.
CREATE FUNCTION ledger_write_off_named() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM ledger_writeoff w
        WHERE w.transaction_id = NEW.id AND (w.rule_id IS NOT NULL) = (NEW.kind = 'WRITE_OFF_SMALL')
          AND w.amount_minor = (SELECT sum(amount) FROM ledger_posting WHERE transaction_id = NEW.id AND amount > 0)) THEN
        PERFORM ledger_refuse_match('writeoff_named', 'a write-off is of one break, by the rule or approved');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER write_off_named AFTER INSERT ON ledger_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind IN ('WRITE_OFF', 'WRITE_OFF_SMALL')) EXECUTE FUNCTION ledger_write_off_named();

-- Proofs -------------------------------------------------------------------------------------------------------
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_safeguardingproof
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON ledger_safeguardingproof
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A processor's payout is looked up at the bank by its id.
CREATE INDEX bankline_by_batch ON ledger_bankline (batch_id) WHERE batch_id <> '';
CREATE INDEX bankline_by_end_to_end ON ledger_bankline (end_to_end_id) WHERE end_to_end_id <> '';
