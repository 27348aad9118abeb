import base64
from typing import Any

import pytest
import time_machine
from django.test import Client

from flowlet.core.clock import now
from flowlet.gateway.tests.factories import bearer, make_client
from flowlet.identity import operations
from flowlet.identity.models import ApiClient, ApiClientSecret, Partner

URL = "/api/v1/oauth/token"
FORM = "application/x-www-form-urlencoded"
Pair = tuple[ApiClient, str]


@pytest.fixture
def program(partner: Partner) -> Pair:
    return operations.create_api_client(
        partner_id=partner.pk, name="Checkout", scopes=["customers:read", "events:read"], now=now()
    )


def basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def ask(body: str = "grant_type=client_credentials", **headers: str) -> Any:
    return Client().post(URL, data=body, content_type=FORM, headers=headers)


def test_basic_credentials_buy_a_token_that_works(program: Pair) -> None:
    client, secret = program

    answer = ask(**basic(client.client_id, secret))
    me = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {answer.json()['access_token']}"})

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert {k: v for k, v in answer.json().items() if k != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "customers:read events:read",
    }
    assert me.json()["client_id"] == client.client_id
    assert ApiClientSecret.objects.get().used_at is not None


def test_credentials_in_the_form_work_as_well_and_scopes_can_be_fewer(program: Pair) -> None:
    client, secret = program

    answer = ask(
        f"grant_type=client_credentials&client_id={client.client_id}&client_secret={secret}&scope=events:read"
    )

    assert answer.json()["scope"] == "events:read"


def test_an_unknown_client_and_a_wrong_secret_get_the_same_answer(program: Pair) -> None:
    client, secret = program

    wrong = ask(**basic(client.client_id, "sk_test_wrong"))
    unknown = ask(**basic("cli_test_unknown", secret))

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["error"] == "invalid_client"
    assert wrong.headers["WWW-Authenticate"].startswith("Basic")
    assert wrong.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "error", "status"),
    [
        ("", "invalid_request", 400),
        ("grant_type=password", "unsupported_grant_type", 400),
        ("grant_type=client_credentials&scope=payments:write", "invalid_scope", 400),
        ("grant_type=client_credentials&scope=", "invalid_scope", 400),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request", 400),
        ("grant_type=client_credentials&x=1", "invalid_request", 400),
        ("grant_type=client_credentials&client_secret=a", "invalid_request", 400),
        ("grant_type=client_credentials&client_id=another", "invalid_request", 400),
        ("grant_type=client_credentials&scope=%ff", "invalid_request", 400),
        ("grant_type=client_credentials&scope=%00", "invalid_request", 400),
    ],
)
def test_a_bad_request_is_refused_in_the_words_of_the_standard(
    program: Pair, body: str, error: str, status: int
) -> None:
    client, secret = program

    answer = ask(body, **basic(client.client_id, secret))

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic YWJj", "Bearer abc", "Basic /w=="])
def test_an_unreadable_header_is_a_failed_authentication(program: Pair, header: str) -> None:
    answer = ask(Authorization=header)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_client_of_the_other_environment_is_told_so(program: Pair) -> None:
    answer = ask(**basic("cli_live_abc", "sk_live_abc"))

    assert answer.status_code == 401
    assert "wrong_environment" in answer.json()["error_description"]


def test_a_body_that_is_no_form_is_refused(program: Pair) -> None:
    client, secret = program

    answer = Client().post(
        URL,
        data={"grant_type": "client_credentials"},
        content_type="application/json",
        headers=basic(client.client_id, secret),
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_an_expired_secret_and_a_revoked_client_get_nothing(program: Pair) -> None:
    client, secret = program
    ApiClientSecret.objects.update(valid_to=now())
    expired = ask(**basic(client.client_id, secret))
    ApiClientSecret.objects.update(valid_to="2030-01-01T00:00:00Z")
    ApiClient.objects.update(status="REVOKED")
    revoked = ask(**basic(client.client_id, secret))

    assert (expired.status_code, revoked.status_code) == (401, 401)


def test_a_token_dies_after_fifteen_minutes(program: Pair) -> None:
    client, secret = program
    token = ask(**basic(client.client_id, secret)).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    with time_machine.travel(now().timestamp() + 899, tick=False):
        alive = Client().get("/api/v1/me", headers=header)
    with time_machine.travel(now().timestamp() + 901, tick=False):
        dead = Client().get("/api/v1/me", headers=header)

    assert (alive.status_code, dead.status_code) == (200, 401)


def test_guessing_is_counted_by_client(program: Pair) -> None:
    client, secret = program
    answers = [ask(**basic(client.client_id, "sk_test_wrong")).status_code for _ in range(10)]

    next_one = ask(**basic(client.client_id, secret))

    assert answers == [401] * 10
    assert next_one.status_code == 429
    assert int(next_one.headers["Retry-After"]) >= 1
    assert next_one.json()["error"] == "slow_down"


def test_without_redis_the_token_endpoint_closes_and_the_api_goes_on(
    partner: Partner, program: Pair, redis_lost: None
) -> None:
    client, secret = program

    closed = ask(**basic(client.client_id, secret))
    open_still = Client().get("/api/v1/me", headers=bearer(make_client(partner)))

    assert (closed.status_code, closed.json()["error"]) == (503, "temporarily_unavailable")
    assert closed.headers["Retry-After"] == "2"
    assert open_still.status_code == 200
