"""Buttons on a payment: release or refuse what is held, have the rail asked again."""

from flowlet.backoffice.actions import ActionCall, action
from payments.admin_parts import names_of
from payments.choices import PaymentKind, PaymentStatus
from payments.deciding import ask_again, refuse_payment, release_payment
from payments.models import Payment

RELEASE_REASONS = (
    ("CUSTOMER_CONFIRMED", "The customer confirmed it"),
    ("KNOWN_PATTERN", "Usual for this customer"),
    ("PARTNER_VOUCHED", "The partner vouched for it"),
)
REFUSE_REASONS = (
    ("FRAUD", "Fraud"),
    ("ACCOUNT_TAKEN_OVER", "The account was taken over"),
    ("CUSTOMER_DENIES", "The customer does not know of it"),
    ("CANNOT_BE_CHECKED", "Nobody could be reached"),
)
_OPEN = (PaymentStatus.PROCESSING, PaymentStatus.OUTCOME_UNKNOWN)


def _is_held(payment: Payment) -> bool:
    return payment.status == PaymentStatus.HELD


def _can_be_asked(payment: Payment) -> bool:
    outside = payment.kind in (PaymentKind.TOP_UP, PaymentKind.PAYOUT)
    return outside and payment.status in _OPEN


@action(
    name="payment.release",
    model=Payment,
    permission="payments.decide_payment",
    label="Release",
    title=lambda p: f"Release {p.amount.format()}, {names_of(p)}?",
    text="The payment goes on now, with the money that is set aside for it.",
    reasons=RELEASE_REASONS,
    available=_is_held,
    primary=True,
    icon="arrow-right",
    key="r",
    keep_label="Keep it held",
    done=lambda p: f"{p.amount.format()} of {names_of(p)} was released.",
)
def release(call: ActionCall, payment: Payment) -> None:
    """Let a held payment go on."""
    release_payment(payment_id=payment.public_id, reason_code=call.reason, note=call.note, now=call.now)


@action(
    name="payment.refuse",
    model=Payment,
    permission="payments.decide_payment",
    label="Refuse",
    title=lambda p: f"Refuse {p.amount.format()}, {names_of(p)}?",
    text="The money is free again. The partner reads that the payment was declined, and no more.",
    reasons=REFUSE_REASONS,
    available=_is_held,
    danger=True,
    icon="ban",
    keep_label="Keep it held",
    done=lambda p: f"{p.amount.format()} of {names_of(p)} was refused.",
)
def refuse(call: ActionCall, payment: Payment) -> None:
    """End a held payment."""
    refuse_payment(payment_id=payment.public_id, reason_code=call.reason, note=call.note, now=call.now)


@action(
    name="payment.check-now",
    model=Payment,
    permission="payments.check_payment",
    label="Check now",
    title=lambda p: f"Ask about {p.amount.format()}, {names_of(p)}?",
    text="The rail is asked within seconds how this payment stands. Asking moves no money.",
    reason=False,
    available=_can_be_asked,
    icon="search",
    done="The rail will be asked within seconds.",
)
def check_now(call: ActionCall, payment: Payment) -> None:
    """Have the rail asked."""
    ask_again(payment_id=payment.public_id, note=call.note, now=call.now)
