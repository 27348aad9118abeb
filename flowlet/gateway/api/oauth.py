"""Tokens for programs: OAuth 2.0 client credentials (RFC 6749 section 4.4) and the public keys that verify them."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote_plus

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.response import Response

from flowlet.audit import trail
from flowlet.core.clock import now
from flowlet.core.errors import AppError
from flowlet.gateway import limits, parsing, tokens
from flowlet.gateway.addresses import client_ip
from flowlet.gateway.errors import MethodNotAllowed
from flowlet.gateway.openapi_schema import document, problems
from flowlet.gateway.passage import passage_of
from flowlet.gateway.rendering import Answer, dumps
from flowlet.gateway.views import ANYONE, ApiRequest, ApiView
from flowlet.identity.models import ApiClient, ApiClientSecret
from flowlet.identity.operations import secret_digest

_STATUS = {"invalid_client": 401, "temporarily_unavailable": 503, "slow_down": 429}
_FIELDS = frozenset({"grant_type", "scope", "client_id", "client_secret"})


class OAuthError(AppError):
    """A refusal in the words of RFC 6749 section 5.2."""

    code = "oauth_error"
    message = "{error}: {description}"

    def __init__(self, error: str, description: str) -> None:
        self.error = error
        self.description = description
        super().__init__(error=error, description=description)


class TokenIn(serializers.Serializer[Any]):
    """A token request; client id and secret come here or, better, in a Basic Authorization header."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    scope = serializers.CharField(
        required=False, help_text="Scopes with blanks between; without it all of the client's."
    )
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)


class TokenOut(serializers.Serializer[Any]):
    """An access token."""

    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")
    scope = serializers.CharField()


class OAuthErrorOut(serializers.Serializer[Any]):
    """A refusal as RFC 6749 section 5.2 writes it."""

    error = serializers.CharField()
    error_description = serializers.CharField()


_REFUSALS = {**dict.fromkeys((400, 401, 429, 503), OAuthErrorOut), **problems(404, 405, 411, 413, 500)}


@dataclass(frozen=True, slots=True)
class _Credentials:
    client_id: str
    secret: str


class TokenView(ApiView):
    """Exchange client id and secret for an access token."""

    scopes = {"POST": ANYONE}
    transactional = False  # one statement writes

    def read_body(self, request: HttpRequest) -> dict[str, str]:
        """Read the form."""
        return parsing.read_form(request)

    def admit_anyone(self, request: ApiRequest) -> None:
        """Count by address here; by client once the credentials are read. Closed without Redis."""
        ip = client_ip(request._request) or "unknown"  # noqa: SLF001 - DRF's documented escape
        limits.admit_or_close([limits.bucket("token_address", owner=ip, subject=ip)])

    def problem(self, error: AppError) -> HttpResponse:
        """Answer in the form of RFC 6749, not as a problem."""
        if isinstance(error, MethodNotAllowed):
            return super().problem(error)
        if not isinstance(error, OAuthError):
            error = _as_oauth(error)
        passage_of(self.request._request).code = error.error  # noqa: SLF001 - DRF's documented escape
        status = _STATUS.get(error.error, 400)
        headers = {"Cache-Control": "no-store"}
        if status == _STATUS["invalid_client"]:
            headers["WWW-Authenticate"] = 'Basic realm="flowlet", charset="UTF-8"'
        after_s = getattr(error, "after_s", None)
        if after_s is not None:
            headers["Retry-After"] = str(after_s)
        body = {"error": error.error, "error_description": error.description}
        return Answer(status, dumps(body), headers).response()

    @document(
        summary="Get an access token for a program",
        description="The token lives 15 minutes; there is no refresh token, ask again. Errors read as RFC 6749 says.",
        request={parsing.FORM: TokenIn},
        answer=TokenOut,
        refusals=_REFUSALS,
    )
    def post(self, request: ApiRequest) -> Response:
        """Issue a token."""
        form = cast("dict[str, str]", request.data)
        _check_form(form)
        credentials = _read_credentials(request, form)
        limits.admit_or_close(
            [limits.bucket("token", owner=credentials.client_id, subject=credentials.client_id)]
        )
        client = _authenticated(credentials)
        scopes = _wanted_scopes(form, client)
        access = tokens.issue_client(
            client_id=client.client_id,
            partner=client.partner.public_id,
            scopes=scopes,
            security_version=client.security_version,
        )
        return Response(
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": int(tokens.CLIENT_LIFE.total_seconds()),
                "scope": " ".join(sorted(scopes)),
            },
            headers={"Pragma": "no-cache"},
        )


