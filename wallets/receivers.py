"""What wallets does with each event: look whether a posting crossed a monitor's line, tell that a hold has expired."""

from datetime import datetime

from flowlet.events.models import Event
from flowlet.events.relay import RECEIVERS
from ledger.choices import HoldEventKind
from ledger.events import HOLD_CHANGED, TRANSACTION_POSTED
from wallets.operations.holds import tell_expired
from wallets.operations.monitors import tell_crossings


@RECEIVERS.register("wallets")
def receive(event: Event, now: datetime) -> None:
    """Take note of an event; safe to run twice."""
    if event.type == TRANSACTION_POSTED:
        tell_crossings(transaction_id=event.data["id"], legs=event.data["legs"], now=now)
    if event.type == HOLD_CHANGED and event.data["change"] == HoldEventKind.EXPIRE:
        tell_expired(hold_id=event.data["id"], now=now)
