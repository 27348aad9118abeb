from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.db.models import F
from django.test import Client

from flowlet.audit.models import AuditRecord
from flowlet.core.clock import now
from flowlet.gateway.models import RefreshFamily
from flowlet.identity import operations
from flowlet.identity.models import Partner, User

PASSWORD = "correct-horse-battery"
EMAIL = "clerk@partner.example"


@pytest.fixture
def person(partner: Partner) -> User:
    return operations.create_user(
        email=EMAIL, full_name="Lea Brandt", password=PASSWORD, partner_id=partner.pk
    )


def post(path: str, body: object) -> Any:
    return Client().post(f"/api/v1/auth/{path}", data=body, content_type="application/json")


def sign_in(email: str = EMAIL, password: str = PASSWORD) -> Any:
    return post("token", {"email": email, "password": password})


def refresh(token: str) -> Any:
    return post("token/refresh", {"refresh_token": token})


def me(token: str) -> Any:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def test_a_partners_user_signs_in_however_the_address_is_typed(person: User) -> None:
    answer = sign_in(email=" Clerk@Partner.example ")

    assert answer.status_code == 200
    assert (answer.json()["expires_in"], answer.json()["token_type"]) == (600, "Bearer")
    assert 28700 < answer.json()["refresh_expires_in"] <= 28800
    assert me(answer.json()["access_token"]).json()["user_id"] == person.public_id
    assert AuditRecord.objects.filter(action="session.open", actor=person.public_id).count() == 1


def _disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _suspend(user: User) -> None:
    Partner.objects.filter(pk=user.partner_id).update(status="SUSPENDED")


def _lock(user: User) -> None:
    for _ in range(10):
        sign_in(password="wrong-password-entirely")


@pytest.mark.parametrize(
    ("prepare", "email", "password"),
    [
        (lambda _user: None, "nobody@partner.example", PASSWORD),
        (lambda _user: None, EMAIL, "wrong-password-entirely"),
        (lambda _user: None, EMAIL, PASSWORD + " "),
        (_disable, EMAIL, PASSWORD),
        (_suspend, EMAIL, PASSWORD),
        (_lock, EMAIL, PASSWORD),
    ],
    ids=["unknown", "wrong", "a blank more", "disabled", "suspended", "locked"],
)
def test_whoever_may_not_sign_in_gets_one_answer(
    person: User, settings: Any, prepare: Callable[[User], None], email: str, password: str
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in": (100, 1.0), "sign_in_address": (100, 1.0)}
    prepare(person)

    answer = sign_in(email=email, password=password)

    assert answer.status_code == 401
    assert answer.json()["code"] == "sign_in_failed"
    assert answer.json()["detail"] == (
        "The e-mail address and password do not match an account that can sign in here."
    )
    assert RefreshFamily.objects.count() == 0


@pytest.mark.usefixtures("officer")
def test_house_staff_cannot_sign_in_here_even_with_the_right_password() -> None:
    answer = sign_in(email="ilse@house.example", password=PASSWORD)

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")


def test_guessing_is_counted_by_account_and_says_when_to_come_back(person: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in": (3, 0.01), "sign_in_address": (100, 1.0)}
    statuses = [sign_in(password="wrong-password-entirely").status_code for _ in range(3)]

    answer = sign_in()
    unknown = [sign_in(email="nobody@partner.example").status_code for _ in range(4)]

    assert statuses == [401, 401, 401]
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 60
    assert unknown == [401, 401, 401, 429]


@pytest.mark.usefixtures("person", "redis_lost")
def test_without_redis_nobody_signs_in() -> None:
    answer = sign_in()

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": EMAIL},
        {"email": EMAIL, "password": 5},
        {"email": [EMAIL], "password": PASSWORD},
        {"email": EMAIL, "password": PASSWORD, "admin": True},
        {"email": EMAIL, "password": "x" * 1025},
        [],
    ],
)
def test_a_malformed_sign_in_is_a_400(person: User, body: object) -> None:
    answer = post("token", body)

    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.usefixtures("person")
def test_refreshing_gives_a_new_pair_and_does_not_prolong_the_family() -> None:
    first = sign_in().json()
    with time_machine.travel(now().timestamp() + 3600, tick=False):
        second = refresh(first["refresh_token"])
        alive = me(second.json()["access_token"])

    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert second.json()["refresh_expires_in"] < 28800 - 3500
    assert alive.status_code == 200


@pytest.mark.usefixtures("person")
def test_after_eight_hours_a_new_sign_in_is_needed() -> None:
    first = sign_in().json()

    with time_machine.travel(now().timestamp() + 8 * 3600 + 1, tick=False):
        answer = refresh(first["refresh_token"])

    assert answer.status_code == 401


def test_an_old_refresh_token_ends_the_whole_family_and_is_audited(person: User) -> None:
    first = sign_in().json()
    second = refresh(first["refresh_token"]).json()

    reuse = refresh(first["refresh_token"])
    after = refresh(second["refresh_token"])

    assert (reuse.status_code, after.status_code) == (401, 401)
    assert RefreshFamily.objects.get().reason == "REUSED"
    record = AuditRecord.objects.get(action="session.revoke")
    assert (record.actor, record.outcome, record.reason_code) == (person.public_id, "REFUSED", "reused")


@pytest.mark.usefixtures("person")
def test_access_and_refresh_tokens_are_not_interchangeable() -> None:
    pair = sign_in().json()

    assert me(pair["refresh_token"]).status_code == 401
    assert refresh(pair["access_token"]).status_code == 401


def test_a_changed_password_ends_access_and_refresh(person: User) -> None:
    pair = sign_in().json()
    User.objects.filter(pk=person.pk).update(security_version=F("security_version") + 1)

    assert me(pair["access_token"]).status_code == 401
    assert refresh(pair["refresh_token"]).status_code == 401
    assert RefreshFamily.objects.get().reason == "ENDED"


@pytest.mark.usefixtures("person")
def test_signing_out_ends_the_family_and_can_be_said_twice() -> None:
    pair = sign_in().json()

    first = post("token/revoke", {"refresh_token": pair["refresh_token"]})
    again = post("token/revoke", {"refresh_token": pair["refresh_token"]})

    assert (first.status_code, first.content, again.status_code) == (204, b"", 204)
    assert refresh(pair["refresh_token"]).status_code == 401


def test_a_deleted_user_is_a_401_everywhere(person: User) -> None:
    pair = sign_in().json()
    person.delete()

    assert me(pair["access_token"]).status_code == 401
    assert refresh(pair["refresh_token"]).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_many_uses_at_once_at_most_one_gets_a_pair(person: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sign_in_address": (1000, 1.0)}
    token = sign_in().json()["refresh_token"]

    def use(_: int) -> int:
        try:
            return int(refresh(token).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(use, range(16)))

    assert statuses == [200, *[401] * 15]
    assert RefreshFamily.objects.get().reason == "REUSED"
