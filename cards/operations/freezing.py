"""Freezing cards: several freezes at once, each with its owner; nobody lifts another's."""

from datetime import datetime

from django.db import transaction

from cards import events
from cards.choices import FreezeSource
from cards.errors import AlreadyFrozen, CardNotFrozen, FreezeOfAnother
from cards.models.issuing import Card, CardFreeze
from cards.operations.issuing import locked_card
from cards.operations.telling import actor_text, tell_card


@transaction.atomic
def freeze_card(
    *, card_id: int, source: FreezeSource, reason_code: str, now: datetime, note: str = ""
) -> CardFreeze:
    """
    Stop new authorisations of a card; what was promised is still cleared.

    :raises AlreadyFrozen: if this source froze it already
    :raises CardClosed: if the card is closed
    """
    card = locked_card(card_id)
    if CardFreeze.objects.filter(card=card, source=source, lifted_at__isnull=True).exists():
        raise AlreadyFrozen
    freeze = CardFreeze.objects.create(
        card=card, source=source, reason_code=reason_code, placed_by=actor_text(), placed_at=now
    )
    changes = {"freeze": [None, source]}
    tell_card(events.CARD_FROZEN, "card.freeze", card, now, changes=changes, reason=reason_code, note=note)
    return freeze


@transaction.atomic
def unfreeze_card(
    *, card_id: int, source: FreezeSource, reason_code: str, now: datetime, note: str = ""
) -> Card:
    """
    Lift this source's freeze; others stay in force.

    :raises FreezeOfAnother: if only others froze the card
    :raises CardNotFrozen: if nobody did
    :raises CardClosed: if the card is closed
    """
    card = locked_card(card_id)
    live = CardFreeze.objects.filter(card=card, lifted_at__isnull=True)
    lifted = live.filter(source=source).update(
        lifted_at=now, lifted_by=actor_text(), lift_reason_code=reason_code
    )
    if not lifted:
        raise FreezeOfAnother if live.exists() else CardNotFrozen
    changes = {"freeze": [source, None]}
    tell_card(
        events.CARD_UNFROZEN, "card.unfreeze", card, now, changes=changes, reason=reason_code, note=note
    )
    return card
