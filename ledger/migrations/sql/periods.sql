-- The months of the books. A posting holds a shared lock on its period until it commits; whoever changes a period's
-- status takes that lock alone, so that he waits for postings under way and later ones see what he did. 7411 is the
-- class of these advisory locks; the second number is the period's id, 0 for days that have none yet.

-- Postings of a value date are found by blocks of the table: booked in about the order of their dates, it costs little.
CREATE INDEX posting_by_value_date ON ledger_posting USING brin (effective_date) WITH (pages_per_range = 16, autosummarize = on);

-- What may be posted into a period that is being closed: the steps of the close, and what two people agreed on. An approval
-- is carried out while it is PENDING with a vote for it; EXECUTED it has done what it was for and opens nothing again.
CREATE FUNCTION ledger_posts_while_closing(kind text, approval bigint) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT kind IN ('FX_REALISED', 'FX_REVALUATION', 'YEAR_END')
        OR (approval IS NOT NULL AND EXISTS (
            SELECT FROM backoffice_approval a JOIN backoffice_approvalvote v ON v.approval_id = a.id
            WHERE a.id = approval AND v.decision = 'APPROVE' AND a.action LIKE 'ledger.%' AND a.status = 'PENDING'))
$$;

-- After the headers and before any leg: a key that was there already never comes here, so that a replay is answered
-- however its period stands now. Each statement below sees what is committed when it begins.
CREATE FUNCTION ledger_transaction_period() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    wanted record;
    period record;
BEGIN
    FOR wanted IN
        SELECT effective_date AS day, bool_and(ledger_posts_while_closing(kind, approval_id)) AS closes,
               bool_and(kind <> 'MANUAL'
                        OR coalesce(flowlet_approved(approval_id, 'ledger.post_journal', source_key), false)) AS approved
        FROM inserted GROUP BY effective_date ORDER BY effective_date
    LOOP
        IF NOT wanted.approved THEN
            RAISE EXCEPTION 'a manual journal needs the approval of a second person'
                USING ERRCODE = '23514', CONSTRAINT = 'transaction_approved', TABLE = TG_TABLE_NAME;
        END IF;
        -- The first period that ends on the day or later; periods close in order, so it speaks for days before it too.
        SELECT id, status INTO period FROM ledger_period WHERE last_date >= wanted.day ORDER BY last_date LIMIT 1;
        -- Refused before waiting: the closings may just be added up under the lock.
        IF coalesce(period.status, 'OPEN') = 'OPEN' OR (period.status = 'CLOSING' AND wanted.closes) THEN
            PERFORM pg_advisory_xact_lock_shared(7411, coalesce(period.id, 0)::int);
            SELECT id, status INTO period FROM ledger_period WHERE last_date >= wanted.day ORDER BY last_date LIMIT 1;
        END IF;
        IF period.status = 'CLOSED' OR (period.status = 'CLOSING' AND NOT wanted.closes) THEN
            RAISE EXCEPTION '% lies in a period that is %', wanted.day, lower(period.status)
                USING ERRCODE = '23514', CONSTRAINT = 'period_closed', TABLE = TG_TABLE_NAME,
                      DETAIL = json_build_object(
                          'effective_date', wanted.day,
                          'first_open', (SELECT max(last_date) + 1 FROM ledger_period WHERE status <> 'OPEN'));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER transaction_period AFTER INSERT ON ledger_transaction REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_transaction_period();

