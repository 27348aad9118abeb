"""
Holds that partners place on their customers' wallets, change, capture into their own account, and give back.

Captured money goes to the partner's own account (`PARTNER_FUNDS`). Between wallets money moves through payments only,
which score and screen it: a capture into another wallet would be a way round them, so there is none.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.errors import FieldError, InvalidInput
from flowlet.core.money import Money
from flowlet.events import outbox
from flowlet.events.models import Event
from ledger.choices import HoldStatus
from ledger.errors import HoldFinal
from ledger.models.holds import Hold, HoldEvent, HoldState
from ledger.operations import holds as ledger_holds
from ledger.operations.accounts import house_account
from ledger.operations.posting import Draft, Leg
from ledger.queries.holds import HoldView
from wallets import events, policies
from wallets.errors import HoldElsewhere, KeyUsedBefore
from wallets.models import Wallet
from wallets.operations.limits import use_limit
from wallets.operations.wallets import lock_wallet
from wallets.queries import get_states

SOURCE = "partner_hold"
LIFE, LIFE_MAX = timedelta(days=7), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Capture:
    """What was taken off a hold, and the ledger transaction that took it."""

    amount: Money
    transaction: str


@transaction.atomic
def place_partner_hold(
    *,
    wallet_id: int,
    amount: Money,
    idempotency_key: str,
    now: datetime,
    expires_at: datetime | None = None,
    reference: str = "",
) -> Hold:
    """
    Set money of a customer aside for his partner, by default for a week; the same key again returns the first hold.

    `reference` is the partner's own id for it, never words about a person: a hold is signed and kept for good.

    :raises InvalidInput: if it would end in the past or later than in 90 days
    :raises InvalidAmount: if the amount is not above zero
    :raises CurrencyMismatch: if the wallet is in another currency
    :raises KeyUsedBefore: if the key stands for another hold of the wallet
    :raises InsufficientFunds: if less is available; with available and requested
    :raises AppError: if money may not leave the wallet now
    """
    wallet = lock_wallet(wallet_id)
    key = _digest(wallet.partner_id, idempotency_key)
    source_key = f"{key}:{reference}"
    known = _find_placed(wallet, key)
    if known is not None:
        if (known.source_key, known.amount_minor, known.currency) != (
            source_key,
            amount.minor,
            amount.currency,
        ):
            raise KeyUsedBefore
        return known
    expires_at = _end(expires_at, now)
    policies.check_amount(amount, currencies=(wallet.currency,))
    policies.check_money_out(get_states([wallet])[wallet.pk])
    view = ledger_holds.place_hold(
        account_id=wallet.account_id,
        amount=amount,
        source=SOURCE,
        source_key=source_key,
        expires_at=expires_at,
        now=now,
    )
    hold = _read(view.hold_id)
    _tell(hold, wallet, verb="place", event=events.HOLD_PLACED, amount=amount, now=now)
    return hold


@transaction.atomic
def change_partner_hold(*, hold_id: int, delta: Money, idempotency_key: str, now: datetime) -> Hold:
    """
    Set more aside (`delta` above zero) or give a part back (below zero); once for each key.

    :raises HoldElsewhere: if it was not placed by the partner
    :raises HoldFinal: if nothing of it is open any more, or its time is over
    :raises HoldTooSmall: if less is open than is to be given back
    :raises InsufficientFunds: if less is available than is to be set aside besides
    :raises AppError: if more is to be set aside while money may not leave the wallet
    """
    hold, wallet = _locked(hold_id, now)
    if delta.minor > 0:
        policies.check_money_out(get_states([wallet])[wallet.pk])
    way = "more" if delta.minor > 0 else "less"
    key = f"{way}:{_digest(wallet.partner_id, idempotency_key)}"
    view = ledger_holds.change_hold(hold_id=hold.pk, delta=delta, source_key=key, now=now)
    return _changed(hold, wallet, view, verb="change", event=events.HOLD_CHANGED, amount=delta, now=now)


@transaction.atomic
def release_partner_hold(*, hold_id: int, now: datetime) -> Hold:
    """
    Give back all that is open; releasing again changes nothing.

    :raises HoldElsewhere: if it was not placed by the partner
    :raises HoldFinal: if it was captured, or its time is over
    """
    hold, wallet = _locked(hold_id, now)
    freed = Money(hold.state.open_minor, hold.currency)
    view = ledger_holds.release_hold(hold_id=hold.pk, source_key="released", now=now)
    return _changed(hold, wallet, view, verb="release", event=events.HOLD_RELEASED, amount=freed, now=now)


@transaction.atomic
def capture_partner_hold(
    *,
    hold_id: int,
    idempotency_key: str,
    now: datetime,
    amount: Money | None = None,
    final: bool = True,
    description: str = "",
) -> Capture:
    """
    Move held money to the partner's own account: all that is open, or `amount`; `final` gives the rest back.

    It counts as money out when it moves, against the limits of that day. `description` is what the customer reads; it
    can be erased. The same key again returns the first capture.

    :raises HoldElsewhere: if it was not placed by the partner
    :raises HoldFinal: if nothing of it is open any more, or its time is over
    :raises HoldTooSmall: if less is open than is to be taken; `open_minor` says how much
    :raises KeyUsedBefore: if the key stands for a capture of another amount
    :raises LimitExceeded: if a limit of the customer's tier would be passed
    :raises AppError: if money may not leave the wallet now
    """
    hold, wallet = _locked(hold_id, now)
    key = _digest(wallet.partner_id, idempotency_key)
    if (known := _find_captured(hold, key, amount)) is not None:
        return known
    if hold.state.status != HoldStatus.ACTIVE:
        raise HoldFinal(status=hold.state.status)
    policies.check_money_out(get_states([wallet])[wallet.pk])
    taken = Money(hold.state.open_minor, hold.currency) if amount is None else amount
    draft = _draft(hold, wallet, taken, key, description, now)
    # Within the hold there is money; what is too much for it is said by the ledger, before limits are used up.
    if taken.minor <= hold.state.open_minor:
        use_limit(wallet=wallet, kind="OUT", amount=taken, now=now)
    posted = ledger_holds.capture_hold(hold_id=hold.pk, draft=draft, amount=amount, final=final, now=now)
    _tell(
        _read(hold.pk),
        wallet,
        verb="capture",
        event=events.HOLD_CAPTURED,
        amount=taken,
        now=now,
        transaction_id=posted.public_id,
    )
    return Capture(taken, posted.public_id)


def tell_expired(*, hold_id: str, now: datetime) -> None:
    """Tell a partner that a hold (`hld_…`) of his has expired; once, and only of his own."""
    hold = Hold.objects.filter(public_id=hold_id, source=SOURCE).select_related("state").first()
    if hold is None or Event.objects.filter(object_id=hold_id, type=events.HOLD_EXPIRED).exists():
        return
    freed = HoldEvent.objects.filter(hold=hold, kind="EXPIRE").values_list("delta_minor", flat=True).get()
    wallet = Wallet.objects.get(account_id=hold.account_id)
    _publish(hold, wallet, event=events.HOLD_EXPIRED, amount=Money(-freed, hold.currency), now=now)


def reference_of(hold: Hold) -> str:
    """Return the partner's own id of a hold that he placed, or ''."""
    return hold.source_key.partition(":")[2]


