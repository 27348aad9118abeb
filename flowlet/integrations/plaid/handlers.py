"""What Plaid says about a linked bank: the log-in is needed again, was mended, or the person took the access back."""

from datetime import datetime

from flowlet.integrations import links
from flowlet.integrations.choices import LinkStatus
from flowlet.integrations.events import VENDOR_EVENTS, ReceivedEvent


@VENDOR_EVENTS.register("plaid", "ITEM.ERROR", "ITEM.LOGIN_REPAIRED")
def log_in_changed(event: ReceivedEvent, now: datetime) -> bool:
    """Note that a link cannot be used until its person logs in again, or can be used again."""
    broken = event.type == "ITEM.ERROR"
    fault = event.payload.get("error")
    code = str(fault.get("error_code", "")).lower() if isinstance(fault, dict) else ""
    return links.change_by_vendor(
        vendor_reference=event.object_reference,
        status=LinkStatus.BROKEN if broken else LinkStatus.ACTIVE,
        reason=code if broken else "",
        now=now,
    )


@VENDOR_EVENTS.register("plaid", "ITEM.USER_PERMISSION_REVOKED", "ITEM.USER_ACCOUNT_REVOKED")
def access_taken_back(event: ReceivedEvent, now: datetime) -> bool:
    """Note that the person took the access back at the bank or at Plaid."""
    return links.change_by_vendor(
        vendor_reference=event.object_reference,
        status=LinkStatus.REMOVED,
        reason="taken_back_by_person",
        now=now,
    )
