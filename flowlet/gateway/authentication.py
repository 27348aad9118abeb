"""From the Authorization header to the principal."""

from datetime import datetime

from django.http import HttpRequest

from flowlet.gateway import limits, principals, tokens
from flowlet.gateway.addresses import client_ip
from flowlet.gateway.errors import Unauthenticated
from flowlet.gateway.principals import Principal


def authenticate(request: HttpRequest, *, now: datetime) -> Principal:
    """
    Return who calls. Cookies are never looked at.

    :raises Unauthenticated: without a good token; failures are counted by address
    :raises RateLimited: if that address failed too often
    """
    try:
        return _authenticate(request.META.get("HTTP_AUTHORIZATION", ""), now=now)
    except Unauthenticated:
        ip = client_ip(request) or "unknown"
        limits.admit([limits.bucket("anyone", owner=ip, subject=ip)])
        raise


def _authenticate(header: str, *, now: datetime) -> Principal:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    claims = tokens.read_access(token)
    if claims.kind == "client":
        return principals.load_client(
            client_id=claims.subject,
            security_version=claims.security_version,
            scopes=claims.scopes,
            now=now,
        )
    return principals.load_user(
        user_id=claims.subject, security_version=claims.security_version, scopes=claims.scopes
    )