def _as_oauth(error: AppError) -> OAuthError:
    if error.http_status == _STATUS["temporarily_unavailable"]:
        translated = OAuthError("temporarily_unavailable", "Try again in a moment.")
    elif error.http_status == _STATUS["slow_down"]:
        translated = OAuthError("slow_down", error.detail)
    else:
        translated = OAuthError("invalid_request", error.detail)
    after_s = error.fields.get("after_s", error.retry.after_s)
    translated.after_s = after_s  # type: ignore[attr-defined]
    return translated


def _check_form(form: dict[str, str]) -> None:
    if unknown := sorted(set(form) - _FIELDS):
        raise OAuthError("invalid_request", f"There is no parameter {unknown[0][:80]!a}.")
    grant = form.get("grant_type")
    if grant is None:
        raise OAuthError("invalid_request", "grant_type is missing.")
    if grant != "client_credentials":
        raise OAuthError("unsupported_grant_type", "Only client_credentials is supported.")


def _read_credentials(request: ApiRequest, form: dict[str, str]) -> _Credentials:
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return _Credentials(form.get("client_id", ""), form.get("client_secret", ""))
    if "client_secret" in form or form.get("client_id", "") not in {"", _basic(header).client_id}:
        raise OAuthError("invalid_request", "Send the client's credentials in one way only.")
    return _basic(header)


def _basic(header: str) -> _Credentials:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            user, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            user, colon, secret = "", "", ""
        if colon:
            return _Credentials(unquote_plus(user), unquote_plus(secret))
    raise OAuthError("invalid_client", "The Authorization header is not readable.")


def _authenticated(credentials: _Credentials) -> ApiClient:
    """Return the client whose secret this is; for unknown clients the same work is done and the same said."""
    moment = now()
    digest = secret_digest(credentials.secret)
    other = "cli_test_" if settings.FLOWLET_MODE == "live" else "cli_live_"
    if credentials.client_id.startswith(other):
        raise OAuthError("invalid_client", "wrong_environment: this client belongs to the other environment.")
    secrets = ApiClientSecret.objects.select_related("client__partner").filter(
        Q(client__expires_at__isnull=True) | Q(client__expires_at__gt=moment),
        client__client_id=credentials.client_id,
        client__status=ApiClient.Status.ACTIVE,
        client__partner__status="ACTIVE",
        valid_from__lte=moment,
        valid_to__gt=moment,
    )
    matching = [secret for secret in secrets if hmac.compare_digest(bytes(secret.digest), digest)]
    if not matching or "\0" in credentials.client_id:
        raise OAuthError("invalid_client", "Client authentication failed.")
    secret = matching[0]
    secret.used_at = moment
    secret.save(update_fields=["used_at"])
    trail.set_actor(
        trail.Actor("CLIENT", secret.client.public_id, secret.client.name),
        partner_id=secret.client.partner_id,
    )
    return secret.client


def _wanted_scopes(form: dict[str, str], client: ApiClient) -> frozenset[str]:
    granted = frozenset(client.scopes)
    if "scope" not in form:
        return granted
    wanted = frozenset(form["scope"].split())
    if not wanted or not wanted <= granted:
        raise OAuthError("invalid_scope", "The client does not have every scope it asks for.")
    return wanted


class JwksView(ApiView):
    """The public keys of our tokens."""

    scopes = {"GET": ANYONE}

    @document(summary="List the public keys that verify access tokens", answer=dict[str, Any])
    def get(self, request: ApiRequest) -> Response:  # noqa: ARG002 - a handler's signature
        """Return the key set."""
        return Response(tokens.jwks(), headers={"Cache-Control": "public, max-age=300"})
