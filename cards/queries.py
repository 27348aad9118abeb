"""Reads of cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from cards import policies
from cards.choices import CardStatus, LimitSpan
from cards.errors import UnknownCard
from cards.models.authorizations import CardAuthorization, CardTransaction
from cards.models.issuing import Card, CardFreeze, ControlSet, SpendCounter
from flowlet.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class LimitLeft:
    """A limit of a card in minor units, what is used of it and left; limit and left are None where there is none."""

    name: str
    limit: int | None
    used: int
    left: int | None


def list_cards(*, partner_id: int | None = None) -> QuerySet[Card]:
    """Return cards with owner, wallet and whether a freeze is in force (`is_frozen`), newest first."""
    frozen = CardFreeze.objects.filter(card=OuterRef("pk"), lifted_at__isnull=True)
    rows = Card.objects.select_related("customer", "wallet", "programme").annotate(is_frozen=Exists(frozen))
    if partner_id is not None:
        rows = rows.filter(partner_id=partner_id)
    return rows.order_by("-created_at", "-id")


def get_card(*, partner_id: int, public_id: str) -> Card:
    """
    Return a partner's card as `list_cards` does.

    :raises NotFound: if it is absent or another partner's
    """
    card = list_cards(partner_id=partner_id).filter(public_id=public_id).first()
    if card is None:
        raise NotFound
    return card


def find_card_key(*, partner_id: int, card: str) -> int:
    """
    Return the key of the card with this public id or processor's token.

    :raises UnknownCard: if there is none; the network is answered 14
    """
    field = "public_id" if card.startswith("crd_") else "token"
    key = Card.objects.filter(partner_id=partner_id, **{field: card}).values_list("pk", flat=True).first()
    if key is None:
        raise UnknownCard
    return key


def shown_status(card: Card, *, now: datetime) -> str:
    """Return the status as the world sees it: closed, expired, frozen, inactive or active; wants `is_frozen`."""
    if card.status == CardStatus.CLOSED:
        return "closed"
    if card.expires_on < now.date():
        return "expired"
    if getattr(card, "is_frozen", False):
        return "frozen"
    return card.status.lower()


def get_controls(card_id: int) -> ControlSet | None:
    """Return what is in force for a card, or None when nothing was set."""
    return ControlSet.objects.filter(card_id=card_id, retired_at__isnull=True).first()


def get_used(card: Card, *, at: datetime) -> Mapping[LimitSpan, int]:
    """Return what the card has used of the day and the month of that instant."""
    dates = policies.buckets(at, card.programme.zone)
    rows = SpendCounter.objects.filter(card=card, bucket_date__in=set(dates.values()))
    found = {(row.span, row.bucket_date): row.amount_minor for row in rows}
    return {span: found.get((span.value, day), 0) for span, day in dates.items()}


def get_limits(card: Card, *, now: datetime) -> list[LimitLeft]:
    """Return the card's limits with what is left of each now."""
    controls, used = get_controls(card.pk), get_used(card, at=now)
    limits = (
        ("per_transaction", controls.per_transaction_minor if controls else None, 0),
        ("day", controls.day_minor if controls else None, used[LimitSpan.DAY]),
        ("month", controls.month_minor if controls else None, used[LimitSpan.MONTH]),
    )
    return [
        LimitLeft(name, limit, spent, None if limit is None else max(0, limit - spent))
        for name, limit, spent in limits
    ]


def list_authorizations(*, partner_id: int | None = None) -> QuerySet[CardAuthorization]:
    """Return authorisations with card, customer and decision, newest first."""
    rows = CardAuthorization.objects.select_related("card__customer", "card__wallet", "decision")
    if partner_id is not None:
        rows = rows.filter(card__partner_id=partner_id)
    return rows.order_by("-created_at", "-id")


def get_authorization(*, partner_id: int, public_id: str) -> CardAuthorization:
    """
    Return an authorisation of a partner's card as `list_authorizations` does.

    :raises NotFound: if it is absent or another partner's
    """
    row = list_authorizations(partner_id=partner_id).filter(public_id=public_id).first()
    if row is None:
        raise NotFound
    return row


def list_transactions(*, partner_id: int | None = None) -> QuerySet[CardTransaction]:
    """Return clearings and refunds with card, event and ledger transaction, newest first."""
    rows = CardTransaction.objects.select_related("card__customer", "event", "authorization", "transaction")
    if partner_id is not None:
        rows = rows.filter(card__partner_id=partner_id)
    return rows.order_by("-booked_at", "-id")
