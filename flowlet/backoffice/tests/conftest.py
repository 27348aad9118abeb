"""People who are logged in, for the pages of the back office."""

from collections.abc import Callable

import pytest
from django.test import Client

from flowlet.backoffice import access
from flowlet.core import clock
from flowlet.identity.models import User


def log_in(user: User) -> Client:
    """Return a browser of a member of staff who has just logged in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[access.STARTED] = clock.now().isoformat()
    session[access.VERSION] = user.security_version
    session.save()
    return client


@pytest.fixture
def desk() -> Callable[[User], Client]:
    return log_in


@pytest.fixture
def ops_desk(ops: User) -> Client:
    return log_in(ops)


@pytest.fixture
def auditor_desk(auditor: User) -> Client:
    return log_in(auditor)


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root@house.example", "correct-horse-battery", full_name="Robin Ek")


@pytest.fixture
def root_desk(superuser: User) -> Client:
    return log_in(superuser)
