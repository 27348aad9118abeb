"""What vendors tell us of their own accord: each event is a reason to ask how the object stands now."""

from datetime import datetime

from flowlet.integrations.events import VENDOR_EVENTS, ReceivedEvent
from payments.outside import transfers, working

_METADATA_KEY = "flowlet_reference"


@VENDOR_EVENTS.register(
    "stripe",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.canceled",
)
def intent_changed(event: ReceivedEvent, now: datetime) -> bool:
    """Bring a top-up up to date; False if the intent is none of ours."""
    reference = _our_reference(event)
    return bool(reference) and working.refresh_attempt(
        our_reference=reference, vendor_reference=event.object_reference, now=now
    )


@VENDOR_EVENTS.register("stripe", "payout.paid", "payout.updated", "payout.failed", "payout.canceled")
def payout_changed(event: ReceivedEvent, now: datetime) -> bool:
    """Bring a payout up to date, also one that a bank sends back later; False if it is none of ours."""
    reference = _our_reference(event)
    return bool(reference) and working.refresh_attempt(
        our_reference=reference, vendor_reference=event.object_reference, now=now
    )


@VENDOR_EVENTS.register("stripe", "refund.created", "refund.updated", "refund.failed")
def refund_changed(event: ReceivedEvent, now: datetime) -> bool:
    """Bring a refund up to date; False if it is none of ours."""
    reference = _our_reference(event)
    return bool(reference) and working.refresh_refund(
        our_reference=reference, vendor_reference=event.object_reference, now=now
    )


@VENDOR_EVENTS.register("plaid", "TRANSFER.TRANSFER_EVENTS_UPDATE")
def transfers_changed(event: ReceivedEvent, now: datetime) -> bool:
    """Read what is new in the list of transfer events; the webhook says only that there is something."""
    del event
    transfers.read_events(now=now)
    return True


def _our_reference(event: ReceivedEvent) -> str:
    metadata = event.payload["data"]["object"].get("metadata") or {}
    return str(metadata.get(_METADATA_KEY, ""))
