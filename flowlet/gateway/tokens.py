"""ES256 tokens (RFC 7519, RFC 9068) on simplejwt's Token and backend, with a key ring and nothing taken on trust."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from jwt.algorithms import ECAlgorithm
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import Token

from flowlet.core.crypto import BadKeyRing
from flowlet.gateway.errors import Unauthenticated

ALGORITHM = "ES256"
CLIENT_LIFE = timedelta(minutes=15)
USER_LIFE = timedelta(minutes=10)
REFRESH_LIFE = timedelta(hours=8)
TOKEN_LENGTH_MAX = 4096
_TYPE_HEADER = {"client": "at+jwt", "user": "at+jwt", "refresh": "rt+jwt"}
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "jti", "token_type", "ver"]


@dataclass(frozen=True, slots=True)
class JwtKeys:
    """Signing keys by `kid`; the newest signs, all verify."""

    private: Mapping[str, ec.EllipticCurvePrivateKey]
    public: Mapping[str, ec.EllipticCurvePublicKey]
    newest: str


@lru_cache(maxsize=8)
def parse_keys(text: str) -> JwtKeys:
    """
    Read `kid:base64(PEM)`, comma separated, newest first. The key objects are kept: parsing a PEM costs more than a signature.

    :raises BadKeyRing: if it is empty or holds something else than P-256 private keys
    """
    private: dict[str, ec.EllipticCurvePrivateKey] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        kid, _, encoded = item.partition(":")
        try:
            key = load_pem_private_key(base64.b64decode(encoded, validate=True), password=None)
        except ValueError:
            raise BadKeyRing("JWT_KEYS reads kid:base64(PEM), newest first") from None
        if not kid or kid in private or not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadKeyRing("JWT_KEYS needs one P-256 private key for each kid")
        private[kid] = key
    if not private:
        raise BadKeyRing("JWT_KEYS needs at least one key")
    return JwtKeys(private, {kid: key.public_key() for kid, key in private.items()}, next(iter(private)))


def keys() -> JwtKeys:
    """Return the ring of the settings."""
    return parse_keys(settings.JWT_KEYS)


def jwks() -> dict[str, list[dict[str, Any]]]:
    """Return the public keys as a JSON Web Key Set (RFC 7517)."""
    return {
        "keys": [
            {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
            for kid, key in keys().public.items()
        ]
    }


class RingBackend(TokenBackend):
    """Sign with the newest key; verify with the key that `kid` names in our ring. `jku`, `x5u` and the like are never followed."""

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token; its `typ` header tells access from refresh."""
        ring = keys()
        headers = {"kid": ring.newest, "typ": _TYPE_HEADER[payload["token_type"]]}
        claims = {**payload, "iss": issuer(), "aud": audience()}
        return jwt.encode(claims, ring.private[ring.newest], algorithm=ALGORITHM, headers=headers)

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: ARG002, FBT001, FBT002 - simplejwt's signature
        """
        Return the claims of a token we signed. `verify` is not a choice here: nothing unverified is ever read.

        :raises TokenBackendError: if it is malformed, forged, expired, not for us, or its `typ` and type do not match
        """
        try:
            header = jwt.get_unverified_header(token)
            key = keys().public.get(str(header.get("kid")))
            if key is None:
                raise TokenBackendError("Token is invalid")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=audience(),
                issuer=issuer(),
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenBackendError("Token is invalid") from error
        if header.get("typ") != _TYPE_HEADER.get(str(claims["token_type"])):
            raise TokenBackendError("Token is invalid")
        return claims


def issuer() -> str:
    """Return who signs: the address of this deployment."""
    return cast("str", settings.BASE_URL)


def audience() -> str:
    """Return whom the tokens are for: this deployment's API."""
    return f"{settings.BASE_URL}/api/v1"


_BACKEND = RingBackend(ALGORITHM)


class _RingToken(Token):
    def get_token_backend(self) -> TokenBackend:
        """Return our backend instead of the one of simplejwt's settings."""
        return _BACKEND


class ClientToken(_RingToken):
    """An access token of a partner's program."""

    token_type = "client"  # noqa: S105 - a kind, not a secret
    lifetime = CLIENT_LIFE


class UserToken(_RingToken):
    """An access token of a partner's user."""

    token_type = "user"  # noqa: S105 - a kind, not a secret
    lifetime = USER_LIFE


class RefreshToken(_RingToken):
    """A token that buys the next pair, once."""

    token_type = "refresh"  # noqa: S105 - a kind, not a secret
    lifetime = REFRESH_LIFE


class AccessToken(_RingToken):
    """An access token of either kind, as it comes in."""

    token_type = "access"  # noqa: S105 - a kind, not a secret
    lifetime = CLIENT_LIFE

    def verify_token_type(self) -> None:
        """
        Let both kinds of access token pass, and no refresh token.

        :raises TokenError: for anything else
        """
        if self.payload.get("token_type") not in {"client", "user"}:
            raise TokenError("Token has wrong type")


@dataclass(frozen=True, slots=True)
class Claims:
    """What the gateway reads from an access token."""

    kind: str
    subject: str
    scopes: frozenset[str]
    security_version: int


def read_access(text: str) -> Claims:
    """
    Check an access token and return its claims.

    :raises Unauthenticated: whatever is wrong with it; the reasons are not told apart
    """
    try:
        payload = _checked(AccessToken, text)
        if "\0" in str(payload["sub"]):  # PostgreSQL takes no such text; we never signed one either
            raise Unauthenticated
        return Claims(
            kind=payload["token_type"],
            subject=str(payload["sub"]),
            scopes=frozenset(str(payload.get("scope", "")).split()),
            security_version=int(payload["ver"]),
        )
    except (TokenError, ValueError, TypeError):
        raise Unauthenticated from None


def read_refresh(text: str) -> dict[str, Any]:
    """
    Check a refresh token and return its claims.

    :raises Unauthenticated: whatever is wrong with it
    """
    try:
        return _checked(RefreshToken, text)
    except TokenError:
        raise Unauthenticated from None


def _checked(kind: type[Token], text: str) -> dict[str, Any]:
    if not text or len(text) > TOKEN_LENGTH_MAX:
        raise TokenError("Token is invalid")
    return kind(cast("Any", text)).payload


def issue_client(*, client_id: str, partner: str, scopes: frozenset[str], security_version: int) -> str:
    """Return an access token for a program; `partner` is the partner's public id."""
    token = ClientToken()
    token["client_id"] = client_id
    return _sign(token, subject=client_id, partner=partner, scopes=scopes, security_version=security_version)


def issue_user(*, user_id: str, partner: str, scopes: frozenset[str], security_version: int) -> str:
    """Return an access token for a person; `user_id` and `partner` are public ids."""
    token = UserToken()
    return _sign(token, subject=user_id, partner=partner, scopes=scopes, security_version=security_version)


def _sign(token: Token, *, subject: str, partner: str, scopes: frozenset[str], security_version: int) -> str:
    token["sub"] = subject
    token["partner"] = partner
    token["scope"] = " ".join(sorted(scopes))
    token["ver"] = security_version
    return str(token)
