"""What each act on a card leaves: a row in the trail and an event for the partner."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cards.models.issuing import Card
from flowlet.audit import trail
from flowlet.events import outbox


def actor_text() -> str:
    """Return who acts, as rows keep it."""
    return trail.current_actor().text[:100]


def tell_card(
    event: str,
    action: str,
    card: Card,
    now: datetime,
    *,
    changes: Mapping[str, Sequence[object]],
    reason: str = "",
    note: str = "",
) -> None:
    """Record an act on a card and publish it; the partner's event names no reason of the house."""
    trail.record(
        action=action,
        object_type="card",
        object_id=card.public_id,
        changes=changes,
        reason_code=reason,
        note=note,
        partner_id=card.partner_id,
        customer=card.customer.public_id,
    )
    outbox.publish(
        type=event,
        object_type="card",
        object_id=card.public_id,
        partner_id=card.partner_id,
        data={
            "id": card.public_id,
            "wallet": card.wallet.public_id,
            "kind": card.kind.lower(),
            "last_four": card.last_four,
            "status": card.status.lower(),
        },
        at=now,
    )
