"""What wallets does with each event: look whether a posting crossed the line of a monitor."""

from datetime import datetime

from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS
from ledger.events import TRANSACTION_POSTED
from wallets.operations.monitors import tell_crossings


@RECEIVERS.register("wallets")
def receive(event: Event, now: datetime) -> None:
    """Take note of an event; safe to run twice."""
    if event.type == TRANSACTION_POSTED:
        tell_crossings(transaction_id=event.data["id"], legs=event.data["legs"], now=now)
