"""Throw-away databases: one is migrated, each part of a run measures in a copy of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def migrated() -> Iterator[None]:
    """Make an empty, migrated database, connected meanwhile and dropped in the end."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


@contextmanager
def copied(suffix: str) -> Iterator[str]:
    """Copy the database that is connected and connect to the copy, which is dropped in the end; yields its name."""
    original = connection.settings_dict["NAME"]
    connection.creation.clone_test_db(suffix, verbosity=0, autoclobber=True)
    connect(connection.creation.get_test_db_clone_settings(suffix)["NAME"])
    try:
        yield connection.settings_dict["NAME"]
    finally:
        connect(original)
        connection.creation.destroy_test_db(verbosity=0, suffix=suffix)


def connect(name: str) -> None:
    """Use the database of that name from now on."""
    connection.close()
    connection.settings_dict["NAME"] = name
