"""One key, one effect, one answer: the answer is stored in the transaction of the effect."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest

from flowlet.core.again import in_transaction
from flowlet.core.errors import AppError
from flowlet.core.jsons import dumps_canonical
from flowlet.gateway.errors import IdempotencyInFlight, IdempotencyKeyInvalid, IdempotencyKeyReused
from flowlet.gateway.models import IdempotencyRecord
from flowlet.gateway.rendering import Answer

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
UNPROCESSABLE = 422
# The lock dies with its connection, so that a killed worker frees its key at once; nothing is ever "in flight" in a row.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks for which operation under which key, and the digest of what exactly is asked."""

    partner_id: int
    operation: str
    key: str
    fingerprint: bytes
    request_id: str
    now: datetime


def read_key(request: HttpRequest) -> str | None:
    """
    Return the key of the request, or None.

    :raises IdempotencyKeyInvalid: if it is not 1 to 255 visible ASCII characters
    """
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid
    return key


def fingerprint(request: HttpRequest, body: Any) -> bytes:
    """Return the SHA-256 over concrete address and canonical body (RFC 8785)."""
    return hashlib.sha256(request.get_full_path().encode() + b"\n" + dumps_canonical(body)).digest()


def answer_once(
    claim: Claim, act: Callable[[], Answer], refuse: Callable[[AppError], Answer]
) -> tuple[Answer, bool]:
    """
    Run `act` unless this key has its answer already; return the answer and whether it is a replay.

    A decision of the domain (422) is stored by itself after the roll-back: asking again under the same key gets the
    same no. Everything else that `act` raises burns nothing.

    :raises IdempotencyInFlight: if the first request with this key is still at work
    :raises IdempotencyKeyReused: if the key belongs to another request
    """
    try:
        return in_transaction(lambda: _answered(claim, act))
    except AppError as refusal:
        if refusal.http_status != UNPROCESSABLE or isinstance(refusal, IdempotencyKeyReused):
            raise
        decided = refusal
    with transaction.atomic():
        return _answered(claim, lambda: refuse(decided))


def answer_outside(
    claim: Claim, act: Callable[[], Answer], refuse: Callable[[AppError], Answer]
) -> tuple[Answer, bool]:
    """
    As `answer_once`, for what waits for a vendor between transactions of its own: `act` runs in none of ours.

    No lock can be held meanwhile, so two at the same instant may both act: what they do must be safe to run twice.
    Then the first answer that was stored is sent to both.

    :raises IdempotencyKeyReused: if the key belongs to another request
    """
    stored = _find(claim)
    if stored is not None:
        return stored, True
    try:
        answer = act()
    except AppError as refusal:
        if refusal.http_status != UNPROCESSABLE or isinstance(refusal, IdempotencyKeyReused):
            raise
        answer = refuse(refusal)
    try:
        with transaction.atomic():
            _store(claim, answer)
    except IdempotencyInFlight:
        return _find(claim) or answer, True
    return answer, False


def _answered(claim: Claim, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"{claim.partner_id}|{claim.operation}|{claim.key}"])
        if not cursor.fetchone()[0]:
            raise IdempotencyInFlight
    stored = _find(claim)
    if stored is not None:
        return stored, True
    answer = act()
    _store(claim, answer)
    return answer, False


def _find(claim: Claim) -> Answer | None:
    row = IdempotencyRecord.objects.filter(
        partner_id=claim.partner_id, key=claim.key, operation=claim.operation
    ).first()
    if row is None:
        return None
    if bytes(row.fingerprint) != claim.fingerprint:
        raise IdempotencyKeyReused
    return Answer(row.status, bytes(row.body), row.headers, row.content_type, row.object_id)


def _store(claim: Claim, answer: Answer) -> None:
    try:
        IdempotencyRecord.objects.create(
            partner_id=claim.partner_id,
            operation=claim.operation,
            key=claim.key,
            fingerprint=claim.fingerprint,
            status=answer.status,
            headers=answer.headers,
            content_type=answer.content_type,
            body=answer.body,
            object_id=answer.object_id,
            request_id=claim.request_id,
            created_at=claim.now,
        )
    except IntegrityError as error:
        # Two that did not meet at the lock meet here; the transaction of the second one is undone.
        raise IdempotencyInFlight from error
