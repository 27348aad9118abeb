"""Beginning a refund: the money leaves the wallet at once; a worker asks the vendor to give it to the card."""

from datetime import datetime

from django.db import IntegrityError, transaction

from flowlet.core.errors import NotFound
from flowlet.core.ids import new_id
from flowlet.core.locks import lock
from flowlet.core.money import InvalidAmount, Money
from payments.choices import PaymentKind, PaymentStatus
from payments.errors import NotRefundable, RefundTooLarge, TooManyRefunds
from payments.models import Payment, Refund
from payments.outside import booking
from payments.outside.telling import tell_refund
from payments.outside.top_ups import lock_wallet
from payments.rails.registry import OUTSIDE_RAILS
from wallets import policies
from wallets.errors import KeyUsedBefore
from wallets.queries import get_states

REFUNDS_MAX = 10


@transaction.atomic
def refund_payment(
    *,
    partner_id: int,
    payment_id: str,
    amount_minor: int | None,
    now: datetime,
    reason: str = "",
    idempotency_key: str | None = None,
) -> Refund:
    """
    Begin to give back part of a top-up, or with None all that is left; the refund is PENDING when this returns.

    What was given back and what is on its way never exceed what was collected, however many ask at once. The same
    key again returns the first refund.

    :raises NotFound: if the payment is absent or another partner's
    :raises NotRefundable: if it is no completed top-up
    :raises RefundTooLarge: if less than that is left; with what is left
    :raises TooManyRefunds: if it was refunded ten times
    :raises InvalidAmount: if the amount is not above zero
    :raises InsufficientFunds: if the wallet does not have the money any more
    :raises AppError: if money may not leave the wallet now, as for a payment
    :raises KeyUsedBefore: if the key stands for another refund
    """
    payment = _locked(partner_id, payment_id)
    known = _known(payment, idempotency_key, amount_minor, reason)
    if known is not None:
        return known
    amount = _checked(payment, amount_minor)
    if not payment.parked:
        policies.check_money_out(get_states((payment.own_wallet,))[payment.own_wallet.pk])
    public_id = new_id("rfd")
    refund = Refund(
        public_id=public_id,
        our_reference=public_id,
        partner_id=partner_id,
        payment=payment,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason,
        idempotency_key=idempotency_key,
        next_check_at=now,
        created_at=now,
    )
    payment.refunding_minor += amount.minor
    payment.save(update_fields=["refunding_minor"])
    refund.transaction_id = booking.take(payment, amount=amount, source_key=public_id, now=now).transaction_id
    _save(refund)
    tell_refund(refund, now=now)
    return refund


def _locked(partner_id: int, payment_id: str) -> Payment:
    rows = Payment.objects.filter(partner_id=partner_id, public_id=payment_id)
    known = rows.values_list("payee_wallet__public_id", "status").first()
    if known is None:
        raise NotFound
    wallet_id, status = known
    if wallet_id is None:  # a payout: nothing of it came in
        raise NotRefundable(status=status.lower())
    wallet = lock_wallet(partner_id=partner_id, wallet_id=wallet_id)
    payment = lock(rows).get()
    payment.payee_wallet = wallet
    return payment


def _checked(payment: Payment, amount_minor: int | None) -> Money:
    if payment.kind != PaymentKind.TOP_UP or payment.status != PaymentStatus.COMPLETED:
        raise NotRefundable(status=payment.status.lower())
    if not OUTSIDE_RAILS.get(payment.rail).refundable:
        raise NotRefundable(status="paid from a bank account; pay it out instead")
    left = payment.refundable
    amount = left if amount_minor is None else Money(amount_minor, payment.currency)
    if amount.minor > left.minor or left.minor == 0:
        raise RefundTooLarge(remaining=left)
    if amount.minor <= 0:
        raise InvalidAmount(reason="The amount must be greater than zero.")
    count = payment.refunds.count()
    if count >= REFUNDS_MAX:
        raise TooManyRefunds(count=count, remaining=left)
    return amount


def _known(payment: Payment, key: str | None, amount_minor: int | None, reason: str) -> Refund | None:
    if key is None:
        return None
    known = Refund.objects.filter(partner_id=payment.partner_id, idempotency_key=key).first()
    if known is None:
        return None
    same_amount = amount_minor in (None, known.amount_minor)
    if known.payment_id != payment.pk or known.reason != reason or not same_amount:
        raise KeyUsedBefore
    known.payment = payment
    return known


def _save(refund: Refund) -> None:
    try:
        with transaction.atomic():
            refund.save()
    except IntegrityError as error:
        if "refund_key_once" in str(error):
            raise KeyUsedBefore from error
        raise
