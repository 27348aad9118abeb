"""The command that lets a new colleague in."""

import io

import pytest
from django.core.management import CommandError, call_command

from conftest import PASSWORD
from flowlet.audit.models import AuditRecord
from flowlet.identity.models import User

pytestmark = pytest.mark.django_db


def _create(monkeypatch, password, email="Jo@house.example", role="ops"):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    call_command("create_staff", email=email, name="Jo Berg", role=role, stdout=io.StringIO())


def test_a_colleague_gets_an_account_with_a_role_and_the_trail_says_who_made_it(monkeypatch):
    _create(monkeypatch, PASSWORD)

    user = User.objects.get(email="jo@house.example")
    assert user.check_password(PASSWORD)
    assert [group.name for group in user.groups.all()] == ["ops"]
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert AuditRecord.objects.get(action="user.create").actor.startswith("os:")


@pytest.mark.parametrize("password", ["short", "passwordpasswo", ""])
def test_a_weak_password_is_refused_with_words(monkeypatch, password):
    with pytest.raises(CommandError, match="password"):
        _create(monkeypatch, password)

    assert not User.objects.exists()


def test_a_taken_address_is_refused_with_words(monkeypatch):
    _create(monkeypatch, PASSWORD)

    with pytest.raises(CommandError, match="has an account already"):
        _create(monkeypatch, PASSWORD, email="JO@house.example")
