"""Booking what the network has settled: one ledger transaction for each clearing or refund, and who is told."""

from datetime import datetime

from cards import events, policies
from cards.choices import AuthorizationState, EventKind, ExceptionCode
from cards.models.authorizations import CardAuthorization, CardTransaction, NetworkEvent
from cards.models.issuing import Card
from flowlet.audit import trail
from flowlet.core.money import Money
from flowlet.events import outbox
from ledger.operations.accounts import house_account
from ledger.operations.owing import post_forced
from ledger.operations.posting import Draft, Leg, post
from ledger.operations.queue import enqueue
from ledger.queries.periods import value_date


def book_event(
    *,
    card: Card,
    authorization: CardAuthorization | None,
    event: NetworkEvent,
    clearing_id: int,
    now: datetime,
) -> None:
    """
    Book a clearing or refund in full, once for its event; card and balances are locked, the authorisation is up to date.

    `clearing_id` is the house's clearing account in the event's currency. What the wallet cannot pay is owed.
    """
    amount, account_id = Money(event.amount_minor, card.programme.currency), card.wallet.account_id
    clears = event.kind == EventKind.CLEAR
    merchant = event.merchant_name or (authorization.merchant_name if authorization else "")
    draft = Draft(
        kind="CARD_CLEARING" if clears else "CARD_REFUND",
        source="card",
        source_key=f"{event.kind.lower()}:{event.processor}:{event.reference}",
        # A clearing is booked whenever it comes: in a month that is closed by then, on the first open day.
        effective_date=value_date(event.network_time.date()),
        legs=(Leg(account_id, amount), Leg(clearing_id, -amount))
        if clears
        else (Leg(account_id, -amount), Leg(clearing_id, amount)),
        text=f"{merchant or 'Card payment'}, card •••• {card.last_four}",
        context={
            "card": card.public_id,
            **({"authorization": authorization.public_id} if authorization else {}),
        },
    )
    posted = post_forced(draft=draft, now=now) if clears else post(draft=draft, now=now)
    _queue_interchange(draft, clearing_id=clearing_id, now=now)
    row = CardTransaction.objects.create(
        event=event,
        card=card,
        authorization=authorization,
        kind=event.kind,
        amount_minor=event.amount_minor,
        currency=amount.currency,
        exception_code=_exception(event, authorization),
        transaction_id=posted.transaction_id,
        booked_at=now,
    )
    trail.record(
        action="card_transaction.book",
        object_type="card_transaction",
        object_id=row.public_id,
        changes={"exception": [None, row.exception_code or None]},
        partner_id=card.partner_id,
        customer=card.customer.public_id,
    )
    outbox.publish(
        type=events.TRANSACTION_POSTED,
        object_type="card_transaction",
        object_id=row.public_id,
        partner_id=card.partner_id,
        data={
            "id": row.public_id,
            "card": card.public_id,
            "authorization": authorization.public_id if authorization else None,
            "kind": "clearing" if clears else "refund",
            "amount": row.amount_minor,
            "currency": row.currency,
            "merchant": merchant,
            "transaction": posted.public_id,
        },
        at=now,
    )


def _queue_interchange(draft: Draft, *, clearing_id: int, now: datetime) -> None:
    """Queue what the merchant's bank leaves us of a clearing, or takes back with a refund; nobody waits for it."""
    moved = next(leg.amount for leg in draft.legs if leg.account_id == clearing_id)
    fee = Money(policies.interchange(-moved.minor), moved.currency)
    if not fee.minor:
        return
    income = house_account(chart_code="INTERCHANGE_INCOME", currency=fee.currency, now=now)
    enqueue(
        drafts=[
            Draft(
                kind="INTERCHANGE",
                source=draft.source,
                source_key=f"interchange:{draft.source_key}",
                effective_date=draft.effective_date,
                legs=(Leg(clearing_id, fee), Leg(income.pk, -fee)),
                context=draft.context,
            )
        ],
        now=now,
    )


def _exception(event: NetworkEvent, authorization: CardAuthorization | None) -> ExceptionCode:
    """Return what somebody should look at; the money is booked in any case."""
    if authorization is None:
        return (
            ExceptionCode.NO_AUTHORIZATION
            if event.kind == EventKind.CLEAR
            else ExceptionCode.REFUND_UNMATCHED
        )
    if event.kind == EventKind.REFUND:
        fits = authorization.refunded_minor <= authorization.cleared_minor
        return ExceptionCode.NONE if fits else ExceptionCode.REFUND_UNMATCHED
    if authorization.state == AuthorizationState.DECLINED:
        return ExceptionCode.NO_AUTHORIZATION
    if policies.is_over(
        mcc=authorization.mcc, authorized=authorization.authorized_minor, cleared=authorization.cleared_minor
    ):
        return ExceptionCode.OVER_AUTHORIZED
    return ExceptionCode.NONE
