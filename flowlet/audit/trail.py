"""Writing the audit trail: who acts is set once at the edge, each act leaves one row in its own transaction."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Literal

from django.db import connection

from flowlet.audit import signing
from flowlet.core import crypto, jsons
from flowlet.core.ids import new_id

ActorKind = Literal["STAFF", "CLIENT", "USER", "SYSTEM"]
Outcome = Literal["DONE", "REFUSED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `ref` is a public id (or `job:<name>`), `label` a name that people recognise."""

    kind: ActorKind
    ref: str
    label: str = ""

    @property
    def text(self) -> str:
        """Kind and reference in one, as rows outside the trail keep who acted."""
        return f"{self.kind}:{self.ref}"


@dataclass(frozen=True, slots=True)
class _Acting:
    actor: Actor
    request_id: str = ""
    ip: str = ""
    partner_id: int | None = None


_NOBODY = _Acting(Actor("SYSTEM", "job:unknown"))
_acting: ContextVar[_Acting] = ContextVar("flowlet_acting", default=_NOBODY)


@contextmanager
def acting(
    actor: Actor, *, request_id: str = "", ip: str = "", partner_id: int | None = None
) -> Iterator[None]:
    """Name the actor for everything done inside; edges (gateway, back office, tasks, commands) enter it."""
    token = _acting.set(_Acting(actor, request_id, ip, partner_id))
    try:
        yield
    finally:
        _acting.reset(token)


def current_actor() -> Actor:
    """Return who acts now; a system actor `job:unknown` outside `acting`."""
    return _acting.get().actor


def current_request_id() -> str:
    """Return the id of the request that is being served, or ''."""
    return _acting.get().request_id


def set_actor(actor: Actor, *, partner_id: int | None = None) -> None:
    """Replace the actor inside the current `acting`, once a request has been authenticated."""
    _acting.set(replace(_acting.get(), actor=actor, partner_id=partner_id))


def record(
    *,
    action: str,
    object_type: str,
    object_id: str,
    changes: Mapping[str, Sequence[object]] | None = None,
    outcome: Outcome = "DONE",
    reason_code: str = "",
    note: str = "",
    partner_id: int | None = None,
    customer: str = "",
) -> int:
    """
    Write one audit row in the current transaction and return its number.

    `action` reads `<object>.<verb>`, ids are public ids, `changes` holds old and new value of what differs and never
    personal data. `note` is stored encrypted beside the row, which keeps its SHA-256.
    """
    who = _acting.get()
    values: dict[str, str | int | None] = {
        "partner_id": partner_id if partner_id is not None else who.partner_id,
        "customer": customer,
        "actor_kind": who.actor.kind,
        "actor": who.actor.ref,
        "actor_label": who.actor.label[:160],
        "ip": who.ip,
        "request_id": who.request_id,
        "action": action,
        "object_type": object_type,
        "object_id": object_id,
        "outcome": outcome,
        "reason_code": reason_code,
        "changes": jsons.dumps_canonical(changes or {}).decode(),
        "note_digest": hashlib.sha256(note.encode()).hexdigest() if note else "",
    }
    return _insert(values, note)


_NOTE_PLACE = "audit_auditnote.ciphertext"


def _insert(values: dict[str, str | int | None], note: str) -> int:
    columns = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    # The CTE sets the signing pad for this transaction before the trigger of the same statement reads it.
    sql = f"""
        WITH pad AS MATERIALIZED (SELECT set_config('flowlet.audit_pad', %s, true))
        INSERT INTO audit_auditrecord (epoch, xid, recorded_at, origin, db_user, {columns})
        SELECT 1, 0, now(), 'APP', '', {marks} FROM pad RETURNING id
    """  # noqa: S608 - column names are this module's own
    with connection.cursor() as cursor:
        cursor.execute(sql, [_pad(), *values.values()])
        number: int = cursor.fetchone()[0]
        if note:
            public_id = new_id("anote")
            blob = crypto.seal(
                note.encode(), place=f"{_NOTE_PLACE}.{public_id}", keys=crypto.ring("FIELD_KEYS")
            )
            cursor.execute(
                "INSERT INTO audit_auditnote (record_id, public_id, ciphertext) VALUES (%s, %s, %s)",
                [number, public_id, blob],
            )
    return number


def open_note(*, public_id: str, ciphertext: bytes | memoryview) -> str:
    """
    Decrypt the words given with an act.

    :raises InvariantBroken: if they do not open
    """
    return crypto.unseal(
        bytes(ciphertext), place=f"{_NOTE_PLACE}.{public_id}", keys=crypto.ring("FIELD_KEYS")
    ).decode()


def _pad() -> str:
    keys = crypto.ring("AUDIT_MAC_KEYS")
    nonce = os.urandom(16)
    inner, outer = signing.pads(signing.row_key(keys.keys[keys.newest], nonce))
    return f"{keys.newest}:{nonce.hex()}:{inner.hex()}:{outer.hex()}"