-- Periods --------------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_period_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    fault text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger is written under READ COMMITTED only'
            USING ERRCODE = '23514', CONSTRAINT = 'transaction_isolation', TABLE = TG_TABLE_NAME;
    END IF;
    IF TG_OP = 'INSERT' THEN
        -- One after the other, and after postings into days that have no period yet.
        PERFORM pg_advisory_xact_lock(7411, 0);
        fault := CASE
            WHEN NEW.status <> 'OPEN' OR NEW.version <> 0 OR NEW.attempt <> 0 OR NEW.reopen_approval_id IS NOT NULL
                THEN 'period_fixed'
            WHEN NEW.first_date <> (SELECT max(last_date) + 1 FROM ledger_period) THEN 'period_order'
        END;
    ELSE
        IF NEW.status <> OLD.status THEN
            PERFORM pg_advisory_xact_lock(7411, 0), pg_advisory_xact_lock(7411, OLD.id::int);
        END IF;
        fault := CASE
            WHEN (NEW.id, NEW.public_id, NEW.first_date, NEW.last_date)
                IS DISTINCT FROM (OLD.id, OLD.public_id, OLD.first_date, OLD.last_date) THEN 'period_fixed'
            -- Who closed it and when, how often, who agreed that it was opened: that is said together with the change.
            -- Within one status only this changes: a soft close is let end. Softness of another status has its own refusal.
            WHEN NEW.status = OLD.status AND NEW IS DISTINCT FROM OLD AND NOT (OLD.soft AND NOT NEW.soft)
                AND NOT (NEW.soft AND NEW.status <> 'CLOSING') THEN 'period_fixed'
            WHEN NEW.reopen_approval_id IS DISTINCT FROM OLD.reopen_approval_id
                AND (OLD.status, NEW.status) <> ('CLOSED', 'OPEN') THEN 'period_fixed'
            WHEN (OLD.status, NEW.status) = ('OPEN', 'CLOSING') AND EXISTS (
                SELECT FROM ledger_period WHERE last_date < OLD.first_date AND status <> 'CLOSED') THEN 'period_order'
            WHEN (OLD.status, NEW.status) = ('CLOSED', 'OPEN') AND EXISTS (
                SELECT FROM ledger_period WHERE first_date > OLD.last_date AND status <> 'OPEN') THEN 'period_order'
            -- An approval that is being carried out right now: one of an earlier opening is used up.
            WHEN (OLD.status, NEW.status) = ('CLOSED', 'OPEN') AND (
                NEW.reopen_approval_id IS NOT DISTINCT FROM OLD.reopen_approval_id
                OR EXISTS (SELECT FROM backoffice_approval WHERE id = NEW.reopen_approval_id AND status <> 'PENDING')
                OR NOT coalesce(flowlet_approved(NEW.reopen_approval_id, 'ledger.reopen_period', OLD.public_id), false))
                THEN 'period_reopened_by_two'
            WHEN NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
                ('OPEN', 'CLOSING'), ('CLOSING', 'OPEN'), ('CLOSING', 'CLOSED'), ('CLOSED', 'OPEN'))
                THEN 'period_status_order'
        END;
        NEW.attempt := OLD.attempt + ((OLD.status, NEW.status) = ('OPEN', 'CLOSING'))::int;
        NEW.version := OLD.version + ((OLD.status, NEW.status) = ('CLOSING', 'CLOSED'))::int;
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION 'the change of period % is refused: %', NEW.public_id, fault
            USING ERRCODE = '23514', CONSTRAINT = fault, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER period_guard BEFORE INSERT OR UPDATE ON ledger_period
    FOR EACH ROW EXECUTE FUNCTION ledger_period_guard();
CREATE TRIGGER period_kept BEFORE DELETE ON ledger_period
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse('period_fixed');
CREATE TRIGGER period_kept_whole BEFORE TRUNCATE ON ledger_period
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('period_fixed');

-- The digest of one version's totals.
CREATE FUNCTION ledger_period_digest(period bigint, of_version int) RETURNS bytea LANGUAGE sql STABLE
    SET search_path = public, pg_temp AS $$
    SELECT sha256(convert_to(coalesce(string_agg(
        concat_ws(':', c.number, t.currency, t.debit, t.credit, t.closing), E'\n'
        ORDER BY c.number COLLATE "C", t.currency COLLATE "C"), ''), 'UTF8'))
    FROM ledger_periodtotal t JOIN ledger_chartaccount c ON c.id = t.chart_account_id
    WHERE t.period_id = period AND t.version = of_version
$$;

-- The closings are the database's own work, on the books as they stand under the period's lock: whoever sets CLOSED
-- gets true ones. They begin with those of the period before.
CREATE FUNCTION ledger_period_closed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before record;
    n bigint;
    faulty text;
