"""Help for migrations that carry plain SQL in files beside them."""

from pathlib import Path

from django.db import migrations


def sql_file(migration: str, name: str) -> migrations.RunSQL:
    """
    Run `sql/<name>.sql` beside the migration file (pass its `__file__`) forward, `sql/<name>_reverse.sql` back.

    :raises FileNotFoundError: if either is missing, at import, so that a one-way migration cannot be written
    """
    folder = Path(migration).parent / "sql"
    forward = (folder / f"{name}.sql").read_text()
    backward = (folder / f"{name}_reverse.sql").read_text()
    return migrations.RunSQL(forward, backward)
