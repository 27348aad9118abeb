"""Following the network: after each message the hold, the counters and the books are what all messages add up to."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from cards import events, policies
from cards.choices import AuthorizationState, EventKind, LimitSpan
from cards.errors import AuthorizationNotOpen, ReferenceReused
from cards.models.authorizations import CardAuthorization, NetworkEvent
from cards.models.issuing import Card, SpendCounter
from cards.operations.booking import book_event
from cards.operations.locking import lock_card
from cards.policies import Position, position
from flowlet.audit import trail
from flowlet.core import jsons
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.events import outbox
from ledger.choices import HoldStatus
from ledger.models.accounts import Balance
from ledger.models.holds import HoldState
from ledger.operations.accounts import house_account
from ledger.operations.holds import change_hold, place_hold, release_hold
from wallets.choices import LimitKind
from wallets.operations.limits import give_back_limit

CLEARING = "SETTLEMENT_CLEARING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    One message of the network about a card, in the card's currency.

    `reference` is its own (for a clearing the acquirer's reference number), `network_reference` that of the
    authorisation, or empty. `final`: no further clearing follows.
    """

    kind: EventKind
    reference: str
    network_reference: str
    amount: Money
    network_time: datetime
    final: bool = True
    merchant_name: str = ""
    mcc: str = ""
    country: str = ""

    def digest(self) -> str:
        """Return a digest of the content, to tell a repeat from a clash."""
        content = [
            self.kind.value,
            self.network_reference,
            self.amount.minor,
            self.amount.currency,
            self.final,
        ]
        return hashlib.sha256(jsons.dumps_canonical(content)).hexdigest()


@transaction.atomic
def take_message(
    *, card_id: int, message: Message, now: datetime, processor: str = "builtin"
) -> NetworkEvent:
    """
    Take a reversal, expiry, clearing or refund: in any order, once for its reference, whatever the card's state.

    A clearing always books its own amount; what the wallet cannot pay is owed. What names no authorisation that is
    known waits for it, and is booked all the same.

    An increment alone is a question: one that is over, or unknown, is not raised.

    :raises ReferenceReused: if the reference came before with other content
    :raises CurrencyMismatch: if the amount is not in the card's currency
    :raises InvalidAmount: if the amount is not above zero
    :raises AuthorizationNotOpen: if an increment comes too late
    :raises InsufficientFunds: if an increment asks for more than there is
    """
    card = lock_card(card_id)
    if message.amount.currency != card.programme.currency:
        raise CurrencyMismatch(expected=card.programme.currency, given=message.amount.currency)
    if message.amount.minor <= 0 and message.kind != EventKind.EXPIRE:
        raise InvalidAmount(reason="The amount must be greater than zero.")
    event, fresh = _keep(card, message, processor, now)
    if not fresh:
        return event
    authorization = _authorization(card, processor, message.network_reference)
    if message.kind == EventKind.INCREMENT:
        _check_increment(authorization)
    # Everybody's order: all balances by key before any of them is changed.
    clearing = house_account(chart_code=CLEARING, currency=message.amount.currency, now=now)
    list(lock(Balance.objects.filter(pk__in=(card.wallet.account_id, clearing.pk))).values_list("pk"))
    if authorization is not None:
        follow(authorization, now=now)
        tell_authorization(authorization, decided=False, now=now)
    if message.kind in (EventKind.CLEAR, EventKind.REFUND):
        book_event(
            card=card,
            authorization=authorization,
            event=event,
            clearing_id=clearing.pk,
            now=now,
        )
    return event


def reverse(
    *, authorization_id: int, reference: str, amount: Money | None, now: datetime
) -> CardAuthorization:
    """
    Take back a promise, in part or (without an amount) whole.

    :raises AuthorizationNotOpen: if it was declined or is over
    """
    row = CardAuthorization.objects.get(pk=authorization_id)
    state = AuthorizationState(row.state)
    known = _events(row).filter(kind=EventKind.REVERSE, reference=reference).exists()
    if state != AuthorizationState.OPEN and not known:
        raise AuthorizationNotOpen(state=state.label)
    whole = Money(row.authorized_minor, row.currency)
    if known and amount is None:
        return row
    message = Message(
        kind=EventKind.REVERSE,
        reference=reference,
        network_reference=row.network_reference,
        amount=amount or whole,
        network_time=now,
    )
    take_message(card_id=row.card_id, message=message, now=now, processor=row.processor)
    row.refresh_from_db()
    return row


def expire_due(*, now: datetime, limit: int = 200) -> int:
    """Expire open authorisations whose time is over and return how many there were."""
    due = CardAuthorization.objects.filter(state=AuthorizationState.OPEN, expires_at__lte=now)
    rows = list(due.order_by("expires_at", "pk")[:limit])
    for row in rows:
        _expire(row, now)
    return len(rows)


def expire(*, authorization_id: int, now: datetime) -> None:
    """
    End a promise before its time; a clearing that comes later is booked all the same.

    :raises AuthorizationNotOpen: if it was declined or is over
    """
    row = CardAuthorization.objects.get(pk=authorization_id)
    state = AuthorizationState(row.state)
    if state != AuthorizationState.OPEN:
        raise AuthorizationNotOpen(state=state.label)
    _expire(row, now)


def _expire(row: CardAuthorization, now: datetime) -> None:
    message = Message(
        kind=EventKind.EXPIRE,
        reference=row.network_reference,
        network_reference=row.network_reference,
        amount=Money(0, row.currency),
        network_time=row.expires_at,
    )
    take_message(card_id=row.card_id, message=message, now=now, processor=row.processor)


