"""Money that a bank takes back after it had come: a contra entry, the wallet never below zero."""

from datetime import datetime

from ledger.operations.accounts import house_account
from ledger.operations.owing import post_forced
from ledger.operations.posting import Draft, Leg
from payments.choices import PaymentStatus
from payments.models import Payment, PaymentAttempt, PaymentReturn
from payments.outside.telling import tell_payment


def record_return(payment: Payment, attempt: PaymentAttempt, *, code: str, now: datetime) -> None:
    """
    Book back a completed top-up that its bank returned, once; `code` is the bank's reason, such as R01.

    The caller holds the payment's lock. What the wallet cannot pay is owed by the customer: later credits repay it
    first. Money that was parked is taken from where it waits.
    """
    if payment.status != PaymentStatus.COMPLETED:
        return
    amount = payment.amount
    clearing = house_account(chart_code="SETTLEMENT_CLEARING", currency=amount.currency, now=now).pk
    taken_from = payment.payee_wallet.account_id
    if payment.parked:
        taken_from = house_account(chart_code="SUSPENSE", currency=amount.currency, now=now).pk
    posted = post_forced(
        draft=Draft(
            kind="TOP_UP_RETURN",
            source="payment",
            source_key=f"{payment.public_id}-return",
            effective_date=now.date(),
            legs=(Leg(taken_from, amount), Leg(clearing, -amount)),
            text="Returned by the bank",
            context={"payment": payment.public_id},
        ),
        now=now,
    )
    PaymentReturn.objects.create(
        payment=payment,
        rail=payment.rail,
        vendor_reference=attempt.vendor_reference,
        reason_code=code.upper()[:20],
        amount_minor=amount.minor,
        currency=amount.currency,
        transaction_id=posted.transaction_id,
        returned_at=now,
    )
    before, payment.status = payment.status, PaymentStatus.RETURNED
    payment.save(update_fields=["status"])
    tell_payment(payment, before=before, now=now)
