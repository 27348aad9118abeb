"""Tokens for a partner's people: sign-in, refresh with rotation, revocation."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.response import Response

from flowlet.audit import trail
from flowlet.core.clock import now
from flowlet.core.crypto import blind_index
from flowlet.gateway import families, limits, tokens
from flowlet.gateway.addresses import client_ip
from flowlet.gateway.errors import SignInFailed, Unavailable
from flowlet.gateway.openapi_schema import document
from flowlet.gateway.serializers import StrictSerializer
from flowlet.gateway.views import ANYONE, ApiRequest, ApiView
from flowlet.identity.models import Partner, User
from flowlet.identity.policies import normal_login

# A password hash costs a quarter of a second of a core: more than two at once would starve everything else.
_HASHES = threading.BoundedSemaphore(2)
_HASH_WAIT_S = 2.0
_PASSWORD_MAX = 1024


class PasswordField(serializers.CharField):
    """A password exactly as received."""

    def to_internal_value(self, data: Any) -> str:
        """
        Return the text.

        :raises ValidationError: if it is no text
        """
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class SignInIn(StrictSerializer):
    """What a person proves himself with."""

    email = PasswordField(max_length=254)
    password = PasswordField(max_length=_PASSWORD_MAX, trim_whitespace=False)


class RefreshIn(StrictSerializer):
    """A refresh token."""

    refresh_token = PasswordField(
        max_length=tokens.TOKEN_LENGTH_MAX, help_text="The refresh token of your latest pair."
    )


class PairOut(serializers.Serializer[Any]):
    """A pair of tokens."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds the access token lives.")
    refresh_token = serializers.CharField(help_text="Good for one use.")
    refresh_expires_in = serializers.IntegerField(help_text="Seconds until a new sign-in is needed.")


def _pair(pair: families.Pair) -> Response:
    left = pair.refresh_expires_at - now()
    return Response(
        {
            "access_token": pair.access,
            "token_type": "Bearer",
            "expires_in": int(tokens.USER_LIFE.total_seconds()),
            "refresh_token": pair.refresh,
            "refresh_expires_in": max(0, int(left.total_seconds())),
        }
    )


class _SignInView(ApiView):
    """What sign-in addresses share: they count by address and close without Redis, since guessing stays counted."""

    scopes = {"POST": ANYONE}
    transactional = False  # failures are counted and families revoked although the answer is a no

    def admit_anyone(self, request: ApiRequest) -> None:
        """Count by address, before anything is read or hashed."""
        ip = client_ip(request._request) or "unknown"  # noqa: SLF001 - DRF's documented escape
        limits.admit_or_close([limits.bucket("sign_in_address", owner=ip, subject=ip)])


class SignInView(_SignInView):
    """Exchange e-mail address and password for a pair of tokens."""

    @document(
        summary="Sign a person in",
        description="For people of a partner. The access token lives 10 minutes, the family of refresh tokens 8 hours.",
        request=SignInIn,
        answer=PairOut,
    )
    def post(self, request: ApiRequest) -> Response:
        """Check the password and open a family."""
        values = self.validated(SignInIn)
        email = normal_login(values["email"])
        subject = blind_index("sign_in", None, email).hex()
        limits.admit_or_close([limits.bucket("sign_in", owner=subject, subject=subject)])
        http = request._request  # noqa: SLF001 - DRF's documented escape
        user = _proved(http, email, values["password"])
        moment = now()
        trail.set_actor(trail.Actor("USER", user.public_id, user.full_name), partner_id=user.partner_id)
        pair = families.open_family(
            user=user, ip=client_ip(http), agent=http.headers.get("User-Agent", ""), now=moment
        )
        return _pair(pair)


@contextmanager
def _one_of_two_hashes() -> Iterator[None]:
    if not _HASHES.acquire(timeout=_HASH_WAIT_S):
        raise Unavailable(after_s=2)
    try:
        yield
    finally:
        _HASHES.release()


def _proved(request: HttpRequest, email: str, password: str) -> User:
    """Return the partner's user; unknown, wrong, locked, disabled and staff cost one hash and say the same."""
    with _one_of_two_hashes():
        if AxesProxyHandler.is_allowed(request, {"username": email}):
            user = authenticate(request, username=email, password=password)
        else:
            make_password(password)
            user = None
    # axes would turn our answer into its own page.
    request.axes_locked_out = False  # type: ignore[attr-defined]
    # Staff need their second factor, which this door does not ask for yet.
    if not isinstance(user, User) or user.is_staff or user.partner is None:
        raise SignInFailed
    if user.partner.status != Partner.Status.ACTIVE:
        raise SignInFailed
    AxesProxyHandler.reset_attempts(username=email, ip_address=client_ip(request))
    return user


class RefreshView(_SignInView):
    """Exchange a refresh token for the next pair."""

    @document(
        summary="Refresh a pair of tokens",
        description="Each refresh token is good once; using an old one ends every token of that sign-in.",
        request=RefreshIn,
        answer=PairOut,
    )
    def post(self, request: ApiRequest) -> Response:  # noqa: ARG002 - a handler's signature
        """Rotate."""
        return _pair(families.rotate(refresh=self.validated(RefreshIn)["refresh_token"], now=now()))


class RevokeView(_SignInView):
    """End a sign-in."""

    @document(summary="Sign a person out", request=RefreshIn, answer=None, status=204)
    def post(self, request: ApiRequest) -> Response:  # noqa: ARG002 - a handler's signature
        """End the family of this refresh token; saying it twice is no fault."""
        claims = tokens.read_refresh(self.validated(RefreshIn)["refresh_token"])
        families.revoke(family=str(claims.get("fam")), reason="SIGNED_OUT", now=now())
        return Response(status=204)
