"""What compliance does when something happens in a lower room."""

from datetime import datetime

from compliance import events as _events  # noqa: F401 - declares the event types
from compliance.operations.monitoring_feed import feed_transaction
from compliance.operations.screening import screen_customer
from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS
from flowlet.identity import hooks
from flowlet.identity.models import Customer
from ledger.events import TRANSACTION_POSTED


# Hooks run in the order of their names: the partner hears of the new customer before any restriction of his.
@hooks.CUSTOMER_CREATED.register("screening.new_customer")
def screen_new_customer(customer: Customer, now: datetime) -> None:
    """Screen a customer in the transaction that creates him: there is no moment in which he was not looked at."""
    screen_customer(customer_id=customer.pk, now=now)


@RECEIVERS.register("monitoring.activity")
def watch_movement(event: Event, now: datetime) -> None:
    """Store what was posted as activities of the customers whose wallets it moved; a repetition stores nothing."""
    del now
    if event.type == TRANSACTION_POSTED:
        feed_transaction(public_id=event.object_id)
