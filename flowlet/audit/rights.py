"""
What the application may do in the database: the rights of one role, given anew after each migration.

The owner migrates; web, worker and scheduler act as the role that DATABASE_ROLE names (settings), which cannot change
or delete what is append-only, nor write what the guards write. Where the owner may not make roles, an administrator
makes it once: docs/operators.md.
"""

import json
import logging
from typing import Any

from django.db import connections, transaction

ROLE = "flowlet_app"
# Tables that guards write: the columns which the application may change, by table. Rooms add theirs when they start.
GUARDED: dict[str, tuple[str, ...]] = {}
# Tables that the application fills, and of which it may change these columns only.
FIXED: dict[str, tuple[str, ...]] = {}
# Tables which the application may not even read.
HIDDEN: set[str] = set()

# Several databases of one cluster may be migrated at once: whoever comes second finds the role there.
_MAKE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
"""
_MAY_MAKE = """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s), rolsuper OR rolcreaterole, rolsuper
FROM pg_roles WHERE rolname = current_user
"""
_log = logging.getLogger(__name__)


def grant_rights(*, using: str = "default", **_signal: Any) -> None:
    """
    Make the role where it is missing and give it its rights on every table there is; a receiver of `post_migrate`.

    An owner that may not make roles leaves a warning, and everything else works as before.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT to_regprocedure('flowlet_grant_rights(name, jsonb, jsonb, text[])') IS NOT NULL"
        )
        if not cursor.fetchone()[0]:
            return  # migrated back to nothing
        cursor.execute(_MAY_MAKE, [ROLE])
        there, may_make, superuser = cursor.fetchone()
        if not there and not may_make:
            _log.warning("the role %s is missing and the owner may not make it", ROLE)
            return
        cursor.execute(_MAKE)
        if not superuser and may_make:
            cursor.execute(f"GRANT {ROLE} TO CURRENT_USER WITH SET TRUE")
        cursor.execute(
            "SELECT flowlet_grant_rights(%s, %s, %s, %s)",
            [ROLE, json.dumps(GUARDED), json.dumps(FIXED), sorted(HIDDEN)],
        )
