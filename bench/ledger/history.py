"""A ledger's past at once, as a restore would bring it: no guard is asked, and none of it changes afterwards."""

from collections.abc import Sequence

from django.db import connection

from bench.ways import ACCOUNTS, ledger_accounts

# Each account takes its legs in turn, so that numbers within it have no gap; ids leave room for what is there already.
_FILL = (
    "SET session_replication_role = replica",
    """
    INSERT INTO ledger_transaction (id, public_id, kind, source, source_key, fingerprint, effective_date, leg_count,
                                    actor, context, quote, xid, epoch, key_id, mac, posted_at)
    OVERRIDING SYSTEM VALUE
    SELECT %(base)s + n, 'txn_' || lpad(n::text, 26, '0'), 'TRANSFER', 'history', lpad(n::text, 12, '0'), '', day::date, 2,
           'SYSTEM:bench', '{}', '', 1, 0, 1, '', day
    FROM (SELECT n, timestamptz '2026-01-01' + n * (interval '300 days' / %(n)s) AS day
          FROM generate_series(1, %(n)s) AS n) AS t
    """,
    """
    INSERT INTO ledger_posting (transaction_id, leg, account_id, currency, amount, effective_date, balance_after,
                                held_after, account_seq, posted_at, key_id, mac)
    SELECT %(base)s + n, leg, a.ids[1 + (n + leg * %(half)s) %% %(accounts)s], 'EUR', 3 - 2 * leg, day::date, 1000, 0,
           1000 + 2 * (n / %(accounts)s) + leg, day, 1, ''
    FROM (SELECT n, timestamptz '2026-01-01' + n * (interval '300 days' / %(n)s) AS day
          FROM generate_series(1, %(n)s) AS n) AS t,
         generate_series(1, 2) AS leg, (SELECT %(ids)s::bigint[] AS ids) AS a
    """,
    "UPDATE ledger_balance SET seq = 1010 + 2 * (%(n)s / %(accounts)s) WHERE account_id = ANY (%(ids)s)",
    "SELECT setval(pg_get_serial_sequence('ledger_transaction', 'id'), %(base)s + %(n)s)",
    "SET session_replication_role = DEFAULT",
    "CHECKPOINT",
)


def fill(postings: int) -> Sequence[int]:
    """Give a thousand funded wallets a past of so many postings, ten months of it; return the wallets' ids."""
    wallets = ledger_accounts()
    values: dict[str, int | list[int]] = {
        "base": 1_000_000,
        "n": postings // 2,
        "accounts": ACCOUNTS,
        "half": ACCOUNTS // 2,
        "ids": list(wallets),
    }
    with connection.cursor() as cursor:
        for sql in _FILL:
            cursor.execute(sql, values)
    return wallets
