"""A second factor for a payment: a code by text message to the payer, checked before the money moves."""

from datetime import datetime
from typing import ClassVar

from flowlet.core.errors import AppError, Conflict, NotFound, Retry
from flowlet.notifications.choices import ChallengeStatus
from flowlet.notifications.codes import CHECKS_MAX, check_code, find_code, plan_code
from flowlet.notifications.errors import CodeNotSent, NoPhoneNumber, TooManyCodes
from flowlet.notifications.models import Challenge
from payments.choices import PaymentStatus
from payments.deciding import confirm_payment
from payments.errors import WrongState
from payments.models import Payment


class WrongCode(AppError):
    """The code is not the one that was sent."""

    code: ClassVar[str] = "wrong_code"
    title: ClassVar[str] = "Wrong code"
    message: ClassVar[str] = "This is not the code that was sent; {tries_left} tries are left."
    retry: ClassVar[Retry] = Retry(allowed=True)
    next_action: ClassVar[str] = "ask_for_code"
    next_text: ClassVar[str] = "Let the payer type the code again, or have it sent again."

    def __init__(self, *, tries_left: int) -> None:
        super().__init__(tries_left=tries_left)


class CodeOnItsWay(Conflict):
    """The code has not left yet."""

    code: ClassVar[str] = "code_on_its_way"
    title: ClassVar[str] = "Code on its way"
    message: ClassVar[str] = "The code is being sent."
    retry: ClassVar[Retry] = Retry(allowed=True, after_s=3, same_key=True)


_REASONS: dict[str, type[AppError]] = {known.code: known for known in (NoPhoneNumber, TooManyCodes)}


def purpose_of(payment: Payment) -> str:
    """Return what a code for this payment is good for: for it alone."""
    return f"payment.confirm:{payment.public_id}"


def plan_payment_code(payment: Payment, *, now: datetime) -> Challenge:
    """Have a code sent to the payer, planned in the caller's transaction."""
    return plan_code(customer_id=_payer_id(payment), purpose=purpose_of(payment), now=now)


def send_again(*, partner_id: int, payment_id: str, now: datetime) -> Challenge:
    """
    Have a code sent again; within its ten minutes the carrier sends the same one.

    :raises NotFound: if the payment is absent or another partner's
    :raises WrongState: if it does not wait for a code
    :raises NoPhoneNumber: if the payer has no number
    :raises TooManyCodes: after five codes in an hour
    """
    payment = _waiting(partner_id, payment_id)
    challenge = plan_payment_code(payment, now=now)
    if challenge.status == ChallengeStatus.FAILED:
        raise _REASONS.get(challenge.reason, CodeNotSent)
    return challenge


def confirm_with_code(*, partner_id: int, payment_id: str, code: str, now: datetime) -> Payment:
    """
    Check the payer's code and carry the payment out; how that ended is in what is returned.

    Calls the carrier, so it may not run inside a transaction. A code that was right once need not be checked again:
    a worker that died between the two steps loses nothing.

    :raises NotFound: if the payment is absent or another partner's
    :raises WrongState: if it does not wait for a code (any more)
    :raises CodeOnItsWay: if the code has not been sent yet
    :raises WrongCode: with the tries that are left
    :raises CodeUsedUp, TooManyCodes, CodeNotChecked, CodeNotSent, NoPhoneNumber: as `notifications.codes` says
    """
    payment = _waiting(partner_id, payment_id)
    challenge = find_code(customer_id=_payer_id(payment), purpose=purpose_of(payment))
    if challenge is None or challenge.status in (ChallengeStatus.PLANNED, ChallengeStatus.STARTING):
        raise CodeOnItsWay
    if challenge.status == ChallengeStatus.FAILED:
        raise _REASONS.get(challenge.reason, CodeNotSent)
    if challenge.status == ChallengeStatus.SENT:
        right = check_code(
            customer_id=challenge.customer_id, challenge=challenge.public_id, code=code, now=now
        )
        if not right:
            raise WrongCode(tries_left=max(CHECKS_MAX - challenge.checks - 1, 0))
    return confirm_payment(payment_id=payment.public_id, now=now)


def _waiting(partner_id: int, payment_id: str) -> Payment:
    rows = Payment.objects.filter(partner_id=partner_id, public_id=payment_id)
    payment = rows.select_related("payer_wallet").first()
    if payment is None:
        raise NotFound
    if payment.status != PaymentStatus.REQUIRES_ACTION:
        raise WrongState(status=payment.get_status_display().lower())
    return payment


def _payer_id(payment: Payment) -> int:
    return payment.own_wallet.customer_id
