"""What a vendor's answer does to a step and to its payment or refund; the only writer of their states."""

from datetime import datetime, timedelta

from django.db import transaction

from flowlet.core.locks import lock
from flowlet.core.outcomes import Answer, Outcome
from ledger.operations.holds import release_hold
from payments.choices import PaymentKind, PaymentStatus, RefundStatus, StepState
from payments.errors import LateResult
from payments.models import Payment, PaymentAttempt, Refund
from payments.outside import booking
from payments.outside.reasons import words_of
from payments.outside.telling import tell_payment, tell_refund
from payments.rails.registry import OUTSIDE_RAILS
from wallets.operations.limits import give_back_limit

# Seconds until the next look at a step that is open; after the last, a person has to look.
CHECK_S = (15, 60, 300, 1800, 7200, 43_200, *([86_400] * 5))
# Stripe keeps an idempotency key for a day: until well before that, the same call is safe to repeat.
_DEADLINE = timedelta(hours=20)
# A call without an answer for so long is over: if the vendor knows nothing of it now, it never came there.
SILENT = timedelta(seconds=60)
# Banks send money back within five business days; a week and a bit covers holidays between.
_RETURNS_WITHIN, _DAY = timedelta(days=10), timedelta(days=1)
_SIDES = ("payer_wallet__customer", "payee_wallet__customer", "bank_account")
_STEP_FIELDS = (
    "state",
    "vendor_reference",
    "vendor_code",
    "sent_at",
    "answered_at",
    "next_check_at",
    "checks",
)
_STATES = {
    Outcome.DONE: StepState.DONE,
    Outcome.ACCEPTED: StepState.ACCEPTED,
    Outcome.REFUSED: StepState.REFUSED,
    Outcome.UNKNOWN: StepState.UNKNOWN,
}


@transaction.atomic
def settle_attempt(*, attempt_id: int, answer: Answer[None], now: datetime) -> None:
    """
    Apply what a rail said about an attempt, once: its payment moves forward, and money is booked if it moved.

    A payout that a bank had and sent back is returned: its money comes to the wallet again. So is what was drawn from
    a bank that takes it back: the wallet pays it, or its owner owes it.

    :raises LateResult: if the attempt had ended otherwise; nothing changes
    """
    payment_id = PaymentAttempt.objects.values_list("payment_id", flat=True).get(pk=attempt_id)
    payment = lock(Payment.objects.filter(pk=payment_id)).select_related(*_SIDES).get()
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    payout = payment.kind == PaymentKind.PAYOUT
    returnable = payout or OUTSIDE_RAILS.get(payment.rail).returnable
    if not _apply(attempt, answer, attempt.created_at, now, may_still_fail=returnable):
        _watch(attempt, payment, now)
        return
    attempt.save(update_fields=_STEP_FIELDS)
    before, wanted = payment.status, _payment_status(attempt, payment)
    if wanted == before:
        return
    payment.status = wanted
    _book(payment, attempt, now)
    payment.save()
    _watch(attempt, payment, now)
    tell_payment(payment, before=before, now=now)


def _book(payment: Payment, attempt: PaymentAttempt, now: datetime) -> None:
    """Do to money, hold, limits and reasons what the payment's new state says."""
    payout = payment.kind == PaymentKind.PAYOUT
    match payment.status:
        case PaymentStatus.COMPLETED if payout:
            payment.transaction_id = booking.pay_out(payment, now=now).transaction_id
            payment.completed_at = now
        case PaymentStatus.COMPLETED:
            posted, payment.parked = booking.give(
                payment, kind=payment.kind, amount=payment.amount, source_key=payment.public_id, now=now
            )
            payment.transaction_id, payment.completed_at = posted.transaction_id, now
        case PaymentStatus.FAILED:
            payment.refusal_code, payment.refusal_detail = _words(payment, attempt)
            give_back_limit(
                wallet=payment.own_wallet,
                kind="OUT" if payout else "IN",
                amount=payment.amount,
                used_at=payment.created_at,
            )
            if payment.hold_id is not None:
                release_hold(hold_id=payment.hold_id, source_key="failed", now=now)
        case PaymentStatus.RETURNED:
            payment.refusal_code, payment.refusal_detail = _words(payment, attempt)
            key = f"{payment.public_id}-returned"
            if payout:
                posted, payment.parked = booking.give(
                    payment, kind="PAYOUT_RETURN", amount=payment.amount, source_key=key, now=now
                )
            else:
                posted = booking.take_back(payment, source_key=key, now=now)
            payment.returned_id = posted.transaction_id


def _words(payment: Payment, attempt: PaymentAttempt) -> tuple[str, str]:
    payout = payment.kind == PaymentKind.PAYOUT
    return words_of(attempt.vendor_code, payout=payout, rail=payment.rail)


