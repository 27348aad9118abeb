"""Audit and events of payments and refunds, always in the transaction that changed them."""

from datetime import datetime
from typing import Literal

from flowlet.audit import trail
from flowlet.events import outbox
from payments import events
from payments.choices import WIRE_STATUS, PaymentStatus, RefundStatus
from payments.models import Payment, Refund

_PAYMENT = {
    PaymentStatus.PROCESSING: events.PROCESSING,
    PaymentStatus.COMPLETED: events.COMPLETED,
    PaymentStatus.REFUSED: events.REFUSED,
    PaymentStatus.FAILED: events.FAILED,
    PaymentStatus.OUTCOME_UNKNOWN: events.UNKNOWN,
    PaymentStatus.HELD: events.UNDER_REVIEW,
    PaymentStatus.REQUIRES_ACTION: events.REQUIRES_ACTION,
    PaymentStatus.CANCELED: events.CANCELED,
    PaymentStatus.RETURNED: events.RETURNED,
}
_REFUND = {
    RefundStatus.PENDING: events.REFUND_CREATED,
    RefundStatus.SUCCEEDED: events.REFUND_SUCCEEDED,
    RefundStatus.FAILED: events.REFUND_FAILED,
}
_ACTIONS = {
    RefundStatus.PENDING: "refund.create",
    RefundStatus.SUCCEEDED: "refund.succeed",
    RefundStatus.FAILED: "refund.fail",
}


def tell_payment(
    payment: Payment,
    *,
    before: str = "",
    now: datetime,
    action: str = "",
    reason_code: str = "",
    note: str = "",
) -> None:
    """
    Record and publish where a payment stands now; `before` is '' for a new one.

    `action`, `reason_code` and `note` are those of the person who decided, if it was one.
    """
    status = PaymentStatus(payment.status)
    parked = "PARKED" if payment.parked else ""
    trail.record(
        action=action or ("payment.settle" if before else "payment.create"),
        object_type="payment",
        object_id=payment.public_id,
        changes={"status": [before or None, status.value]},
        outcome="DONE" if action else _outcome(status),
        reason_code=reason_code or payment.refusal_code.upper() or parked,
        note=note,
        partner_id=payment.partner_id,
        customer=payment.own_wallet.customer.public_id,
    )
    outbox.publish(
        type=_PAYMENT[status],
        object_type="payment",
        object_id=payment.public_id,
        partner_id=payment.partner_id,
        data={
            "id": payment.public_id,
            "type": payment.kind.lower(),
            "payer_wallet": payment.payer_wallet.public_id if payment.payer_wallet else None,
            "payee_wallet": payment.payee_wallet.public_id if payment.payee_wallet else None,
            "bank_account": payment.bank_account.public_id if payment.bank_account else None,
            "amount": payment.amount_minor,
            "currency": payment.currency,
            "status": WIRE_STATUS[status],
            "code": payment.refusal_code or None,
        },
        at=now,
    )


def _outcome(status: PaymentStatus) -> Literal["DONE", "REFUSED", "FAILED"]:
    if status == PaymentStatus.REFUSED:
        return "REFUSED"
    return "FAILED" if status == PaymentStatus.FAILED else "DONE"


def tell_refund(refund: Refund, *, before: str = "", now: datetime) -> None:
    """Record and publish where a refund stands now; `before` is '' for a new one."""
    status = RefundStatus(refund.status)
    trail.record(
        action=_ACTIONS[status],
        object_type="payment",
        object_id=refund.payment.public_id,
        changes={"refund": [before or None, status.value], "refund_id": [None, refund.public_id]},
        outcome="FAILED" if status == RefundStatus.FAILED else "DONE",
        partner_id=refund.partner_id,
        customer=refund.payment.own_wallet.customer.public_id,
    )
    outbox.publish(
        type=_REFUND[status],
        object_type="refund",
        object_id=refund.public_id,
        partner_id=refund.partner_id,
        data={
            "id": refund.public_id,
            "payment": refund.payment.public_id,
            "amount": refund.amount_minor,
            "currency": refund.currency,
            "status": status.lower(),
        },
        at=now,
    )
