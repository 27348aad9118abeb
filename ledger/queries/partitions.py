"""Whether the postings are parted by month, and how many there are about."""

from django.db import connection


def is_partitioned() -> bool:
    """Tell whether the postings are parted by month."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_posting_is_partitioned()")
        return bool(cursor.fetchone()[0])


def estimated_postings() -> int:
    """Return the number of postings as the database estimates it, without counting."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_class AS c"
            " WHERE c.oid = 'ledger_posting'::regclass"
            " OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger_posting'::regclass)"
        )
        return int(cursor.fetchone()[0])
