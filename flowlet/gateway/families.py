"""Families of refresh tokens: one statement rotates, one use of an old token ends the family."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from flowlet.audit import trail
from flowlet.gateway import tokens
from flowlet.gateway.errors import Unauthenticated
from flowlet.gateway.models import RefreshFamily
from flowlet.gateway.principals import USER_SCOPES
from flowlet.identity.models import User

# Check and change in one statement: of any number of uses at once, one finds its number there.
_ROTATE = """
UPDATE gateway_refreshfamily f SET current_jti = %s
FROM identity_user u JOIN identity_partner p ON p.id = u.partner_id
WHERE f.public_id = %s AND f.current_jti = %s AND f.revoked_at IS NULL AND f.expires_at > %s
  AND u.id = f.user_id AND u.security_version = f.security_version AND u.is_active AND p.status = 'ACTIVE'
RETURNING u.public_id, p.public_id, u.security_version, f.expires_at
"""
_REVOKE = """
UPDATE gateway_refreshfamily f SET revoked_at = %s, reason = %s
FROM identity_user u WHERE f.public_id = %s AND f.revoked_at IS NULL AND u.id = f.user_id
RETURNING u.public_id, u.full_name, u.partner_id
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and the refresh token that buys the next pair; `refresh_expires_at` is the family's end."""

    access: str
    refresh: str
    refresh_expires_at: datetime


@transaction.atomic
def open_family(*, user: User, ip: str, agent: str, now: datetime) -> Pair:
    """Start a family for a user who has just proved himself; the user has a partner."""
    jti = uuid4().hex
    family = RefreshFamily.objects.create(
        user=user,
        current_jti=jti,
        security_version=user.security_version,
        created_at=now,
        expires_at=now + tokens.REFRESH_LIFE,
        ip=ip,
        agent=agent[:200],
    )
    trail.record(action="session.open", object_type="user", object_id=user.public_id)
    partner = "" if user.partner is None else user.partner.public_id
    return _pair(
        family.public_id, jti, user.public_id, partner, user.security_version, expires_at=family.expires_at
    )


def rotate(*, refresh: str, now: datetime) -> Pair:
    """
    Return the next pair. Of any number of uses at once one wins; every other use ends the family.

    :raises Unauthenticated: if the token is not good, was used before, or the user changed since
    """
    claims = tokens.read_refresh(refresh)
    jti = uuid4().hex
    with transaction.atomic():
        row = _row(_ROTATE, [jti, claims.get("fam"), claims["jti"], now])
        if row is not None:
            user_id, partner, version, expires_at = row
            return _pair(str(claims["fam"]), jti, user_id, partner, version, expires_at=expires_at)
        reused = not RefreshFamily.objects.filter(
            public_id=claims.get("fam"), current_jti=claims["jti"]
        ).exists()
        revoke(family=str(claims.get("fam")), reason="REUSED" if reused else "ENDED", now=now)
    raise Unauthenticated


@transaction.atomic
def revoke(*, family: str, reason: str, now: datetime) -> bool:
    """End a family; return whether it was alive. `reason` is REUSED, ENDED or SIGNED_OUT."""
    row = _row(_REVOKE, [now, reason, family])
    if row is None:
        return False
    user_id, name, partner_id = row
    trail.set_actor(trail.Actor("USER", user_id, name), partner_id=partner_id)
    trail.record(
        action="session.revoke",
        object_type="user",
        object_id=user_id,
        outcome="DONE" if reason == "SIGNED_OUT" else "REFUSED",
        reason_code=reason.lower(),
        partner_id=partner_id,
    )
    return True


def _row(sql: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _pair(
    family: str, jti: str, user_id: str, partner: str, security_version: int, *, expires_at: datetime
) -> Pair:
    refresh = tokens.RefreshToken()
    refresh["sub"], refresh["fam"], refresh["jti"], refresh["ver"] = user_id, family, jti, security_version
    refresh["exp"] = int(expires_at.timestamp())
    access = tokens.issue_user(
        user_id=user_id, partner=partner, scopes=USER_SCOPES, security_version=security_version
    )
    return Pair(access=access, refresh=str(refresh), refresh_expires_at=expires_at)
