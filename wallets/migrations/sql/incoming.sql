-- ISO 7064, MOD 97-10, of what begins with two letters and two check digits: they go to the end, letters become 10 to 35.
CREATE FUNCTION wallets_mod97(code text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog AS $$
    SELECT mod(string_agg(CASE WHEN sign ~ '[0-9]' THEN sign ELSE (ascii(sign) - 55)::text END, '' ORDER BY place)::numeric,
               97)::integer
    FROM regexp_split_to_table(substr(code, 5) || substr(code, 1, 4), '') WITH ORDINALITY AS signs (sign, place)
$$;
ALTER TABLE wallets_incomingreference ADD CONSTRAINT incomingreference_valid CHECK (
    CASE WHEN (kind = 'CODE' AND reference ~ '^RF(0[2-9]|[1-8][0-9]|9[0-8])[0-9]{12}$')
           OR (kind = 'IBAN' AND reference ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$' AND reference !~ '^RF')
         THEN public.wallets_mod97(reference) = 1 ELSE false END);

-- A reference keeps its wallet and its code; it is retired once, for good.
CREATE FUNCTION wallets_keep_reference() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'ACTIVE' OR NEW.state <> 'RETIRED'
        OR (to_jsonb(OLD) - ARRAY['state', 'retired_at', 'retired_by'])
           IS DISTINCT FROM (to_jsonb(NEW) - ARRAY['state', 'retired_at', 'retired_by']) THEN
        RAISE EXCEPTION 'a reference is retired once, and nothing else about it changes'
            USING ERRCODE = '23514', CONSTRAINT = 'incomingreference_kept', TABLE = 'wallets_incomingreference';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_incomingreference_keep BEFORE UPDATE OR DELETE ON wallets_incomingreference
    FOR EACH ROW EXECUTE FUNCTION wallets_keep_reference();
CREATE TRIGGER wallets_incomingreference_refuse_truncate BEFORE TRUNCATE ON wallets_incomingreference
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- What came in by a reference is the line's whole amount, credited to the wallet of that reference while it was active.
CREATE FUNCTION wallets_transfer_fits() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (
            SELECT FROM wallets_deposit d
            JOIN wallets_incomingreference r ON r.wallet_id = d.wallet_id AND r.state = 'ACTIVE'
            JOIN ledger_bankline b ON (b.amount_minor, b.currency) = (d.amount_minor, d.currency)
            WHERE d.id = NEW.deposit_id AND r.id = NEW.reference_id AND b.id = NEW.line_id
                AND d.source = 'TRANSFER' AND d.status = 'COMPLETED') THEN
        RAISE EXCEPTION 'a transfer is a line''s whole amount, credited by an active reference to its wallet'
            USING ERRCODE = '23514', CONSTRAINT = 'incomingtransfer_fits', TABLE = 'wallets_incomingtransfer';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER wallets_incomingtransfer_fits BEFORE INSERT ON wallets_incomingtransfer
    FOR EACH ROW EXECUTE FUNCTION wallets_transfer_fits();
CREATE TRIGGER wallets_incomingtransfer_append_only BEFORE UPDATE OR DELETE ON wallets_incomingtransfer
    FOR EACH ROW EXECUTE FUNCTION flowlet_refuse_change();
CREATE TRIGGER wallets_incomingtransfer_append_only_whole BEFORE TRUNCATE ON wallets_incomingtransfer
    FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change();

-- A deposit that says it came by a transfer has its line: asked at commit.
CREATE FUNCTION wallets_deposit_has_line() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM wallets_incomingtransfer WHERE deposit_id = NEW.id) THEN
        RAISE EXCEPTION 'a deposit by bank transfer needs the line of the bank'
            USING ERRCODE = '23514', CONSTRAINT = 'deposit_has_line', TABLE = 'wallets_deposit';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wallets_deposit_has_line AFTER INSERT ON wallets_deposit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.source = 'TRANSFER') EXECUTE FUNCTION wallets_deposit_has_line();
