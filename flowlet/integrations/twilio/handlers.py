"""What Twilio says about a message goes to whoever wrote it, through the registry that both know."""

from datetime import datetime

from flowlet.core.messages import DELIVERY_RECEIVERS, DeliveryReport
from flowlet.integrations.events import VENDOR_EVENTS, ReceivedEvent
from flowlet.integrations.twilio.outcomes import delivery_state


@VENDOR_EVENTS.register(
    "twilio",
    "message.queued",
    "message.sending",
    "message.sent",
    "message.delivered",
    "message.undelivered",
    "message.failed",
    "message.read",
    "message.canceled",
)
def report_delivery(event: ReceivedEvent, now: datetime) -> bool:
    """Hand a delivery report on; True if somebody knew the message."""
    fields = event.payload
    state, _ = delivery_state(fields["MessageSid"], fields["MessageStatus"], fields.get("ErrorCode") or None)
    report = DeliveryReport(fields["ref"], state)
    return any([receiver(report, now) for receiver in DELIVERY_RECEIVERS.values()])  # noqa: C419 - all are told