def _watch(attempt: PaymentAttempt, payment: Payment, now: datetime) -> None:
    """Keep asking after a payout that is done, for as long as banks send money back; a webhook may get lost."""
    if payment.kind != PaymentKind.PAYOUT or attempt.state != StepState.DONE or payment.completed_at is None:
        return
    over = now - payment.completed_at > _RETURNS_WITHIN
    attempt.next_check_at = None if over else now + _DAY
    attempt.save(update_fields=["next_check_at"])


def _payment_status(attempt: PaymentAttempt, payment: Payment) -> PaymentStatus:
    match StepState(attempt.state):
        case StepState.DONE:
            return PaymentStatus.COMPLETED
        case StepState.REFUSED if payment.status == PaymentStatus.COMPLETED:
            return PaymentStatus.RETURNED
        case StepState.REFUSED:
            return PaymentStatus.FAILED
        case StepState.UNKNOWN:
            return PaymentStatus.OUTCOME_UNKNOWN
        case StepState.ACCEPTED:
            return PaymentStatus.PROCESSING
    # Not sent, or sent and not answered: what is unknown stays so until the vendor has said something.
    return PaymentStatus(payment.status)


@transaction.atomic
def settle_refund(*, refund_id: int, answer: Answer[None], now: datetime) -> None:
    """
    Apply what a rail said about a refund; one that fails, also days later, gives the money back to the wallet.

    :raises LateResult: if it had failed before and now is done; nothing changes
    """
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    payment = lock(Payment.objects.filter(pk=payment_id)).select_related(*_SIDES).get()
    refund = Refund.objects.get(pk=refund_id)
    refund.payment = payment
    if not _apply(refund, answer, refund.created_at, now, may_still_fail=True):
        return
    before, wanted = refund.status, _refund_status(refund)
    if wanted == RefundStatus.FAILED:
        key = f"{refund.public_id}-returned"
        posted, _ = booking.give(payment, kind="REFUND_RETURN", amount=refund.amount, source_key=key, now=now)
        refund.returned_id = posted.transaction_id
    refund.status = wanted
    refund.save(update_fields=[*_STEP_FIELDS, "status", "returned"])
    if wanted != before:
        _count(payment, refund, before)
        tell_refund(refund, before=before, now=now)


def _refund_status(refund: Refund) -> RefundStatus:
    match StepState(refund.state):
        case StepState.DONE:
            return RefundStatus.SUCCEEDED
        case StepState.REFUSED:
            return RefundStatus.FAILED
    return RefundStatus.PENDING


def _count(payment: Payment, refund: Refund, before: str) -> None:
    if before == RefundStatus.PENDING:
        payment.refunding_minor -= refund.amount_minor
    else:
        payment.refunded_minor -= refund.amount_minor
    if refund.status == RefundStatus.SUCCEEDED:
        payment.refunded_minor += refund.amount_minor
    payment.save(update_fields=["refunded_minor", "refunding_minor"])


def _apply(
    step: PaymentAttempt | Refund,
    answer: Answer[None],
    begun_at: datetime,
    now: datetime,
    *,
    may_still_fail: bool = False,
) -> bool:
    """Write the answer into a step; False if it says nothing new about one that is settled."""
    if step.settled:
        fails_late = may_still_fail and step.state == StepState.DONE and answer.outcome is Outcome.REFUSED
        if not fails_late:
            if answer.settled and _STATES[answer.outcome] != step.state:
                raise LateResult(said=answer.outcome.value, reference=step.our_reference)
            return False
    step.vendor_reference = answer.reference or step.vendor_reference
    step.vendor_code = answer.code[:80]
    if answer.outcome is Outcome.NOT_SENT:
        _not_there(step, begun_at, now)
    elif answer.outcome is Outcome.UNKNOWN and step.state == StepState.ACCEPTED:
        pass  # that it cannot be asked after now takes nothing back: it was accepted
    else:
        step.state, step.answered_at = _STATES[answer.outcome], now
    step.next_check_at = None if step.settled else _next_check(step, now)
    return True


def _not_there(step: PaymentAttempt | Refund, begun_at: datetime, now: datetime) -> None:
    """
    Plan the same call again, under the same reference, until it is too late for that.

    A look-up that finds nothing is believed only when our call cannot be on its way any more.
    """
    if step.vendor_code == "not_found" and step.sent_at is not None and now - step.sent_at < SILENT:
        step.state = StepState.UNKNOWN
    elif now - begun_at > _DEADLINE:
        step.vendor_code = "not_found" if step.vendor_code == "not_found" else "not_sent"
        step.state, step.answered_at = StepState.REFUSED, now
    else:
        step.state = StepState.PLANNED


def _next_check(step: PaymentAttempt | Refund, now: datetime) -> datetime | None:
    if step.state == StepState.PLANNED:
        return now + timedelta(seconds=CHECK_S[0])
    step.checks += 1
    if step.checks > len(CHECK_S):
        return None
    return now + timedelta(seconds=CHECK_S[step.checks - 1])
