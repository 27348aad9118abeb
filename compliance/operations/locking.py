"""Advisory locks, held until the transaction ends: lists against screening, and one worker for a customer's alerts."""

from collections.abc import Sequence

from django.db import connection

# Any fixed number that no other advisory lock uses: the bytes of "screen".
_LISTS_KEY = 0x73637265656E
# The bytes of "aml", above every key of a customer.
_CUSTOMERS_BASE = 0x616D6C << 36


def lock_lists_shared() -> None:
    """Hold the live lists still until this transaction ends."""
    _execute("SELECT pg_advisory_xact_lock_shared(%s)")


def lock_lists_exclusively() -> None:
    """Wait until nobody is being screened, and keep screening out until this transaction ends."""
    _execute("SELECT pg_advisory_xact_lock(%s)")


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [_LISTS_KEY])


def lock_customers(customer_ids: Sequence[int]) -> None:
    """Keep others from the alerts of these customers until commit; not by the customers' rows, which payments need."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s + pk) FROM (SELECT unnest(%s::bigint[]) AS pk ORDER BY 1) AS sorted",
            [_CUSTOMERS_BASE, sorted(customer_ids)],
        )
