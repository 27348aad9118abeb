"""Events about customers: identity lies below and calls these hooks instead of publishing."""

from datetime import datetime

from flowlet.events import outbox
from flowlet.events.types import declare
from flowlet.identity import hooks
from flowlet.identity.models import Customer, Restriction

CREATED = declare("customer.created", "A customer was created.")
RESTRICTED = declare("customer.restricted", "Something a customer could do is not possible for now.")
RELEASED = declare("customer.released", "A restriction of a customer has ended.")


@hooks.CUSTOMER_CREATED.register("events.publish")
def publish_created(customer: Customer, now: datetime) -> None:
    """Tell the partner that the customer exists."""
    outbox.publish(
        type=CREATED,
        object_type="customer",
        object_id=customer.public_id,
        partner_id=customer.partner_id,
        data={"id": customer.public_id, "kind": customer.kind.lower(), "reference": customer.reference},
        at=now,
    )


@hooks.RESTRICTION_CHANGED.register("events.publish")
def publish_restriction(restriction: Restriction, now: datetime) -> None:
    """Tell the partner what is not possible, in neutral words: never why."""
    customer = restriction.customer
    outbox.publish(
        type=RESTRICTED if restriction.lifted_at is None else RELEASED,
        object_type="customer",
        object_id=customer.public_id,
        partner_id=customer.partner_id,
        data={
            "id": customer.public_id,
            "restriction": restriction.kind.lower(),
            "wallet": restriction.wallet_ref or None,
        },
        at=now,
    )
