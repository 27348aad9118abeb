"""What payments does when something has happened to one: write to the people, have a code sent. Once for each cause."""

from datetime import datetime, timedelta

from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS
from flowlet.identity.models import Customer
from flowlet.notifications.operations import queue_sms
from flowlet.notifications.settings import writes_on_payments
from payments import events
from payments.choices import PaymentKind
from payments.models import Payment
from payments.step_up import plan_payment_code

# Nobody wants a message about what happened long ago: history that is loaded, an outage that lasted.
_FRESH = timedelta(hours=1)
_SIDES = ("partner", "payer_wallet__customer", "payee_wallet__customer")


@RECEIVERS.register("payments.messages")
def write_messages(event: Event, now: datetime) -> None:
    """Write to payer and payee of a completed payment, where the partner wants it and there is a number."""
    if event.type != events.COMPLETED or now - event.occurred_at > _FRESH or event.partner_id is None:
        return
    if not writes_on_payments(event.partner_id):
        return
    payment = Payment.objects.select_related(*_SIDES).filter(public_id=event.object_id).first()
    if payment is None:
        return
    for customer, template in _readers(payment):
        if customer.phone:
            queue_sms(
                customer_id=customer.pk,
                cause=f"{event.type}:{payment.public_id}",
                template=template,
                values={
                    "partner": payment.partner.name,
                    "amount": payment.amount.format(),
                    "reference": payment.public_id,
                },
                now=now,
            )


def _readers(payment: Payment) -> list[tuple[Customer, str]]:
    """Return who is told what; one message at most for each person."""
    found: list[tuple[Customer, str]] = []
    if payment.payer_wallet:
        found.append((payment.payer_wallet.customer, "payment_sent"))
    if payment.payee_wallet and (not found or payment.payee_wallet.customer_id != found[0][0].pk):
        top_up = payment.kind == PaymentKind.TOP_UP
        template = "top_up_completed" if top_up else "payment_received"
        found.append((payment.payee_wallet.customer, template))
    return found


@RECEIVERS.register("payments.codes")
def send_code(event: Event, now: datetime) -> None:
    """Have a code sent to the payer of a payment that waits for one."""
    if event.type != events.REQUIRES_ACTION:
        return
    rows = Payment.objects.select_related("payer_wallet").filter(public_id=event.object_id)
    payment = rows.first()
    if payment is not None:
        plan_payment_code(payment, now=now)