def _digest(partner_id: int, idempotency_key: str) -> str:
    """Return a key as the ledger keeps it: for ever, and one for each partner."""
    return hashlib.sha256(f"{partner_id}|{idempotency_key}".encode()).hexdigest()[:40]


def _end(expires_at: datetime | None, now: datetime) -> datetime:
    if expires_at is None:
        return now + LIFE
    if not now < expires_at <= now + LIFE_MAX:
        fault = FieldError("/expires_at", "out_of_range", "A hold ends in the future and within 90 days.")
        raise InvalidInput(errors=(fault,))
    return expires_at


def _read(hold_id: int) -> Hold:
    return Hold.objects.select_related("state").get(pk=hold_id)


def _find_placed(wallet: Wallet, key: str) -> Hold | None:
    rows = Hold.objects.filter(account_id=wallet.account_id, source=SOURCE, source_key__startswith=f"{key}:")
    return rows.select_related("state").first()


def _find_captured(hold: Hold, key: str, amount: Money | None) -> Capture | None:
    known = HoldEvent.objects.filter(hold=hold, source_key=f"{SOURCE}:{key}").first()
    if known is None:
        return None
    if amount is not None and amount.minor != -known.delta_minor:
        raise KeyUsedBefore
    return Capture(Money(-known.delta_minor, hold.currency), known.transaction)


def _locked(hold_id: int, now: datetime) -> tuple[Hold, Wallet]:
    """Lock the wallet of a partner's hold, so that its changes come one by one, and return both as they are."""
    found = Hold.objects.select_related("account__wallet").get(pk=hold_id)
    if found.source != SOURCE:
        raise HoldElsewhere(hold=found.public_id, cause=found.source_key)
    wallet = lock_wallet(found.account.wallet.pk)
    hold = _read(hold_id)
    over = hold.expires_at is not None and hold.expires_at <= now
    if over and hold.state.status == HoldStatus.ACTIVE:
        raise HoldFinal(status=HoldStatus.EXPIRED)  # the next sweep writes it down
    return hold, wallet


def _draft(hold: Hold, wallet: Wallet, taken: Money, key: str, description: str, now: datetime) -> Draft:
    funds = house_account(
        chart_code="PARTNER_FUNDS", currency=hold.currency, partner_id=wallet.partner_id, now=now
    )
    return Draft(
        kind="HOLD_CAPTURE",
        source=SOURCE,
        source_key=key,
        effective_date=now.date(),
        legs=(Leg(wallet.account_id, taken), Leg(funds.pk, -taken)),
        text=description or "Payment to the provider",
        context={"hold": hold.public_id},
    )


def _changed(
    hold: Hold, wallet: Wallet, view: HoldView, *, verb: str, event: str, amount: Money, now: datetime
) -> Hold:
    current = _read(hold.pk)
    if not view.replayed:
        _tell(current, wallet, verb=verb, event=event, amount=amount, now=now)
    return current


def _tell(
    hold: Hold,
    wallet: Wallet,
    *,
    verb: str,
    event: str,
    amount: Money,
    now: datetime,
    transaction_id: str = "",
) -> None:
    trail.record(
        action=f"hold.{verb}",
        object_type="hold",
        object_id=hold.public_id,
        changes={"amount_minor": [None, amount.minor], "wallet": [None, wallet.public_id]},
        partner_id=wallet.partner_id,
        customer=wallet.customer.public_id,
    )
    _publish(hold, wallet, event=event, amount=amount, now=now, transaction_id=transaction_id)


def _publish(
    hold: Hold, wallet: Wallet, *, event: str, amount: Money, now: datetime, transaction_id: str = ""
) -> None:
    state: HoldState = hold.state
    data: dict[str, Any] = {
        "id": hold.public_id,
        "wallet": wallet.public_id,
        "amount": amount.minor,
        "open": state.open_minor,
        "currency": hold.currency,
        "status": state.status.lower(),
    }
    if transaction_id:
        data["transaction"] = transaction_id
    outbox.publish(
        type=event,
        object_type="hold",
        object_id=hold.public_id,
        partner_id=wallet.partner_id,
        data=data,
        at=now,
    )
