"""Every refusal is a problem with a request id; nothing of the inside ever shows, and nothing is half done."""

from typing import Any

import pytest
from django.test import Client

from flowlet.audit.models import AuditRecord
from flowlet.gateway.models import IdempotencyRecord
from flowlet.gateway.tests.factories import Api
from flowlet.gateway.tests.views import RefusingView
from flowlet.identity.models import Partner

pytestmark = pytest.mark.urls("flowlet.gateway.tests.urls")
MEMBERS = {
    *("type", "title", "status", "detail", "instance", "code"),
    *("errors", "retry", "next", "request_id"),
}


def assert_is_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.json()) >= MEMBERS
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["Request-Id"]
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v1/customers/", "/api/v2/me"])
def test_an_unknown_route_is_a_404_problem(path: str) -> None:
    assert_is_problem(Client().get(path), 404, "unknown_route")


def test_nul_in_the_path_is_a_404(api: Api) -> None:
    assert_is_problem(api.get("customers/a%00b"), 404, "unknown_route")


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_a_method_the_route_does_not_know_is_a_405_that_names_the_others(api: Api, method: str) -> None:
    answer = getattr(api.http, method)("/api/v1/customers")

    assert_is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_head_is_get_without_a_body(api: Api) -> None:
    answer = api.http.head("/api/v1/me", headers={})

    assert answer.status_code == 401
    assert answer.content == b""


def test_a_host_that_is_not_ours_is_a_400(api: Api) -> None:
    assert_is_problem(api.get("me", Host="evil.example"), 400, "bad_host")


def test_a_fault_of_ours_is_a_500_without_a_word_from_inside(api: Api) -> None:
    api.http.raise_request_exception = False

    answer = api.get("test/broken/bug")

    assert_is_problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content
    assert b"SELECT" not in answer.content


@pytest.mark.parametrize(
    ("way", "status", "code"),
    [("integrity", 409, "conflict"), ("data", 400, "invalid_request"), ("timeout", 503, "unavailable")],
)
def test_what_the_database_refuses_shows_no_sql_and_leaves_nothing(
    api: Api, way: str, status: int, code: str
) -> None:
    answer = api.post(f"test/broken/{way}", key="k-1")

    assert_is_problem(answer, status, code)
    assert b"secret_name" not in answer.content
    assert b"division" not in answer.content
    assert not Partner.objects.filter(name="Half done").exists()
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.django_db
def test_a_write_that_breaks_is_undone(api: Api) -> None:
    api.http.raise_request_exception = False

    answer = api.post("test/broken/bug", key="k-1")

    assert answer.status_code == 500
    assert answer.json()["retry"] == {"allowed": True, "after_s": None, "same_key": True}
    assert not Partner.objects.filter(name="Half done").exists()
    assert IdempotencyRecord.objects.count() == 0


def test_a_decision_of_the_domain_is_sticky_audited_and_says_what_to_do(api: Api) -> None:
    RefusingView.attempts.clear()
    first = api.post("test/refusing", key="k-1")
    again = api.post("test/refusing", key="k-1")

    assert_is_problem(first, 422, "insufficient_funds")
    assert first.json()["next"] == [{"action": "add_money", "text": "Add money, then pay with a new key."}]
    assert first.json()["retry"] == {"allowed": False, "after_s": None, "same_key": False}
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(RefusingView.attempts) == 1
    assert not Partner.objects.filter(name__startswith="Undone").exists()
    record = AuditRecord.objects.get(outcome="REFUSED")
    assert (record.object_id, record.reason_code) == (first.headers["Request-Id"], "insufficient_funds")
    assert record.actor == api.client.public_id


def test_without_a_key_a_decision_is_made_anew(api: Api) -> None:
    RefusingView.attempts.clear()

    statuses = [api.post("test/refusing").status_code for _ in range(2)]

    assert statuses == [422, 422]
    assert len(RefusingView.attempts) == 2
    assert AuditRecord.objects.filter(outcome="REFUSED").count() == 2


def test_a_refusal_can_keep_its_row_and_names_it(api: Api) -> None:
    answer = api.post("test/kept", key="k-1")
    again = api.post("test/kept", key="k-1")

    kept = Partner.objects.get(name="Kept refusal")
    assert_is_problem(answer, 422, "insufficient_funds")
    assert answer.json()["object"] == kept.public_id
    assert again.content == answer.content
    assert IdempotencyRecord.objects.get().object_id == kept.public_id


def test_a_missing_scope_is_named_and_audited(partner: Partner, api: Api) -> None:
    api.client.scopes = ["events:read"]
    api.client.save()

    answer = api.get("customers")

    assert_is_problem(answer, 403, "missing_scope")
    assert "customers:read" in answer.json()["detail"]
    assert 'scope="customers:read"' in answer.headers["WWW-Authenticate"]
    assert AuditRecord.objects.filter(reason_code="missing_scope", partner_id=partner.pk).count() == 1
