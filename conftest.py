"""Fixtures for every test: a fixed clock, people, and a flush that the append-only guards allow."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from django_redis import get_redis_connection
from pytest_django.plugin import DjangoDbBlocker

from compliance.operations.monitoring_versions import install_scenarios
from flowlet.audit.trail import Actor, acting
from flowlet.identity import operations
from flowlet.identity.models import Customer, Partner, User
from wallets.limits import install as install_limits

pytest_plugins = ["flowlet.integrations.tests.plugin"]
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
PASSWORD = "correct-horse-battery"
# Filled by migrations, needed by every test: they survive the flush.
_SEEDED = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
    "ledger_currency",
    "ledger_chartaccount",
    "ledger_keypad",
    "ledger_signer",
    "compliance_riskmodelversion",
    "fraud_featureset",
    "fraud_policyversion",
    "fraud_ruleversion",
}


# Filled by migrations too, but their rows refer to tables that a flush empties: put back when a test changed them.
_INSTALLED = ("wallets_limitrule", "compliance_scenarioversion")
_installed_as: dict[str, str] = {}
_OWNED_SEQUENCES = """
    SELECT owner.relname, sequence.oid::regclass::text, parameters.seqstart
    FROM pg_sequence parameters
    JOIN pg_class sequence ON sequence.oid = parameters.seqrelid
    JOIN pg_depend held ON held.objid = sequence.oid AND held.deptype IN ('a', 'i') AND held.refobjsubid > 0
    JOIN pg_class owner ON owner.oid = held.refobjid
    WHERE pg_sequence_last_value(sequence.oid::regclass) IS NOT NULL
"""


def _flush(_self: TransactionTestCase) -> None:
    """
    Empty what a test wrote but the seeded tables, as a superuser whose triggers rest: both are refused otherwise.

    A TRUNCATE of all tables makes a thousand new files and takes ten times as long.
    """
    with connection.cursor() as cursor:
        kept = _SEEDED | {name for name in _INSTALLED if _content(name) == _installed_as.get(name)}
        names = [name for name in connection.introspection.table_names(cursor) if name not in kept]
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names)
        )
        written = [name for (name,) in cursor.fetchall()]
        cursor.execute(_OWNED_SEQUENCES)
        moved = [(sequence, start) for owner, sequence, start in cursor.fetchall() if owner not in kept]
        cursor.execute(
            "SET session_replication_role = replica; "
            + "".join(f'DELETE FROM "{name}"; ' for name in written)
            + "".join(f"SELECT setval('{sequence}', {start}, false); " for sequence, start in moved)
            + "SET session_replication_role = DEFAULT"
        )
    if not set(_INSTALLED) <= kept:
        install_limits()
        install_scenarios(now=NOW)
        _installed_as.update({name: _content(name) for name in _INSTALLED})


def _content(table: str) -> str:
    """Return a digest of all rows of a small table."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT md5(coalesce(string_agg(r::text, chr(10) ORDER BY r::text), '')) FROM \"{table}\" r"
        )
        return str(cursor.fetchone()[0])


TransactionTestCase._fixture_teardown = _flush


@pytest.fixture(scope="module")
def once_per_module(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[DjangoDbBlocker]:
    """
    Let fixtures of a module write rows once for all its tests: each test rolls back to them, the last to before them.

    Write within `with once_per_module.unblock():`. Not for modules that have tests with `transaction=True`.
    """
    rows = transaction.atomic()
    rows._from_testcase = (
        True  # as the block around each test: what the code under test opens inside is outermost
    )
    with django_db_blocker.unblock():
        rows.__enter__()
    yield django_db_blocker
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        rows.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    yield
    # Never cache.clear(): it empties the whole Redis, also under the feet of other workers.
    redis = get_redis_connection("default")
    for key in redis.scan_iter(f"{settings.CACHES['default']['KEY_PREFIX']}:*"):
        redis.delete(key)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def partner(db: None) -> Partner:
    return operations.create_partner(name="Northwind Pay", country="DE", now=NOW)


@pytest.fixture
def other_partner(db: None) -> Partner:
    return operations.create_partner(name="Southgate Market", country="GB", now=NOW)


@pytest.fixture
def customer(partner: Partner) -> Customer:
    return operations.create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name="Mirela",
        family_name="Sandvik",
        country="NO",
        now=NOW,
    )


def _staff(role: str, name: str) -> User:
    email = f"{name.split(maxsplit=1)[0].lower()}@house.example"
    return operations.create_user(email=email, full_name=name, password=PASSWORD, roles=[role])


@pytest.fixture
def officer(db: None) -> User:
    return _staff("officer", "Ilse Marten")


@pytest.fixture
def second_officer(db: None) -> User:
    return _staff("lead", "Oskar Lind")


@pytest.fixture
def lead(db: None) -> User:
    """Lead compliance: the second person of cases and reports, who wrote to none."""
    return _staff("lead", "Grete Holm")


@pytest.fixture
def ops(db: None) -> User:
    return _staff("ops", "Paula Reis")


@pytest.fixture
def finance(db: None) -> User:
    return _staff("finance", "Henk Visser")


@pytest.fixture
def auditor(db: None) -> User:
    return _staff("auditor", "Nora Weiss")


@pytest.fixture
def as_officer(officer: User) -> Iterator[User]:
    with acting(Actor("STAFF", officer.public_id, officer.full_name)):
        yield officer
