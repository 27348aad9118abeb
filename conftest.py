"""Fixtures for every test: a fixed clock, people, and a flush that the append-only guards allow."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from django_redis import get_redis_connection

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


def _flush(_self: TransactionTestCase) -> None:
    """Empty all tables but the seeded ones, as a superuser whose triggers rest: TRUNCATE is refused otherwise."""
    tables = [name for name in connection.introspection.table_names() if name not in _SEEDED]
    names = ", ".join(connection.ops.quote_name(name) for name in tables)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY")
        cursor.execute("SET session_replication_role = DEFAULT")
    # The rules of limits refer to partners, so they cannot outlive the flush: put them back as a migration does.
    install_limits()
    # Not among the seeded: versions refer to approvals, which a TRUNCATE cannot take without them.
    install_scenarios(now=NOW)


TransactionTestCase._fixture_teardown = _flush


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
