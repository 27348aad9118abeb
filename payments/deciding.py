"""What ends a payment's waiting: staff release or refuse it, its payer confirms it, its partner cancels it, time runs out."""

from datetime import datetime, timedelta

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError, NotFound
from flowlet.core.locks import lock
from fraud.choices import LabelSource, Verdict
from fraud.errors import EventUnknown
from fraud.operations.labelling import record_label
from payments.choices import PaymentKind, PaymentStatus, StepState
from payments.errors import Canceled, NotConfirmed, PaymentDeclined, WrongState
from payments.models import Payment, PaymentAttempt
from payments.moving import carry_out, check_sides, lock_payment, stop
from payments.outside.telling import tell_payment

CONFIRM_WITHIN = timedelta(minutes=15)
# What a decision of staff says about the payment, for the models to learn from.
_LABELS = {
    "CUSTOMER_CONFIRMED": Verdict.GENUINE,
    "KNOWN_PATTERN": Verdict.GENUINE,
    "FRAUD": Verdict.FRAUD,
    "ACCOUNT_TAKEN_OVER": Verdict.FRAUD,
}


@transaction.atomic
def release_payment(*, payment_id: str, reason_code: str, now: datetime, note: str = "") -> Payment:
    """
    Let a held payment go on: between wallets the money moves now, to a bank account a worker sends it.

    What binds wallets and customers is asked again; if something does, the payment stays held.

    :raises NotFound: if there is no such payment
    :raises WrongState: if it is not held (any more)
    :raises AppError: if money may not move now, as for a payment
    """
    payment = _waiting(payment_id, PaymentStatus.HELD)
    check_sides(payment)
    _learn(payment, reason_code, now)
    _go_on(payment, now)
    tell_payment(
        payment,
        before=PaymentStatus.HELD,
        now=now,
        action="payment.release",
        reason_code=reason_code,
        note=note,
    )
    return payment


@transaction.atomic
def refuse_payment(*, payment_id: str, reason_code: str, now: datetime, note: str = "") -> Payment:
    """
    End a held payment; the money is free again. Partners read neutral words, the reason stays in the house.

    :raises NotFound: if there is no such payment
    :raises WrongState: if it is not held (any more)
    """
    payment = _waiting(payment_id, PaymentStatus.HELD)
    _learn(payment, reason_code, now)
    stop(payment, status=PaymentStatus.REFUSED, refusal=PaymentDeclined(), now=now)
    tell_payment(
        payment,
        before=PaymentStatus.HELD,
        now=now,
        action="payment.refuse",
        reason_code=reason_code,
        note=note,
    )
    return payment


@transaction.atomic
def confirm_payment(*, payment_id: str, now: datetime) -> Payment:
    """
    Carry out a payment whose payer has given the second factor; who calls this has checked it.

    If it cannot happen any more (funds, freeze, restriction), it ends as FAILED with `refusal_code`.

    :raises NotFound: if there is no such payment
    :raises WrongState: if it does not wait for this (any more)
    """
    payment = _waiting(payment_id, PaymentStatus.REQUIRES_ACTION)
    try:
        if now > payment.created_at + CONFIRM_WITHIN:
            raise NotConfirmed
        with transaction.atomic():
            check_sides(payment)
            _go_on(payment, now)
    except AppError as refusal:
        late = isinstance(refusal, NotConfirmed)
        payment.transaction_id, payment.completed_at, payment.hold_id = None, None, None
        status = PaymentStatus.CANCELED if late else PaymentStatus.FAILED
        stop(payment, status=status, refusal=refusal, now=now)
    tell_payment(payment, before=PaymentStatus.REQUIRES_ACTION, now=now)
    return payment


@transaction.atomic
def cancel_payment(*, partner_id: int, payment_id: str, now: datetime) -> Payment:
    """
    Take back a payment that waits for a look or for its payer; canceling again changes nothing.

    :raises NotFound: if it is absent or another partner's
    :raises WrongState: if it has gone on already
    """
    payment = lock_payment(payment_id)
    if payment is None or payment.partner_id != partner_id:
        raise NotFound
    if payment.status == PaymentStatus.CANCELED:
        return payment
    before = payment.status
    if before not in (PaymentStatus.HELD, PaymentStatus.REQUIRES_ACTION):
        raise WrongState(status=payment.get_status_display().lower())
    stop(payment, status=PaymentStatus.CANCELED, refusal=Canceled(), now=now)
    tell_payment(payment, before=before, now=now)
    return payment


def cancel_unconfirmed(*, now: datetime, limit: int = 100) -> int:
    """Cancel payments that were not confirmed in time, and return how many; safe to run twice and side by side."""
    rows = Payment.objects.filter(
        status=PaymentStatus.REQUIRES_ACTION, created_at__lt=now - CONFIRM_WITHIN
    ).order_by("created_at", "pk")
    return sum(_cancel_late(public_id, now) for public_id in rows.values_list("public_id", flat=True)[:limit])


@transaction.atomic
def _cancel_late(public_id: str, now: datetime) -> int:
    payment = lock_payment(public_id)
    if payment is None or payment.status != PaymentStatus.REQUIRES_ACTION:
        return 0
    stop(payment, status=PaymentStatus.CANCELED, refusal=NotConfirmed(), now=now)
    tell_payment(payment, before=PaymentStatus.REQUIRES_ACTION, now=now)
    return 1


@transaction.atomic
def ask_again(*, payment_id: str, now: datetime, note: str = "") -> None:
    """
    Have a worker ask the rail at its next turn how a payment stands, also when it had given up asking.

    :raises NotFound: if there is no such payment
    :raises WrongState: if nothing about it is open at a rail
    """
    payment = lock(Payment.objects.filter(public_id=payment_id)).first()
    if payment is None:
        raise NotFound
    # A planned call is not asked about: it is made at its own time.
    open_ones = PaymentAttempt.objects.filter(payment=payment).exclude(
        state__in=(StepState.PLANNED, StepState.DONE, StepState.REFUSED)
    )
    if not open_ones.update(next_check_at=now):
        raise WrongState(status=payment.get_status_display().lower())
    trail.record(
        action="payment.ask_again",
        object_type="payment",
        object_id=payment.public_id,
        note=note,
        partner_id=payment.partner_id,
    )


def _waiting(payment_id: str, status: PaymentStatus) -> Payment:
    payment = lock_payment(payment_id)
    if payment is None:
        raise NotFound
    if payment.status != status:
        raise WrongState(status=payment.get_status_display().lower())
    return payment


def _go_on(payment: Payment, now: datetime) -> None:
    """Pass through PROCESSING, as the table of states has it, to wherever the payment gets to now."""
    if payment.kind != PaymentKind.PAYOUT:  # a payout gets there by itself, with its hold, in one step
        payment.status = PaymentStatus.PROCESSING
        payment.save()
    carry_out(payment, now=now)


def _learn(payment: Payment, reason_code: str, now: datetime) -> None:
    """Tell fraud what turned out; before the ledger is locked, as the order of locks has it."""
    verdict = _LABELS.get(reason_code)
    if verdict is None or not payment.fraud_decision:
        return
    try:
        record_label(
            source_kind="payment",
            source_id=payment.public_id,
            verdict=verdict,
            source=LabelSource.ANALYST,
            now=now,
        )
    except EventUnknown:
        # History of that time was dropped since: there is nothing to label, and the decision of staff stands.
        return
