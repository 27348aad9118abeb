"""Keeping months ready where postings are parted by month."""

from django.db import connection

AHEAD = 3


def make_months() -> int:
    """Make this month's part and those of the next three that are missing; return how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_make_partitions(%s)", [AHEAD])
        return int(cursor.fetchone()[0])