BEGIN
    SELECT id, version, last_date INTO before FROM ledger_period
    WHERE last_date < NEW.first_date ORDER BY last_date DESC LIMIT 1;
    INSERT INTO ledger_periodbalance (period_id, version, account_id, currency, debit, credit, closing)
    SELECT NEW.id, NEW.version, account_id, currency, sum(debit), sum(credit), sum(net)
    FROM (
        SELECT account_id, currency, 0 AS debit, 0 AS credit, closing AS net
        FROM ledger_periodbalance WHERE period_id = before.id AND version = before.version
        UNION ALL
        SELECT account_id, currency, greatest(amount, 0), greatest(-amount, 0), amount
        FROM ledger_posting
        WHERE effective_date > coalesce(before.last_date, '-infinity') AND effective_date <= NEW.last_date
    ) AS booked
    GROUP BY account_id, currency HAVING sum(net) <> 0 OR sum(debit) <> 0;
    INSERT INTO ledger_periodtotal (period_id, version, chart_account_id, currency, debit, credit, closing)
    SELECT NEW.id, NEW.version, a.chart_account_id, b.currency, sum(b.debit), sum(b.credit), sum(b.closing)
    FROM ledger_periodbalance b JOIN ledger_account a ON a.id = b.account_id
    WHERE b.period_id = NEW.id AND b.version = NEW.version
    GROUP BY a.chart_account_id, b.currency;
    SELECT currency INTO faulty FROM ledger_periodtotal
    WHERE period_id = NEW.id AND version = NEW.version GROUP BY currency HAVING sum(closing) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % does not sum to zero in %', NEW.public_id, faulty
            USING ERRCODE = '23514', CONSTRAINT = 'period_zero', TABLE = TG_TABLE_NAME;
    END IF;
    SELECT count(*) INTO n FROM ledger_posting
    WHERE effective_date > coalesce(before.last_date, '-infinity') AND effective_date <= NEW.last_date;
    -- No block is made until this commits: the next one seals it.
    PERFORM pg_advisory_xact_lock(hashtext('ledger_seal'));
    INSERT INTO ledger_periodclosing (period_id, version, digest, postings, block_n, actor, closed_at)
    VALUES (NEW.id, NEW.version, ledger_period_digest(NEW.id, NEW.version), n,
            (SELECT coalesce(max(b.n), 0) + 1 FROM ledger_block AS b), NEW.changed_by, NEW.changed_at);
    RETURN NULL;
END $$;
CREATE TRIGGER period_closed AFTER UPDATE ON ledger_period FOR EACH ROW
    WHEN (OLD.status = 'CLOSING' AND NEW.status = 'CLOSED') EXECUTE FUNCTION ledger_period_closed();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_periodclosing', 'ledger_periodtotal', 'ledger_periodbalance'] LOOP
        EXECUTE format('CREATE TRIGGER period_guarded BEFORE INSERT ON %I FOR EACH ROW '
                       'WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse(''period_guarded'')', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['ledger_periodclosing', 'ledger_periodtotal', 'ledger_periodbalance', 'ledger_periodstep'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change()', name);
        EXECUTE format('CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', name);
    END LOOP;
END $$;

-- Manual journals ------------------------------------------------------------------------------------------------
-- What was posted under a journal's approval is the journal: same day, same legs. Judged at commit, when both are there.
CREATE FUNCTION ledger_manual_as_written() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM ledger_journaldraft d
        WHERE d.public_id = NEW.source_key AND d.transaction_id = NEW.id AND d.approval_id = NEW.approval_id
            AND d.effective_date = NEW.effective_date
            AND NOT EXISTS (
                SELECT FROM (SELECT account_id, sum(amount_minor) AS amount FROM ledger_journalline
                             WHERE draft_id = d.id GROUP BY account_id) AS line
                FULL JOIN (SELECT account_id, amount FROM ledger_posting WHERE transaction_id = NEW.id) AS leg
                    USING (account_id, amount)
                WHERE line.account_id IS NULL OR leg.account_id IS NULL)) THEN
        RAISE EXCEPTION 'transaction % is not what its journal says', NEW.public_id
            USING ERRCODE = '23514', CONSTRAINT = 'manual_as_written', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER manual_as_written AFTER INSERT ON ledger_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'MANUAL') EXECUTE FUNCTION ledger_manual_as_written();

CREATE FUNCTION ledger_journal_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status <> 'DRAFT' OR NEW.public_id <> OLD.public_id OR NEW.maker_id <> OLD.maker_id THEN
        RAISE EXCEPTION 'journal % is %', OLD.public_id, lower(OLD.status)
            USING ERRCODE = '23514', CONSTRAINT = 'journal_final', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_final BEFORE UPDATE OR DELETE ON ledger_journaldraft
    FOR EACH ROW EXECUTE FUNCTION ledger_journal_guard();
CREATE TRIGGER journal_final_whole BEFORE TRUNCATE ON ledger_journaldraft
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('journal_final');

CREATE FUNCTION ledger_journal_line_guard() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    final boolean;
BEGIN
    -- Waits for whoever posts the draft right now.
    SELECT bool_or(d.status <> 'DRAFT') INTO final
    FROM (SELECT status FROM ledger_journaldraft WHERE id IN (OLD.draft_id, NEW.draft_id) FOR SHARE) AS d;
    IF final THEN
        RAISE EXCEPTION 'the lines of a journal are final with it'
            USING ERRCODE = '23514', CONSTRAINT = 'journal_final', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER journal_line_final BEFORE INSERT OR UPDATE OR DELETE ON ledger_journalline
    FOR EACH ROW EXECUTE FUNCTION ledger_journal_line_guard();
CREATE TRIGGER journal_line_final_whole BEFORE TRUNCATE ON ledger_journalline
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('journal_final');
