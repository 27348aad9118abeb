import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg2
import pytest
from django.db import connection, connections

from flowlet.core.clock import now
from flowlet.gateway.models import IdempotencyRecord
from flowlet.gateway.tests.factories import Api
from flowlet.identity import hooks
from flowlet.identity.models import Customer

PERSON = {"kind": "person", "given_name": "Mirela", "family_name": "Sandvik", "country": "NO"}


def test_the_same_request_again_gets_the_same_bytes_and_says_so(api: Api) -> None:
    first = api.post("customers", PERSON, key="k-1")
    again = api.post("customers", dict(reversed(PERSON.items())), key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert Customer.objects.count() == 1


def test_another_body_with_the_key_is_refused(api: Api) -> None:
    api.post("customers", PERSON, key="k-1")

    answer = api.post("customers", {**PERSON, "given_name": "Milena"}, key="k-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Customer.objects.count() == 1


def test_a_missing_key_is_refused_where_it_is_needed(api: Api) -> None:
    answer = api.post("customers", PERSON)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert Customer.objects.count() == 0


@pytest.mark.parametrize("key", ["", "a b", "ä", "k" * 256, "\t"])
def test_a_key_that_is_not_visible_ascii_is_refused(api: Api, key: str) -> None:
    answer = api.post("customers", PERSON, key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


def test_a_fault_in_the_body_burns_nothing(api: Api) -> None:
    api.post("customers", {**PERSON, "country": "XX"}, key="k-1")

    answer = api.post("customers", PERSON, key="k-1")

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers


def test_a_conflict_burns_nothing(api: Api) -> None:
    first = {**PERSON, "reference": "u-1"}
    api.post("customers", first, key="k-1")
    api.post("customers", first, key="k-2")

    assert IdempotencyRecord.objects.filter(key="k-2").count() == 0


def test_keys_of_two_partners_are_two_keys(api: Api, foreign_api: Api) -> None:
    ours = api.post("customers", PERSON, key="k-1").json()["id"]
    theirs = foreign_api.post("customers", PERSON, key="k-1").json()["id"]

    assert ours != theirs


def test_what_was_made_is_found_by_its_key(api: Api) -> None:
    made = api.post("customers", PERSON, key="k-1").json()["id"]
    api.post("customers", PERSON, key="k-2")

    found = api.get("customers?idempotency_key=k-1").json()["data"]

    assert [customer["id"] for customer in found] == [made]


@pytest.mark.django_db(transaction=True)
def test_fifty_threads_with_one_key_make_one_customer(api: Api) -> None:
    start = threading.Barrier(50)

    def create(_: int) -> tuple[int, bytes]:
        try:
            start.wait()
            answer = api.post("customers", PERSON, key="k-1")
            return answer.status_code, answer.content if answer.status_code == 201 else b""
        finally:
            connections.close_all()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(create, range(50)))

    statuses = Counter(status for status, _ in answers)
    assert set(statuses) <= {201, 409}
    assert len({body for status, body in answers if status == 201}) == 1
    assert Customer.objects.count() == 1
    assert api.post("customers", PERSON, key="k-1").headers["Idempotent-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
def test_fifty_keys_make_fifty_customers(api: Api) -> None:
    def create(number: int) -> int:
        try:
            return int(api.post("customers", PERSON, key=f"k-{number}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, range(50)))

    assert statuses == [201] * 50
    assert Customer.objects.count() == 50


@contextmanager
def hook(act: Callable[[Customer, datetime], None]) -> Iterator[None]:
    """Run something inside every creation of a customer, for the length of the block."""
    hooks.CUSTOMER_CREATED.register("zz.test")(act)
    try:
        yield
    finally:
        del hooks.CUSTOMER_CREATED._entries["zz.test"]


def _other_connection() -> Any:
    return psycopg2.connect(**connection.get_connection_params())


@pytest.mark.django_db(transaction=True)
def test_while_the_first_is_at_work_the_second_is_told_to_wait_and_a_killed_first_frees_the_key(
    api: Api,
) -> None:
    # Given a worker that holds the key's lock in a transaction that is still open
    partner_id = api.client.partner_id
    worker = _other_connection()
    with worker.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        lock_text = f"{partner_id}|POST /api/v1/customers|k-1"
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [lock_text])
        assert cursor.fetchone()[0]

    waiting = api.post("customers", PERSON, key="k-1")
    # When its connection is killed, as if the process had died
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    after = api.post("customers", PERSON, key="k-1")
    worker.close()

    # Then the key was never lost
    assert (waiting.status_code, waiting.json()["code"]) == (409, "idempotency_in_flight")
    assert waiting.headers["Retry-After"] == "1"
    assert waiting.json()["retry"] == {"allowed": True, "after_s": 1, "same_key": True}
    assert after.status_code == 201
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_connection_killed_midway_leaves_neither_effect_nor_key(api: Api) -> None:
    # The hook runs inside the transaction, after the customer was written and before the answer is stored.
    pids: list[int] = []

    def die(_customer: Customer, _now: datetime) -> None:
        if not pids:
            pids.append(connection.connection.info.backend_pid)
            killer = _other_connection()
            killer.autocommit = True
            with killer.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pids[0]])
            killer.close()
            Customer.objects.count()

    with hook(die):
        killed = api.post("customers", PERSON, key="k-1")
        connection.close()
        stored = (Customer.objects.count(), IdempotencyRecord.objects.count())
        after = api.post("customers", PERSON, key="k-1")

    assert (killed.status_code, killed.json()["code"]) == (503, "unavailable")
    assert killed.json()["retry"]["same_key"] is True
    assert stored == (0, 0)
    assert after.status_code == 201
    assert Customer.objects.count() == 1


def test_answers_say_how_old_they_may_get(api: Api) -> None:
    api.post("customers", PERSON, key="k-1")

    record = IdempotencyRecord.objects.get()

    assert now() - record.created_at < timedelta(minutes=1)
    assert (record.status, record.object_id) == (201, Customer.objects.get().public_id)
