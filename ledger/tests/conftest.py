"""People at their desks."""

from collections.abc import Callable

import pytest
from django.test import Client

from flowlet.backoffice import access
from flowlet.core import clock
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
