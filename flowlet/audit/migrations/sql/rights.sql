-- What the application may do to a table, read off its guards: a table that refuses UPDATE and DELETE gets SELECT and
-- INSERT only. The guards stop the owner too; this stops an application whose SQL somebody else writes, before any
-- guard is asked, and takes TRUNCATE, ALTER and DROP from it. `guarded` gives for tables that the guards themselves write
-- the columns left to the application (no INSERT, no DELETE), `fixed` for tables that the application fills the columns
-- it may change (no DELETE), `hidden` names tables it may not even read.
CREATE FUNCTION flowlet_grant_rights(role name, guarded jsonb, fixed jsonb, hidden text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    t record;
    columns text;
BEGIN
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM %I', role);
    EXECUTE format('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', role);
    EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO %I', role);
    FOR t IN
        SELECT c.oid, c.relname,
               -- Bits of tgtype: 8 DELETE, 16 UPDATE.
               coalesce(bit_or(g.tgtype::int) FILTER (WHERE p.proname = 'flowlet_refuse_change'), 0) & 16 > 0 AS no_update,
               coalesce(bit_or(g.tgtype::int) FILTER (WHERE p.proname IN ('flowlet_refuse_change', 'ledger_refuse')), 0)
                   & 8 > 0 AS no_delete
        FROM pg_class AS c
        LEFT JOIN pg_trigger AS g ON g.tgrelid = c.oid AND NOT g.tgisinternal
        LEFT JOIN pg_proc AS p ON p.oid = g.tgfoid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        GROUP BY c.oid, c.relname
    LOOP
        CONTINUE WHEN t.relname = ANY (hidden);
        EXECUTE format('GRANT SELECT ON %I TO %I', t.relname, role);
        CONTINUE WHEN t.relname = 'django_migrations';
        IF guarded ? t.relname OR fixed ? t.relname THEN
            SELECT string_agg(quote_ident(value), ', ') INTO columns
            FROM jsonb_array_elements_text(coalesce(guarded -> t.relname, fixed -> t.relname));
            IF columns IS NOT NULL THEN
                EXECUTE format('GRANT UPDATE (%s) ON %I TO %I', columns, t.relname, role);
            END IF;
            IF fixed ? t.relname THEN
                EXECUTE format('GRANT INSERT ON %I TO %I', t.relname, role);
            END IF;
            CONTINUE;
        END IF;
        EXECUTE format('GRANT INSERT ON %I TO %I', t.relname, role);
        IF NOT t.no_update THEN
            EXECUTE format('GRANT UPDATE ON %I TO %I', t.relname, role);
        END IF;
        IF NOT t.no_delete THEN
            EXECUTE format('GRANT DELETE ON %I TO %I', t.relname, role);
        END IF;
    END LOOP;
END $$;
