-- Postings by month, for ledgers that have grown past some fifty million of them. Nothing is partitioned at first:
-- ledger_partition_postings() does it once, run by the owner while nobody posts; the postings there are stay where they
-- are, as the first partition. Unique keys then hold per partition; the guards carry them over the whole (account_seq
-- comes from the balance row, legs come complete with a header of their own transaction).

CREATE FUNCTION ledger_posting_is_partitioned() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT relkind = 'p' FROM pg_class WHERE oid = 'ledger_posting'::regclass
$$;

-- What a statement trigger on the whole does not see: a statement that names a partition. Rights are given on the whole
-- only; these hold for the owner too.
CREATE FUNCTION ledger_guard_partition(partition text) RETURNS void LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER posting_whole_direct AFTER INSERT ON %I REFERENCING NEW TABLE AS inserted '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ledger_posting_whole()', partition);
    EXECUTE format('CREATE TRIGGER posting_append_only_direct BEFORE TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION flowlet_refuse_change()', partition);
END $$;

-- Make the partitions of this month and the `ahead` months after it that are missing; return how many were made.
CREATE FUNCTION ledger_make_partitions(ahead int) RETURNS int LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month date;
    made int := 0;
    partition text;
    covered timestamptz;
BEGIN
    IF NOT ledger_posting_is_partitioned() THEN
        RETURN 0;
    END IF;
    -- Two schedulers: the second waits and finds them made.
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_make_partitions', 0));
    SELECT max(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz) INTO covered
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'ledger_posting'::regclass;
    FOR month IN
        SELECT generate_series(date_trunc('month', now() AT TIME ZONE 'UTC'),
                               date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead),
                               '1 month')::date
    LOOP
        CONTINUE WHEN month::timestamp AT TIME ZONE 'UTC' < covered;
        partition := 'ledger_posting_' || to_char(month, 'YYYY_MM');
        EXECUTE format('CREATE TABLE %I PARTITION OF ledger_posting FOR VALUES FROM (%L) TO (%L)', partition,
                       month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
        PERFORM ledger_guard_partition(partition);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION ledger_partition_postings() RETURNS int LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    bound timestamptz := (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
    latest timestamptz;
    next_id bigint;
    triggers text[];
    indexes text[];
    item record;
BEGIN
    IF ledger_posting_is_partitioned() THEN
        RAISE EXCEPTION 'the postings are partitioned already' USING ERRCODE = '55000';
    END IF;
    LOCK TABLE ledger_posting IN ACCESS EXCLUSIVE MODE;
    SELECT max(posted_at), coalesce(max(id), 0) + 1 INTO latest, next_id FROM ledger_posting;
    IF latest >= bound THEN
        RAISE EXCEPTION 'a posting lies beyond this month: %', latest USING ERRCODE = '55000';
    END IF;
    FOR item IN SELECT conrelid::regclass AS referring FROM pg_constraint
        WHERE confrelid = 'ledger_posting'::regclass AND contype = 'f'
    LOOP
        RAISE EXCEPTION 'a foreign key of % stands in the way', item.referring USING ERRCODE = '55000';
    END LOOP;
    SELECT array_agg(pg_get_triggerdef(oid) ORDER BY tgname) INTO triggers
    FROM pg_trigger WHERE tgrelid = 'ledger_posting'::regclass AND NOT tgisinternal;
    SELECT array_agg(pg_get_indexdef(i.indexrelid)) INTO indexes
    FROM pg_index AS i
    WHERE i.indrelid = 'ledger_posting'::regclass
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid);

    FOR item IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'ledger_posting'::regclass AND NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON ledger_posting', item.tgname);
    END LOOP;
    -- Names of indexes are unique over the schema: the old ones make room.
    FOR item IN SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = 'ledger_posting'::regclass
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', item.relname, left(item.relname, 56) || '_before');
    END LOOP;
    ALTER TABLE ledger_posting ALTER COLUMN id DROP IDENTITY;
    ALTER TABLE ledger_posting RENAME TO ledger_posting_before;

    CREATE TABLE ledger_posting (LIKE ledger_posting_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
        PARTITION BY RANGE (posted_at);
    ALTER TABLE ledger_posting ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
    PERFORM setval(pg_get_serial_sequence('ledger_posting', 'id'), next_id, false);
    ALTER TABLE ledger_posting ADD PRIMARY KEY (id, posted_at);
    ALTER TABLE ledger_posting ADD CONSTRAINT posting_leg_once UNIQUE (transaction_id, leg, posted_at);
    ALTER TABLE ledger_posting ADD CONSTRAINT posting_seq_once UNIQUE (account_id, account_seq, posted_at);
    IF indexes IS NOT NULL THEN
        FOR item IN SELECT unnest(indexes) AS def LOOP
            EXECUTE item.def;
        END LOOP;
    END IF;
    -- The partition's own primary key goes: a table may have one, and the whole's is (id, posted_at).
    ALTER TABLE ledger_posting_before DROP CONSTRAINT IF EXISTS ledger_posting_pkey_before;
    EXECUTE format('ALTER TABLE ledger_posting ATTACH PARTITION ledger_posting_before FOR VALUES FROM (MINVALUE) TO (%L)',
                   bound);
    -- Ids stay unique among the postings that were there before.
    CREATE UNIQUE INDEX ledger_posting_before_id ON ledger_posting_before (id);
    FOR item IN SELECT unnest(triggers) AS def LOOP
        EXECUTE item.def;
    END LOOP;
    PERFORM ledger_guard_partition('ledger_posting_before');
    RETURN ledger_make_partitions(3);
END $$;
REVOKE EXECUTE ON FUNCTION ledger_partition_postings() FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION ledger_guard_partition(text) FROM PUBLIC;
