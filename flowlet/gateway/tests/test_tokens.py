"""Every forgery is a 401 with the same words, and nobody who may not act gets in."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db.models import F
from django.test import Client

from flowlet.gateway import tokens
from flowlet.gateway.tests.factories import Api, bearer, make_client
from flowlet.identity import operations
from flowlet.identity.models import ApiClient, Partner, User

PASSWORD = "correct-horse-battery"


def call(token: str) -> Any:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def claims_of(client: ApiClient) -> dict[str, Any]:
    return jwt.decode(good_token(client), options={"verify_signature": False})


def good_token(client: ApiClient) -> str:
    return bearer(client)["Authorization"].removeprefix("Bearer ")


def signed(claims: dict[str, Any], **header: Any) -> str:
    ring = tokens.keys()
    headers = {"kid": ring.newest, "typ": "at+jwt", **header}
    return jwt.encode(claims, ring.private[ring.newest], algorithm="ES256", headers=headers)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    header = {"alg": algorithm, "typ": "at+jwt", "kid": tokens.keys().newest}
    return f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}."


def hs256_with_the_public_key(claims: dict[str, Any]) -> str:
    # The classic confusion: the public key, known to all, used as an HMAC secret.
    ring = tokens.keys()
    pem = ring.public[ring.newest].public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    algorithm = jwt.get_algorithm_by_name("HS256")
    header = b64(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": ring.newest}).encode())
    message = f"{header}.{b64(json.dumps(claims).encode())}"
    return f"{message}.{b64(algorithm.sign(message.encode(), pem))}"


def with_own_key(claims: dict[str, Any], **header: Any) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    headers = {"kid": tokens.keys().newest, "typ": "at+jwt", **header}
    return jwt.encode(claims, key, algorithm="ES256", headers=headers)


FORGERIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "no token": lambda _claims: "",
    "no jwt": lambda _claims: "abc",
    "too long": lambda claims: signed({**claims, "pad": "x" * 5000}),
    "alg none": lambda claims: unsigned(claims, "none"),
    "alg None": lambda claims: unsigned(claims, "None"),
    "alg ES256 without signature": lambda claims: unsigned(claims, "ES256"),
    "HS256 with our public key": hs256_with_the_public_key,
    "another key under our kid": with_own_key,
    "a kid outside the ring": lambda claims: signed(claims, kid="other"),
    "a kid that is a path": lambda claims: signed(claims, kid="../../dev/null"),
    "a kid that is no text": lambda claims: signed(claims, kid="1", jwk={"kty": "EC"}),
    "jku": lambda claims: with_own_key(claims, jku="https://evil.example/jwks"),
    "expired": lambda claims: signed({**claims, "exp": int(time.time()) - 1}),
    "never expiring": lambda claims: signed({k: v for k, v in claims.items() if k != "exp"}),
    "issued tomorrow": lambda claims: signed({**claims, "iat": int(time.time()) + 86400}),
    "not yet valid": lambda claims: signed({**claims, "nbf": int(time.time()) + 600}),
    "another issuer": lambda claims: signed({**claims, "iss": "https://evil.example"}),
    "another audience": lambda claims: signed({**claims, "aud": "https://evil.example"}),
    "without audience": lambda claims: signed({k: v for k, v in claims.items() if k != "aud"}),
    "without jti": lambda claims: signed({k: v for k, v in claims.items() if k != "jti"}),
    "a plain JWT type": lambda claims: signed(claims, typ="JWT"),
    "a refresh type": lambda claims: signed({**claims, "token_type": "refresh"}, typ="rt+jwt"),
    "an unknown type": lambda claims: signed({**claims, "token_type": "admin"}),
    "a list as type": lambda claims: signed({**claims, "token_type": ["client"]}),
    "an unknown client": lambda claims: signed({**claims, "sub": "cli_test_nobody"}),
    "a text as version": lambda claims: signed({**claims, "ver": "1; DROP TABLE"}),
    "a huge version": lambda claims: signed({**claims, "ver": 2**70}),
    "NUL in the subject": lambda claims: signed({**claims, "sub": "cli\0"}),
    "a client as user": lambda claims: signed({**claims, "token_type": "user"}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused_in_the_same_words(partner: Partner, name: str) -> None:
    client = make_client(partner)
    claims = claims_of(client)

    answer = call(FORGERIES[name](claims))

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"
    assert answer.json()["detail"] == "The access token is missing, expired or not valid."
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_untouched_token_is_good(partner: Partner) -> None:
    client = make_client(partner)

    answer = call(signed(claims_of(client)))

    assert answer.status_code == 200
    assert answer.json()["client_id"] == client.client_id


def test_an_older_key_of_the_ring_still_verifies_and_the_newest_signs(
    partner: Partner, settings: Any
) -> None:
    client = make_client(partner)
    before = good_token(client)
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    settings.JWT_KEYS = f"test-2:{base64.b64encode(key).decode()},{settings.JWT_KEYS}"

    after = good_token(client)

    assert jwt.get_unverified_header(after)["kid"] == "test-2"
    assert call(before).status_code == 200
    assert call(after).status_code == 200
    assert [key["kid"] for key in Client().get("/api/v1/oauth/jwks").json()["keys"]] == ["test-2", "test-1"]


def test_the_key_set_shows_no_private_part() -> None:
    keys = Client().get("/api/v1/oauth/jwks").json()["keys"]

    assert [set(key) for key in keys] == [{"kty", "crv", "x", "y", "kid", "use", "alg"}]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: ApiClient.objects.filter(pk=c.pk).update(status="REVOKED"),
        lambda c: ApiClient.objects.filter(pk=c.pk).update(security_version=F("security_version") + 1),
        lambda c: ApiClient.objects.filter(pk=c.pk).update(expires_at="2026-01-01T00:00:00Z"),
        lambda c: Partner.objects.filter(pk=c.partner_id).update(status="SUSPENDED"),
    ],
    ids=["revoked", "changed", "expired", "partner suspended"],
)
def test_what_changes_about_a_client_counts_from_the_next_request(
    partner: Partner, change: Callable[[ApiClient], object]
) -> None:
    client = make_client(partner)
    token = good_token(client)
    assert call(token).status_code == 200

    change(client)

    assert call(token).status_code == 401


def test_a_scope_taken_from_the_client_is_gone_from_its_tokens(api: Api) -> None:
    token = bearer(api.client)
    ApiClient.objects.filter(pk=api.client.pk).update(scopes=["events:read"])

    answer = Client().get("/api/v1/customers", headers=token)

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"
    assert "customers:read" in answer.json()["detail"]


@pytest.fixture
def person(partner: Partner) -> User:
    return operations.create_user(
        email="clerk@partner.example", full_name="Lea Brandt", password=PASSWORD, partner_id=partner.pk
    )


def user_token(user: User) -> str:
    assert user.partner is not None
    return tokens.issue_user(
        user_id=user.public_id,
        partner=user.partner.public_id,
        scopes=frozenset({"customers:read"}),
        security_version=user.security_version,
    )


def test_a_user_is_who_the_token_says(person: User) -> None:
    answer = call(user_token(person)).json()

    assert (answer["kind"], answer["user_id"], answer["scopes"]) == (
        "user",
        person.public_id,
        ["customers:read"],
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda u: User.objects.filter(pk=u.pk).update(is_active=False),
        lambda u: User.objects.filter(pk=u.pk).update(security_version=F("security_version") + 1),
        lambda u: User.objects.filter(pk=u.pk).update(partner=None, is_staff=True),
        lambda u: Partner.objects.filter(pk=u.partner_id).update(status="SUSPENDED"),
        lambda u: User.objects.filter(pk=u.pk).delete(),
    ],
    ids=["disabled", "changed", "moved to the house", "partner suspended", "deleted"],
)
def test_what_changes_about_a_user_counts_from_the_next_request(
    person: User, change: Callable[[User], object]
) -> None:
    token = user_token(person)
    assert call(token).status_code == 200

    change(person)

    assert call(token).status_code == 401


def test_cookies_are_never_looked_at(officer: User) -> None:
    browser = Client()
    browser.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")

    answer = browser.get("/api/v1/me")

    assert answer.status_code == 401
    assert not answer.cookies
