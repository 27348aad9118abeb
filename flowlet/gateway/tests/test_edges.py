"""Probes, metrics, the document, the reference page, the two stacks, and the classification of routes."""

import re
from typing import Any

import pytest
from django.core.checks import Error
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import path
from openapi_spec_validator import validate

from flowlet.gateway import checks, health, openapi
from flowlet.gateway.addresses import client_ip
from flowlet.gateway.tests import views
from flowlet.gateway.tests.factories import bearer, make_client
from flowlet.gateway.views import ANYONE, SIGNED_IN
from flowlet.identity.models import Partner
from flowlet.identity.scopes import SCOPES


def test_the_process_is_healthy_without_touching_the_database(
    django_assert_num_queries: Any, db: None
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz", headers={"Host": "10.2.3.4"})

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_means_database_migrations_and_redis() -> None:
    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["parts"] == {"database": True, "redis": True, "migrations": True}


@pytest.mark.django_db
def test_without_redis_the_house_is_not_ready(settings: Any) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }

    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"] is False


@pytest.mark.django_db
def test_with_a_migration_missing_the_house_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(health._state, "migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'gateway'")

    answer = Client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": True, "redis": True, "migrations": False}


@pytest.mark.django_db
def test_metrics_are_for_the_machine_itself_and_for_whoever_has_the_token(settings: Any) -> None:
    settings.METRICS_TOKEN = "s3cret"
    here = Client().get("/metrics")
    away = Client().get("/metrics", REMOTE_ADDR="203.0.113.9")
    proxied = Client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    wrong = Client().get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer s3cre"})
    right = Client().get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer s3cret"})

    assert [a.status_code for a in (here, away, proxied, wrong, right)] == [200, 404, 404, 404, 200]
    assert b"django_http_requests_total" in here.content
    assert away.content == b""


def test_an_empty_token_setting_opens_nothing(settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    answer = Client().get("/metrics", REMOTE_ADDR="203.0.113.9", headers={"Authorization": "Bearer "})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "198.51.100.7", "192.0.2.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (2, "6.6.6.6, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", ""),
        (1, "no address", ""),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_forwarded_address_is_believed_as_far_as_our_proxies_wrote_it(
    settings: Any, hops: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXY_HOPS = hops
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded})

    assert client_ip(request) == address


def test_the_document_is_valid_openapi_and_describes_every_route() -> None:
    document = Client().get("/api/v1/openapi.json").json()

    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {url for url, _, _ in _cells()}
    assert set(document["components"]["securitySchemes"]) == {"oauth2", "bearer"}


def test_the_document_names_scope_key_and_problem_of_a_write() -> None:
    operation = openapi.build()["paths"]["/api/v1/customers"]["post"]

    assert operation["security"] == [{"oauth2": ["customers:write"]}, {"bearer": []}]
    assert [(p["name"], p["required"]) for p in operation["parameters"]] == [("Idempotency-Key", True)]
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert operation["requestBody"]["content"]["application/json"]["examples"]


def test_the_reference_page_runs_only_our_own_scripts() -> None:
    answer = Client().get("/api/v1/docs/")
    policy = answer.headers["Content-Security-Policy"]

    assert answer.status_code == 200
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.content.decode()


@pytest.mark.django_db
def test_pages_keep_their_stack_and_the_api_has_none_of_it(client: Client, officer: Any) -> None:
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")

    api = client.get("/api/v1/me")
    page = client.get("/nothing-here")

    assert not hasattr(api.wsgi_request, "session")
    assert not hasattr(api.wsgi_request, "user")
    assert page.wsgi_request.user == officer
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert not api.cookies


def test_every_route_is_classified() -> None:
    assert checks.every_route_is_classified() == []


def test_a_route_nobody_classified_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [
        path("api/v1/new", views.UnclassifiedView.as_view()),
        path("api/v1/plain", health.healthz),
        path("elsewhere", health.healthz),
    ]
    monkeypatch.setattr(checks, "get_resolver", type("Resolver", (), {"url_patterns": patterns}))

    found = checks.every_route_is_classified()

    assert found == [
        Error("answers POST without a scope", obj="api/v1/new", id="gateway.E001"),
        Error("names a scope for PUT, which it does not answer", obj="api/v1/new", id="gateway.E001"),
        Error("names the unknown scope payments:fly", obj="api/v1/new", id="gateway.E001"),
        Error("is no ApiView", obj="api/v1/plain", id="gateway.E001"),
    ]


def _cells() -> list[tuple[str, str, str]]:
    """Return every address (as the document writes it), method and scope of the API."""
    return [
        ("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), method, scope)
        for route, pattern in checks.api_routes()
        if pattern.name not in checks.OPEN_ROUTES
        for method, scope in pattern.callback.cls.scopes.items()
    ]


def test_the_access_matrix_holds_for_every_route_method_and_principal(
    partner: Partner, settings: Any
) -> None:
    # Given for each cell: nobody, a client without any scope, a client with every scope but the one needed
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (10**6, 10**6))
    http, bare = Client(), bearer(make_client(partner, []))
    all_but = {scope: bearer(make_client(partner, set(SCOPES) - {scope})) for scope in SCOPES}
    refused = {ANYONE: (False, False, False), SIGNED_IN: (True, False, False)}

    # When each of them calls
    seen, wanted = {}, {}
    for url, method, scope in _cells():
        nobody, none, others = (
            http.generic(method, url, headers=headers) for headers in ({}, bare, all_but.get(scope, bare))
        )
        seen[method, url] = (
            nobody.headers["Content-Type"].endswith("problem+json")
            and nobody.json()["code"] == "unauthenticated",
            none.status_code == 403,
            others.status_code == 403,
        )
        wanted[method, url] = refused.get(scope, (True, True, True))

    # Then exactly those get in who may
    assert len(seen) >= 10
    assert seen == wanted
