"""Asking for a second person, and what that person says; the act itself is one operation of its own domain."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.backoffice.approvals.errors import (
    ApprovalDecided,
    ApprovalPending,
    NotYourApproval,
    OwnApproval,
    StaleApproval,
)
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval, ApprovalStatus, ApprovalVote
from flowlet.core import jsons
from flowlet.core.errors import AppError
from flowlet.core.locks import lock
from flowlet.identity.models import User


@transaction.atomic
def request_approval(
    *,
    action: str,
    object_type: str,
    object_id: str,
    payload: Mapping[str, object],
    maker_id: int,
    reason_code: str,
    note: str,
    now: datetime,
) -> Approval:
    """
    Ask for a second person; nothing is done to the object yet.

    :raises UnknownEntry: if no act of that name needs two people
    :raises NotYourApproval: if the maker lacks the right
    :raises ApprovalPending: if the same act on the same object already waits
    """
    kind = APPROVALS.get(action)
    maker = User.objects.get(pk=maker_id)
    if not _may(maker, kind.maker_permission):
        raise NotYourApproval
    _expire_due(now, object_id=object_id)
    approval = Approval(
        action=action,
        object_type=object_type,
        object_id=object_id,
        payload=dict(payload),
        evidence=dict(kind.evidence(object_id)),
        maker=maker,
        reason_code=reason_code,
        note=note,
        created_at=now,
        expires_at=now + timedelta(hours=kind.hours),
    )
    approval.content_hash = content_hash(approval, approval.evidence)
    try:
        with transaction.atomic():
            approval.save()
    except IntegrityError as error:
        if "approval_one_pending" in str(error):
            raise ApprovalPending from error
        raise
    _record("approval.request", approval, reason_code=reason_code, note=note)
    return approval


@transaction.atomic
def approve(*, approval_id: int, checker_id: int, seen_hash: str, now: datetime, note: str = "") -> Approval:
    """
    Say yes as the second person and carry the act out, in one transaction.

    The returned approval says how it ended: EXECUTED, FAILED (the domain refused; nothing of the act was written) or
    VOID (the object has changed since the maker asked; nothing was done). A checker who comes second finds it decided.

    :raises ApprovalDecided: if it is decided or has expired
    :raises OwnApproval: if the checker made the request or took part in the matter
    :raises NotYourApproval: if the checker lacks the right
    :raises StaleApproval: if the checker saw another content
    """
    approval, kind, checker = _for_checking(approval_id, checker_id, seen_hash, now)
    if content_hash(approval, kind.evidence(approval.object_id)) != approval.content_hash:
        _finish(approval, ApprovalStatus.VOID, now, code="stale_approval")
        return approval
    _vote(approval, checker, ApprovalVote.Decision.APPROVE, note, now)
    try:
        if not _may(approval.maker, kind.maker_permission):
            raise NotYourApproval
        with transaction.atomic():
            kind.execute(approval, now)
    except AppError as refusal:
        _finish(approval, ApprovalStatus.FAILED, now, code=refusal.code, text=refusal.detail)
    else:
        _finish(approval, ApprovalStatus.EXECUTED, now, note=note)
    return approval


@transaction.atomic
def reject(*, approval_id: int, checker_id: int, seen_hash: str, now: datetime, note: str) -> Approval:
    """
    Say no as the second person; the object stays as it is.

    :raises ApprovalDecided, OwnApproval, NotYourApproval, StaleApproval: as `approve`
    """
    approval, _, checker = _for_checking(approval_id, checker_id, seen_hash, now)
    _vote(approval, checker, ApprovalVote.Decision.REJECT, note, now)
    _finish(approval, ApprovalStatus.REJECTED, now, note=note)
    return approval


@transaction.atomic
def withdraw(*, approval_id: int, maker_id: int, now: datetime) -> Approval:
    """
    Take one's own request back.

    :raises ApprovalDecided: if it is no longer open
    :raises NotYourApproval: if somebody else made it
    """
    approval = lock(Approval.objects.filter(pk=approval_id)).get()
    if approval.maker_id != maker_id:
        raise NotYourApproval
    if approval.status != ApprovalStatus.PENDING:
        raise ApprovalDecided
    _finish(approval, ApprovalStatus.WITHDRAWN, now)
    return approval


def expire_approvals(*, now: datetime) -> int:
    """Close what nobody decided in time, each in a transaction of its own; return how many there were."""
    return _expire_due(now)


def find_pending(*, action: str, object_id: str) -> Approval | None:
    """Return the request for this act on this object that waits, or None."""
    rows = Approval.objects.filter(action=action, object_id=object_id, status=ApprovalStatus.PENDING)
    return rows.select_related("maker").first()


def content_hash(approval: Approval, evidence: Mapping[str, Any]) -> str:
    """Return the SHA-256 over what the act will use and how its object stands, as canonical JSON."""
    content = {
        "action": approval.action,
        "object": approval.object_id,
        "payload": approval.payload,
        "evidence": dict(evidence),
        "maker": approval.maker_id,
        "reason": approval.reason_code,
    }
    return hashlib.sha256(jsons.dumps_canonical(content)).hexdigest()


def _for_checking(
    approval_id: int, checker_id: int, seen_hash: str, now: datetime
) -> tuple[Approval, ApprovalKind, User]:
    approval = lock(Approval.objects.filter(pk=approval_id).select_related("maker")).get()
    checker = User.objects.get(pk=checker_id)
    if approval.status != ApprovalStatus.PENDING or now >= approval.expires_at:
        raise ApprovalDecided
    kind = APPROVALS.get(approval.action)
    if not _may(checker, kind.permission):
        raise NotYourApproval
    if not may_check(approval, kind, checker):
        raise OwnApproval
    if seen_hash != approval.content_hash:
        raise StaleApproval
    return approval, kind, checker


def may_check(approval: Approval, kind: ApprovalKind, checker: User) -> bool:
    """Tell whether this person neither asked for it nor took part in the matter."""
    return checker.pk != approval.maker_id and checker.pk not in kind.excluded(approval.object_id)


def _may(user: User, permission: str) -> bool:
    return user.is_active and user.has_perm(permission)


def _vote(
    approval: Approval, checker: User, decision: ApprovalVote.Decision, note: str, now: datetime
) -> None:
    ApprovalVote.objects.create(
        approval=approval,
        maker_id=approval.maker_id,
        checker=checker,
        decision=decision,
        seen_hash=approval.content_hash,
        note=note[:1000],
        voted_at=now,
    )


def _expire_due(now: datetime, **only: object) -> int:
    """
    Expire what is due, without `lock`: the maker's operation has locked its object by now, and approvals come first.

    Nobody waits in a ring: whoever holds an overdue approval's row refuses it before locking anything else, and each
    approval is closed, with what it gives back, before the next is touched.
    """
    rows = Approval.objects.filter(status=ApprovalStatus.PENDING, expires_at__lte=now, **only)
    expired = 0
    for approval in rows.order_by("pk"):
        mine = Approval.objects.filter(pk=approval.pk, status=ApprovalStatus.PENDING)
        with transaction.atomic():
            if mine.update(status=ApprovalStatus.EXPIRED, decided_at=now):
                approval.status = ApprovalStatus.EXPIRED
                _record("approval.expired", approval)
                _give_back(approval, now)
                expired += 1
    return expired


def _finish(
    approval: Approval,
    status: ApprovalStatus,
    now: datetime,
    *,
    code: str = "",
    text: str = "",
    note: str = "",
) -> None:
    approval.status, approval.decided_at = status, now
    approval.outcome_code, approval.outcome_text = code[:60], text[:300]
    approval.save(update_fields=["status", "decided_at", "outcome_code", "outcome_text"])
    _record(f"approval.{status.value.lower()}", approval, reason_code=code, note=note)
    if status != ApprovalStatus.EXECUTED:
        _give_back(approval, now)


def _give_back(approval: Approval, now: datetime) -> None:
    """Tell the act's own room that nothing was done; a request of a release that knew more acts is just closed."""
    if approval.action in APPROVALS:
        APPROVALS.get(approval.action).ended(approval, now)


def _record(verb: str, approval: Approval, *, reason_code: str = "", note: str = "") -> None:
    trail.record(
        action=verb,
        object_type="approval",
        object_id=approval.public_id,
        changes={
            "status": [None if verb == "approval.request" else "PENDING", approval.status],
            "act": [None, approval.action],
            "object": [None, approval.object_id],
        },
        outcome="FAILED" if approval.status in {ApprovalStatus.FAILED, ApprovalStatus.VOID} else "DONE",
        reason_code=reason_code,
        note=note,
    )
