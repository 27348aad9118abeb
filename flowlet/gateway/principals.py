"""Who calls: a partner's program or a partner's user, loaded in one indexed query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection

from flowlet.audit.trail import Actor
from flowlet.gateway.errors import Unauthenticated
from flowlet.identity.scopes import SCOPES


@dataclass(frozen=True, slots=True)
class Principal:
    """
    Whoever a valid token stands for.

    `client_id` is that of a program (`cli_…`), `user_id` the public id of a person (`usr_…`); the other one is ''.
    Every query of the API starts at `partner_id`.
    """

    kind: Literal["CLIENT", "USER"]
    partner_id: int
    partner_public_id: str
    client_id: str
    user_id: str
    scopes: frozenset[str]
    actor: Actor

    @property
    def subject(self) -> str:
        """What limits count by: the client's or the user's id."""
        return self.client_id or self.user_id


# Plain SQL, since this runs before every single request and the ORM's own work would cost more than the query.
_CLIENT = """
SELECT c.public_id, c.name, c.scopes, c.partner_id, p.public_id
FROM identity_apiclient c JOIN identity_partner p ON p.id = c.partner_id
WHERE c.client_id = %s AND c.security_version = %s AND c.status = 'ACTIVE' AND p.status = 'ACTIVE'
  AND (c.expires_at IS NULL OR c.expires_at > %s)
"""
_USER = """
SELECT u.public_id, u.full_name, p.id, p.public_id
FROM identity_user u JOIN identity_partner p ON p.id = u.partner_id
WHERE u.public_id = %s AND u.security_version = %s AND u.is_active AND NOT u.is_staff AND p.status = 'ACTIVE'
"""


def _one(sql: str, parameters: list[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise Unauthenticated
    return row


def load_client(*, client_id: str, security_version: int, scopes: frozenset[str], now: datetime) -> Principal:
    """
    Return the program of that id; its scopes are those of the token that it still has.

    :raises Unauthenticated: if it is unknown, revoked, expired, changed since, or its partner is suspended
    """
    public_id, name, granted, partner_id, partner_public_id = _one(
        _CLIENT, [client_id, security_version, now]
    )
    return Principal(
        kind="CLIENT",
        partner_id=partner_id,
        partner_public_id=partner_public_id,
        client_id=client_id,
        user_id="",
        scopes=scopes.intersection(granted),
        actor=Actor("CLIENT", public_id, name),
    )


# A partner's own people may do what the API offers; roles of theirs come with the partner portal.
USER_SCOPES = frozenset(SCOPES)


def load_user(*, user_id: str, security_version: int, scopes: frozenset[str]) -> Principal:
    """
    Return the partner's user of that public id.

    :raises Unauthenticated: if the user is unknown, disabled, staff, changed since, or the partner is suspended
    """
    public_id, name, partner_id, partner_public_id = _one(_USER, [user_id, security_version])
    return Principal(
        kind="USER",
        partner_id=partner_id,
        partner_public_id=partner_public_id,
        client_id="",
        user_id=public_id,
        scopes=scopes & USER_SCOPES,
        actor=Actor("USER", public_id, name),
    )
