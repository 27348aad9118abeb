"""The worker's side: what is due is claimed, the vendor is called with no transaction open, the answer is settled."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction

from flowlet.core.outcomes import Answer, Outcome
from payments.choices import PaymentKind, StepState
from payments.errors import VendorSilent
from payments.models import PaymentAttempt, Refund
from payments.outside.settling import SILENT, settle_attempt, settle_refund
from payments.rails.registry import OUTSIDE_RAILS, PAYOUT_RAILS, Call

_MARGIN = timedelta(minutes=10)  # the vendor's clock need not be ours
# Taken for as long as a call may take. A planned step is marked as sent before the call: a worker that dies after
# that has it looked up, never sent blindly.
_CLAIM = """
UPDATE {table} SET next_check_at = %(later)s, state = CASE state WHEN 'PLANNED' THEN 'SENT' ELSE state END,
       sent_at = CASE state WHEN 'PLANNED' THEN %(now)s ELSE sent_at END
WHERE id IN (
    SELECT id FROM {table} WHERE next_check_at <= %(now)s AND (state = 'PLANNED') = %(planned)s
    ORDER BY next_check_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
) RETURNING id
"""


def send_due(*, now: datetime, limit: int = 20) -> int:
    """Make the calls that are planned and due, and return how many; safe to run twice and side by side."""
    count = 0
    for attempt_id, at in _claims(PaymentAttempt, planned=True, now=now, limit=limit):
        settle_attempt(attempt_id=attempt_id, answer=_send(_attempt(attempt_id)), now=at)
        count += 1
    for refund_id, at in _claims(Refund, planned=True, now=now, limit=limit):
        refund = _refund(refund_id)
        answer = OUTSIDE_RAILS.get(refund.payment.rail).refund(_refund_call(refund))
        settle_refund(refund_id=refund_id, answer=answer, now=at)
        count += 1
    return count


def check_due(*, now: datetime, limit: int = 50) -> int:
    """Ask after what was sent and is not settled, and return how many; safe to run twice and side by side."""
    count = 0
    for attempt_id, at in _claims(PaymentAttempt, planned=False, now=now, limit=limit):
        settle_attempt(attempt_id=attempt_id, answer=_look_up(_attempt(attempt_id)), now=at)
        count += 1
    for refund_id, at in _claims(Refund, planned=False, now=now, limit=limit):
        settle_refund(refund_id=refund_id, answer=_look_up_refund(_refund(refund_id)), now=at)
        count += 1
    return count


def refresh_attempt(*, our_reference: str, vendor_reference: str, now: datetime) -> bool:
    """
    Ask the vendor how an attempt stands, because it told us that something has happened; False if it is not ours.

    :raises VendorSilent: if it cannot be asked now
    :raises LateResult: if it had ended otherwise
    """
    attempt = PaymentAttempt.objects.filter(our_reference=our_reference).select_related("payment").first()
    if attempt is None:
        return False
    attempt.vendor_reference = attempt.vendor_reference or vendor_reference
    settle_attempt(attempt_id=attempt.pk, answer=_certain(_look_up(attempt), our_reference), now=now)
    return True


def refresh_refund(*, our_reference: str, vendor_reference: str, now: datetime) -> bool:
    """
    Ask the vendor how a refund stands, as `refresh_attempt` does.

    :raises VendorSilent: if it cannot be asked now
    :raises LateResult: if it had failed before
    """
    refund = Refund.objects.filter(our_reference=our_reference).select_related("payment").first()
    if refund is None:
        return False
    refund.vendor_reference = refund.vendor_reference or vendor_reference
    settle_refund(refund_id=refund.pk, answer=_certain(_look_up_refund(refund), our_reference), now=now)
    return True


def _certain(answer: Answer[None], our_reference: str) -> Answer[None]:
    """Let only an answer through that says something: a webhook must not make a payment less certain."""
    if answer.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT):
        raise VendorSilent(reference=our_reference)
    return answer


def _claims(
    model: type[PaymentAttempt | Refund], *, planned: bool, now: datetime, limit: int
) -> Iterator[tuple[int, datetime]]:
    """Claim one after the other, each when its turn comes, so that no claim runs out while others are called."""
    started = time.monotonic()
    for _ in range(limit):
        at = now + timedelta(seconds=time.monotonic() - started)
        claimed = _claim(model, planned=planned, at=at)
        if claimed is None:
            return
        yield claimed, at


def _claim(model: type[PaymentAttempt | Refund], *, planned: bool, at: datetime) -> int | None:
    table = connection.ops.quote_name(model._meta.db_table)  # noqa: SLF001 - Django's documented model API
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(table=table), {"now": at, "later": at + SILENT, "planned": planned})
        row = cursor.fetchone()
        return row[0] if row else None


def _attempt(attempt_id: int) -> PaymentAttempt:
    return PaymentAttempt.objects.select_related("payment").get(pk=attempt_id)


def _refund(refund_id: int) -> Refund:
    return Refund.objects.select_related("payment").get(pk=refund_id)


def _call(attempt: PaymentAttempt) -> Call:
    return Call(
        our_reference=attempt.our_reference,
        amount=attempt.payment.amount,
        target=attempt.payment_method,
        since=attempt.created_at - _MARGIN,
        vendor_reference=attempt.vendor_reference,
    )


def _refund_call(refund: Refund) -> Call:
    collected = PaymentAttempt.objects.get(payment_id=refund.payment_id, state=StepState.DONE)
    return Call(
        our_reference=refund.our_reference,
        amount=refund.amount,
        target=collected.vendor_reference,
        since=refund.created_at - _MARGIN,
        vendor_reference=refund.vendor_reference,
    )


def _send(attempt: PaymentAttempt) -> Answer[None]:
    rail, call = attempt.payment.rail, _call(attempt)
    if attempt.payment.kind == PaymentKind.PAYOUT:
        return PAYOUT_RAILS.get(rail).send(call)
    return OUTSIDE_RAILS.get(rail).collect(call)


def _look_up(attempt: PaymentAttempt) -> Answer[None]:
    rails = PAYOUT_RAILS if attempt.payment.kind == PaymentKind.PAYOUT else OUTSIDE_RAILS
    return rails.get(attempt.payment.rail).get(_call(attempt))


def _look_up_refund(refund: Refund) -> Answer[None]:
    return OUTSIDE_RAILS.get(refund.payment.rail).get_refund(_refund_call(refund))
