"""One-time codes that prove who a person is before something sensitive happens. The carrier keeps the code itself."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.module_loading import import_string

from flowlet.audit import trail
from flowlet.core.errors import NotFound
from flowlet.core.messages import CodeBackend
from flowlet.core.outcomes import Answer, Outcome
from flowlet.identity.models import Customer
from flowlet.notifications.choices import ChallengeStatus
from flowlet.notifications.errors import CodeNotChecked, CodeNotSent, CodeUsedUp, NoPhoneNumber, TooManyCodes
from flowlet.notifications.models import Challenge

LIFE = timedelta(minutes=10)
PER_HOUR_MAX = 5
CHECKS_MAX = 5
# A worker that says nothing for so long has died.
SILENT = timedelta(seconds=60)
_AGAIN = timedelta(seconds=5)


def start_code(*, customer_id: int, purpose: str, now: datetime, language: str = "en") -> Challenge:
    """
    Send a code to the customer's number and return the challenge (SENT), good for 10 minutes and this purpose alone.

    Calls the carrier between two commits, so it may not run inside a transaction.

    :raises NoPhoneNumber: if there is none
    :raises TooManyCodes: after five codes in an hour
    :raises CodeNotSent: if the carrier refused, or we do not know
    """
    customer = Customer.objects.get(pk=customer_id)
    _check_may_send(customer, now)
    challenge = Challenge.objects.create(
        customer=customer, purpose=purpose, language=language, created_at=now, expires_at=now + LIFE
    )
    answer = _send(challenge, customer.phone or "")
    if answer.code == "too_many_codes":
        raise TooManyCodes
    if challenge.status != ChallengeStatus.SENT:
        raise CodeNotSent
    return challenge


def plan_code(*, customer_id: int, purpose: str, now: datetime, language: str = "en") -> Challenge:
    """
    Have a worker send a code, planned in the caller's transaction; one for each purpose while it is on its way.

    A code that cannot be sent is kept as FAILED with the reason: no number, or too many in an hour.
    """
    known = find_code(customer_id=customer_id, purpose=purpose)
    if known is not None and known.status in (ChallengeStatus.PLANNED, ChallengeStatus.STARTING):
        return known
    customer = Customer.objects.get(pk=customer_id)
    reason = ""
    try:
        _check_may_send(customer, now)
    except (NoPhoneNumber, TooManyCodes) as refusal:
        reason = refusal.code
    return Challenge.objects.create(
        customer=customer,
        purpose=purpose,
        language=language,
        status=ChallengeStatus.FAILED if reason else ChallengeStatus.PLANNED,
        reason=reason,
        created_at=now,
        expires_at=now + LIFE,
        next_step_at=None if reason else now,
    )


def find_code(*, customer_id: int, purpose: str) -> Challenge | None:
    """Return the newest challenge of a customer for a purpose, or None."""
    rows = Challenge.objects.filter(customer_id=customer_id, purpose=purpose)
    return rows.order_by("-created_at", "-pk").first()


# A STARTING one that is due again lost its worker: whether the code went out is unknown, so it ends and a new one can
# be asked for.
_CLAIM = """
UPDATE notifications_challenge SET next_step_at = %(later)s,
       status = CASE status WHEN 'PLANNED' THEN 'STARTING' ELSE 'FAILED' END
WHERE id IN (
    SELECT id FROM notifications_challenge WHERE next_step_at <= %(now)s
    ORDER BY next_step_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


def send_planned(*, now: datetime, limit: int = 20) -> int:
    """Send the codes that are planned and due, and return how many were taken; safe to run twice and side by side."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "later": now + SILENT, "limit": limit})
        ids = [row[0] for row in cursor.fetchall()]
    for challenge in Challenge.objects.filter(pk__in=ids).select_related("customer").order_by("pk"):
        if challenge.status == ChallengeStatus.STARTING:
            challenge.expires_at = now + LIFE
            answer = _send(challenge, challenge.customer.phone or "")
            if answer.outcome is Outcome.NOT_SENT and now - challenge.created_at < LIFE:
                challenge.status = ChallengeStatus.PLANNED
                challenge.next_step_at = now + _AGAIN
            else:
                challenge.next_step_at = None
        else:
            challenge.reason, challenge.next_step_at = "unknown", None
        challenge.save(update_fields=["status", "reason", "expires_at", "next_step_at"])
    return len(ids)


def _check_may_send(customer: Customer, now: datetime) -> None:
    if not customer.phone:
        raise NoPhoneNumber
    recent = Challenge.objects.filter(customer=customer, created_at__gt=now - timedelta(hours=1))
    if recent.exclude(reason="too_many_codes").count() >= PER_HOUR_MAX:
        raise TooManyCodes


def _send(challenge: Challenge, phone: str) -> Answer[str]:
    answer = _backend().start(to=phone, language=challenge.language, our_reference=challenge.public_id)
    sent = answer.outcome is Outcome.ACCEPTED
    challenge.status = ChallengeStatus.SENT if sent else ChallengeStatus.FAILED
    challenge.reason, challenge.vendor_reference = answer.code, answer.reference
    challenge.save(update_fields=["status", "reason", "vendor_reference"])
    return answer


def check_code(*, customer_id: int, challenge: str, code: str, now: datetime) -> bool:
    """
    Compare a code and return whether it is right; a right one approves the challenge, once.

    :raises NotFound: if the challenge is not this customer's
    :raises CodeUsedUp: if it has expired, was approved, or was not sent
    :raises TooManyCodes: after five tries
    :raises CodeNotChecked: if the carrier could not be asked; the same code may be tried again
    """
    known = Challenge.objects.filter(customer_id=customer_id, public_id=challenge).first()
    if known is None:
        raise NotFound
    if known.status != ChallengeStatus.SENT or known.expires_at <= now:
        raise CodeUsedUp
    # Counted before asking, in one statement: many tries at once cannot pass the limit.
    counted = Challenge.objects.filter(pk=known.pk, checks__lt=CHECKS_MAX).update(checks=F("checks") + 1)
    if not counted:
        raise TooManyCodes
    answer = _backend().check(reference=known.vendor_reference, code=code)
    if answer.outcome is Outcome.REFUSED:
        raise TooManyCodes if answer.code == "too_many_checks" else CodeUsedUp
    if answer.outcome is not Outcome.DONE:
        raise CodeNotChecked
    return bool(answer.value) and _approve(known, now)


def is_approved(*, customer_id: int, purpose: str, now: datetime) -> bool:
    """Tell whether the customer has proved himself for this purpose within the life of a code."""
    return Challenge.objects.filter(
        customer_id=customer_id,
        purpose=purpose,
        status=ChallengeStatus.APPROVED,
        approved_at__gt=now - LIFE,
    ).exists()


def _approve(challenge: Challenge, now: datetime) -> bool:
    with transaction.atomic():
        changed = Challenge.objects.filter(pk=challenge.pk, status=ChallengeStatus.SENT).update(
            status=ChallengeStatus.APPROVED, approved_at=now
        )
        if changed:
            trail.record(
                action="challenge.approve",
                object_type="challenge",
                object_id=challenge.public_id,
                changes={"status": ["SENT", "APPROVED"]},
                customer=challenge.customer.public_id,
            )
    return bool(changed)


def _backend() -> CodeBackend:
    backend: CodeBackend = import_string(settings.CODE_BACKEND)()
    return backend
