"""People at their desks."""

from collections.abc import Callable

import pytest
from django.test import Client

from flowlet.backoffice import access
from flowlet.core import clock
from flowlet.identity import operations
from flowlet.identity.models import User


def _log_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[access.STARTED] = clock.now().isoformat()
    session[access.VERSION] = user.security_version
    session.save()
    return client


@pytest.fixture
def desk() -> Callable[[User], Client]:
    return _log_in


def _lead(name: str) -> User:
    email = f"{name.split(maxsplit=1)[0].lower()}@house.example"
    return operations.create_user(
        email=email, full_name=name, password="correct-horse-battery", roles=["finance_lead"]
    )


@pytest.fixture
def finance_lead(db: None) -> User:
    return _lead("Grete Holm")


@pytest.fixture
def second_lead(db: None) -> User:
    return _lead("Tomas Vane")
