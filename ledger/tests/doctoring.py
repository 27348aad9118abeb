"""Changing the ledger as a superuser can: with all triggers at rest."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# A superuser can take these away too; the signature shall need none of them.
UNCHECKED = (
    "ALTER TABLE ledger_hold DROP CONSTRAINT hold_direction",
    "ALTER TABLE ledger_holdevent DROP CONSTRAINT hold_event_sign, DROP CONSTRAINT hold_event_capture",
)


@contextmanager
def as_superuser(*statements: str) -> Iterator[None]:
    """Run statements while all triggers rest, and take them back afterwards."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("SET session_replication_role = DEFAULT")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        transaction.set_rollback(True)


def columns(table: str) -> list[tuple[str, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, coalesce(character_maximum_length, 0) FROM information_schema.columns"
            " WHERE table_name = %s AND table_schema = 'public' ORDER BY ordinal_position",
            [table],
        )
        return list(cursor.fetchall())