def follow(authorization: CardAuthorization, *, now: datetime) -> Position | None:
    """
    Bring hold, counters and state of an authorisation to what its events add up to; its card is locked.

    A declined one stays declined, whatever comes.
    """
    if authorization.state == AuthorizationState.DECLINED:
        return None
    found = _position(authorization)
    _move_hold(authorization, found.held, now)
    _count(authorization, found.counted)
    if found.state != AuthorizationState.OPEN and authorization.state == AuthorizationState.OPEN:
        _give_back(authorization, found)
    authorization.state = found.state
    authorization.authorized_minor, authorization.cleared_minor = found.authorized, found.cleared
    authorization.refunded_minor, authorization.counted_minor = found.refunded, found.counted
    authorization.save(
        update_fields=[
            *("state", "hold", "authorized_minor", "cleared_minor", "refunded_minor", "counted_minor"),
        ]
    )
    return found


def tell_authorization(authorization: CardAuthorization, *, decided: bool, now: datetime) -> None:
    """Record and publish how an authorisation stands."""
    card, decision = authorization.card, authorization.decision
    if decided:
        trail.record(
            action="card_authorization.decide",
            object_type="card_authorization",
            object_id=authorization.public_id,
            outcome="DONE" if not decision.reason else "REFUSED",
            reason_code=decision.reason.upper(),
            partner_id=card.partner_id,
            customer=card.customer.public_id,
        )
    outbox.publish(
        type=events.AUTHORIZATION_DECIDED if decided else events.AUTHORIZATION_CHANGED,
        object_type="card_authorization",
        object_id=authorization.public_id,
        partner_id=card.partner_id,
        data={
            "id": authorization.public_id,
            "card": card.public_id,
            "outcome": decision.outcome.lower(),
            "reason": decision.reason or None,
            "state": authorization.state.lower(),
            "requested": authorization.requested_minor,
            "authorized": authorization.authorized_minor,
            "cleared": authorization.cleared_minor,
            "currency": authorization.currency,
            "merchant": authorization.merchant_name,
        },
        at=now,
    )


def _keep(card: Card, message: Message, processor: str, now: datetime) -> tuple[NetworkEvent, bool]:
    """Store the message once; return it, and whether it is new."""
    digest = message.digest()
    try:
        with transaction.atomic():
            event = NetworkEvent.objects.create(
                card=card,
                processor=processor,
                kind=message.kind,
                reference=message.reference,
                network_reference=message.network_reference,
                network_time=message.network_time,
                amount_minor=message.amount.minor,
                final=message.final and message.kind == EventKind.CLEAR,
                merchant_name=message.merchant_name,
                mcc=message.mcc,
                country=message.country,
                digest=digest,
                recorded_at=now,
            )
    except IntegrityError as error:
        if "network_event_once" not in str(error):
            raise
        known = NetworkEvent.objects.get(processor=processor, kind=message.kind, reference=message.reference)
        if known.digest != digest or known.card_id != card.pk:
            raise ReferenceReused(reference=message.reference) from error
        return known, False
    return event, True


def _authorization(card: Card, processor: str, network_reference: str) -> CardAuthorization | None:
    """Return what the reference names on this card; on another card it names nothing that is ours to move."""
    if not network_reference:
        return None
    found = CardAuthorization.objects.filter(
        card=card, processor=processor, network_reference=network_reference
    )
    return (
        lock(found)
        .select_related("card__customer", "card__wallet__customer", "card__programme", "decision")
        .first()
    )


def _check_increment(authorization: CardAuthorization | None) -> None:
    if authorization is None:
        raise NotFound
    state = AuthorizationState(authorization.state)
    if state != AuthorizationState.OPEN:
        raise AuthorizationNotOpen(state=state.label)


def _events(authorization: CardAuthorization) -> QuerySet[NetworkEvent]:
    return NetworkEvent.objects.filter(
        card_id=authorization.card_id,
        processor=authorization.processor,
        network_reference=authorization.network_reference,
    )


def _position(authorization: CardAuthorization) -> Position:
    return position(_events(authorization))


def _move_hold(authorization: CardAuthorization, held: int, now: datetime) -> None:
    account_id = authorization.card.wallet.account_id
    if authorization.hold_id is None:
        if held:
            view = place_hold(
                account_id=account_id,
                amount=Money(held, authorization.currency),
                source="card_authorization",
                source_key=authorization.public_id,
                expires_at=None,  # the authorisation's own expiry gives it back
                now=now,
            )
            authorization.hold_id = view.hold_id
        return
    state = HoldState.objects.get(pk=authorization.hold_id)
    delta = held - state.open_minor
    if delta == 0 or state.status != HoldStatus.ACTIVE:
        return
    key = f"events-{_events(authorization).count()}"
    if held == 0:
        release_hold(hold_id=authorization.hold_id, source_key=key, now=now)
    else:
        amount = Money(delta, authorization.currency)
        change_hold(hold_id=authorization.hold_id, delta=amount, source_key=key, now=now)


def _count(authorization: CardAuthorization, counted: int) -> None:
    """Move the counters of the day and month of the authorisation by the difference."""
    delta = counted - authorization.counted_minor
    if not delta:
        return
    dates = policies.buckets(authorization.network_time, authorization.card.programme.zone)
    for span in LimitSpan:
        row, _ = SpendCounter.objects.get_or_create(
            card_id=authorization.card_id, span=span, bucket_date=dates[span]
        )
        SpendCounter.objects.filter(pk=row.pk).update(amount_minor=row.amount_minor + delta)


def _give_back(authorization: CardAuthorization, found: Position) -> None:
    """Give the tier's limits back what was promised and not taken."""
    unused = authorization.authorized_minor - found.cleared
    if unused > 0:
        give_back_limit(
            wallet=authorization.card.wallet,
            kind=LimitKind.CARD,
            amount=Money(unused, authorization.currency),
            used_at=authorization.created_at,
        )
