"""The advisory lock between screening (shared) and the switch of a list (exclusive); held until the transaction ends."""

from django.db import connection

# Any fixed number that no other advisory lock uses: the bytes of "screen".
_LISTS_KEY = 0x73637265656E


def lock_lists_shared() -> None:
    """Hold the live lists still until this transaction ends."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s)")


def lock_lists_exclusively() -> None:
    """Wait until nobody is being screened, and keep screening out until this transaction ends."""
    _execute("SELECT pg_advisory_xact_lock(%s)")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [_LISTS_KEY])
