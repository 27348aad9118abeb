"""Coming in and going out."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client

from flowlet.audit.models import AuditRecord
from flowlet.backoffice import access
from flowlet.core import clock
from flowlet.identity import operations
from flowlet.identity.models import Partner, User

LOGIN = "/admin/login/"
PASSWORD = "correct-horse-battery"


def attempt(client: Client, email: str, password: str) -> str:
    """Return the page of a refused log-in without what differs by nature: the token and the name typed."""
    answer = client.post(LOGIN, {"username": email, "password": password})
    assert answer.status_code == 200
    page = re.sub(r'value="[^"]*"', "", answer.content.decode())
    assert SESSION_KEY not in client.session
    return page


def test_a_member_of_staff_logs_in_and_lands_on_the_page_asked_for(client: Client, ops: User) -> None:
    before = client.get("/admin/customers/")
    assert before.status_code == 302
    assert before["Location"] == "/admin/login/?next=/admin/customers/"

    form = {"username": "  PAULA@House.Example ", "password": PASSWORD, "next": "/admin/customers/"}
    answer = client.post(LOGIN, form)

    assert answer["Location"] == "/admin/customers/"
    assert client.get("/admin/customers/").status_code == 200
    assert (
        AuditRecord.objects.filter(action="user.log_in", object_id=ops.public_id, outcome="DONE").count() == 1
    )


def test_the_session_gets_a_new_name_at_the_log_in(client: Client, ops: User) -> None:
    session = client.session
    session["seen"] = True
    session.save()
    planted = client.session.session_key

    client.post(LOGIN, {"username": ops.email, "password": PASSWORD})

    assert client.session.session_key != planted


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/admin/\\evil", "/api/v1/"])
def test_a_foreign_address_is_never_the_next_page(client: Client, ops: User, target: str) -> None:
    answer = client.post(LOGIN, {"username": ops.email, "password": PASSWORD, "next": target})

    assert answer["Location"] == "/admin/"


def test_unknown_wrong_locked_and_foreign_log_ins_read_alike(
    client: Client, ops: User, partner: Partner
) -> None:
    outsider = operations.create_user(
        email="dev@partner.example", full_name="Devi", password=PASSWORD, partner_id=partner.pk
    )
    ops.is_active = True

    unknown = attempt(client, "nobody@house.example", "x")
    wrong = attempt(client, ops.email, "x")
    foreign = attempt(client, outsider.email, PASSWORD)
    for _ in range(12):
        attempt(client, ops.email, "x")
    locked = attempt(client, ops.email, PASSWORD)

    assert unknown == wrong == foreign == locked
    assert access.REFUSED in wrong


def test_too_many_tries_from_one_address_are_refused_with_the_right_password_too(
    client: Client, ops: User
) -> None:
    with time_machine.travel("2026-11-02T09:30:00Z", tick=False):
        for number in range(31):
            attempt(client, f"guess{number}@house.example", "x")
        page = attempt(client, ops.email, PASSWORD)

    assert access.REFUSED in page


def test_a_refused_log_in_is_in_the_trail_without_what_was_typed(client: Client, ops: User) -> None:
    attempt(client, ops.email, "secret guess")
    attempt(client, "nobody@house.example", "x")

    rows = AuditRecord.objects.filter(action="user.log_in", outcome="REFUSED").order_by("pk")
    assert [row.object_id for row in rows] == [ops.public_id, "unknown"]
    assert "nobody" not in "".join(f"{row.actor}{row.actor_label}{row.changes}" for row in rows)


def test_logging_out_needs_a_post_and_ends_the_session(ops_desk: Client) -> None:
    assert ops_desk.get("/admin/logout/").status_code == 405
    assert ops_desk.get("/admin/").status_code == 200

    ops_desk.post("/admin/logout/")

    assert ops_desk.get("/admin/").status_code == 302


def test_a_log_in_ends_after_fifteen_idle_minutes(desk: Callable[[User], Client], ops: User) -> None:
    client = desk(ops)
    assert client.get("/admin/").status_code == 200

    with time_machine.travel(clock.now() + timedelta(minutes=14)):
        assert client.get("/admin/").status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=30)):
        assert client.get("/admin/").status_code == 302


def test_a_log_in_ends_after_eight_hours_of_work(desk: Callable[[User], Client], ops: User) -> None:
    client = desk(ops)
    session = client.session
    session[access.STARTED] = (clock.now() - timedelta(hours=8, seconds=1)).isoformat()
    session.save()

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}, {"security_version": 2}])
def test_a_change_of_the_account_ends_its_log_ins(
    desk: Callable[[User], Client], ops: User, change: dict[str, object]
) -> None:
    client = desk(ops)

    User.objects.filter(pk=ops.pk).update(**change)

    assert client.get("/admin/").status_code == 302


def test_colours_are_kept_and_rendered_by_the_server(ops_desk: Client) -> None:
    assert "data-theme" not in ops_desk.get("/admin/").content.decode().partition("<head>")[0]

    ops_desk.post("/admin/theme/", {"theme": "dark", "next": "/admin/"})
    dark = ops_desk.get("/admin/").content.decode()
    ops_desk.post("/admin/theme/", {"theme": '"><b>', "next": "/admin/"})

    assert '<html lang="en" data-theme="dark">' in dark
    assert ops_desk.cookies["flowlet_theme"].value == "dark"
