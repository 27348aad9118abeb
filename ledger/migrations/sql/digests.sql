-- What every row of the ledger is signed with, and the message that is signed. The guards of guards.sql and holds.sql
-- sign at insert, verify.sql computes the same messages again. Without the pads nobody makes a digest that fits.

-- Pads and not keys, since HMAC needs no more. No grants: only functions that run as their owner read them. Leave the
-- data of both tables out of dumps (`manage.py ledger_key export` keeps it apart).
CREATE TABLE ledger_keypad (
    key_id integer PRIMARY KEY,
    inner_pad bytea NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64),
    installed_at timestamptz NOT NULL DEFAULT now()
);
-- The one row every posting reads: the newest key, and the epoch. xids start again when the data is restored into
-- another cluster; the sealer sees that by the cluster's identifier and begins the next epoch. No index: one page.
CREATE TABLE ledger_signer (
    key_id integer NOT NULL,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    epoch smallint NOT NULL,
    cluster bigint NOT NULL,
    -- Rows of older epochs are looked for until every transaction that may have written one is over.
    older_until bigint,
    older_sealed boolean NOT NULL
);
REVOKE ALL ON ledger_keypad, ledger_signer FROM PUBLIC;

-- Keep a key of 32 bytes and sign with it from now on. A number that is taken keeps its key.
CREATE FUNCTION ledger_key_install(number integer, key bytea) RETURNS void LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
DECLARE
    inner_bytes bytea := decode(repeat('36', 64), 'hex');
    outer_bytes bytea := decode(repeat('5c', 64), 'hex');
    latest smallint;
BEGIN
    IF length(key) <> 32 THEN
        RAISE EXCEPTION 'a key has 32 bytes, not %', length(key);
    END IF;
    FOR place IN 0 .. 31 LOOP
        inner_bytes := set_byte(inner_bytes, place, get_byte(inner_bytes, place) # get_byte(key, place));
        outer_bytes := set_byte(outer_bytes, place, get_byte(outer_bytes, place) # get_byte(key, place));
    END LOOP;
    INSERT INTO ledger_keypad (key_id, inner_pad, outer_pad) VALUES (number, inner_bytes, outer_bytes);
    UPDATE ledger_signer SET key_id = number, inner_pad = inner_bytes, outer_pad = outer_bytes;
    IF NOT FOUND THEN
        -- The first key of all, or the first after a restore that left this row out: that begins an epoch too.
        latest := greatest((SELECT max(epoch) FROM ledger_transaction), (SELECT max(epoch) FROM ledger_holdevent));
        INSERT INTO ledger_signer (key_id, inner_pad, outer_pad, epoch, cluster, older_sealed)
        SELECT number, inner_bytes, outer_bytes, coalesce(latest, 0) + 1, system_identifier, latest IS NULL
        FROM pg_control_system();
    END IF;
END $$;
REVOKE ALL ON FUNCTION ledger_key_install(integer, bytea) FROM PUBLIC;
-- The first key. gen_random_uuid draws 122 bits each from the system's own source.
SELECT ledger_key_install(1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
                                    || uuid_send(gen_random_uuid())));

-- Messages: a version tag, integers of fixed width (dates as days, instants as microseconds), text behind its length,
-- NULL with a mark of its own. Nothing depends on a session's settings. STABLE, so that they are inlined.
CREATE FUNCTION ledger_part(value text) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN '\xffffffff'::bytea
                ELSE int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8') END
$$;
CREATE FUNCTION ledger_part(value bytea) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN '\xffffffff'::bytea ELSE int4send(length(value)) || value END
$$;
CREATE FUNCTION ledger_part(value bigint) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN '\x00'::bytea ELSE '\x01'::bytea || int8send(value) END
$$;

-- Words enter by their salted digest, so that they can be erased.
CREATE FUNCTION ledger_transaction_message(
    id bigint, public_id text, kind text, source text, source_key text, fingerprint bytea, effective_date date,
    leg_count integer, reverses_id bigint, approval_id bigint, quote text, fx_rate numeric, actor text, context jsonb,
    text_digest bytea, xid bigint, epoch smallint, posted_at timestamptz, key_id integer
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '\x0154'::bytea || int8send(id) || ledger_part(public_id) || ledger_part(kind) || ledger_part(source)
        || ledger_part(source_key) || ledger_part(fingerprint) || date_send(effective_date) || int4send(leg_count)
        || ledger_part(reverses_id) || ledger_part(approval_id) || ledger_part(quote) || ledger_part(fx_rate::text)
        || ledger_part(actor) || ledger_part(context::text)
        || ledger_part(text_digest) || int8send(xid) || int2send(epoch) || timestamptz_send(posted_at) || int4send(key_id)
$$;

CREATE FUNCTION ledger_posting_message(
    id bigint, transaction_id bigint, leg integer, account_id bigint, currency text, amount bigint,
    effective_date date, balance_after bigint, held_after bigint, account_seq bigint, posted_at timestamptz,
    key_id integer
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '\x0150'::bytea || int8send(id) || int8send(transaction_id) || int4send(leg) || int8send(account_id)
        || ledger_part(currency) || int8send(amount) || date_send(effective_date) || int8send(balance_after)
        || int8send(held_after) || int8send(account_seq) || timestamptz_send(posted_at) || int4send(key_id)
$$;

-- An event signs its hold with it: an edited hold shows in all of its events.
CREATE FUNCTION ledger_hold_event_message(
    h ledger_hold, id bigint, kind text, delta_minor bigint, open_after_minor bigint, transaction text,
    source_key text, actor text, recorded_at timestamptz, xid bigint, epoch smallint, key_id integer
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '\x0148'::bytea || int8send(h.id) || ledger_part(h.public_id) || int8send(h.account_id)
        || ledger_part(h.direction) || int8send(h.amount_minor) || ledger_part(h.currency) || ledger_part(h.source)
        || ledger_part(h.source_key) || ledger_part(timestamptz_send(h.expires_at)) || ledger_part(h.actor)
        || timestamptz_send(h.placed_at)
        || int8send(id) || ledger_part(kind) || int8send(delta_minor) || int8send(open_after_minor)
        || ledger_part(transaction) || ledger_part(source_key) || ledger_part(actor)
        || timestamptz_send(recorded_at) || int8send(xid) || int2send(epoch) || int4send(key_id)
$$;

CREATE FUNCTION ledger_block_message(
    n bigint, epoch smallint, floor_xid bigint, transactions integer, hold_events integer, sealed_at timestamptz,
    key_id integer, previous bytea, digests bytea
) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '\x0142'::bytea || int8send(n) || int2send(epoch) || int8send(floor_xid) || int4send(transactions)
        || int4send(hold_events) || timestamptz_send(sealed_at) || int4send(key_id)
        || ledger_part(previous) || ledger_part(digests)
$$;
