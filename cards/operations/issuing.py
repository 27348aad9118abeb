"""The life of a card: issued, activated, closed; its limits and lists in versions."""

import calendar
from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from cards import events
from cards.choices import CardKind, CardStatus, CloseReason
from cards.errors import CardClosed, CardNotInactive, WalletNotUsable
from cards.models.issuing import Card, CardProgramme, ControlSet
from cards.operations.locking import lock_card
from cards.operations.telling import actor_text, tell_card
from cards.processors.registry import PROCESSORS
from flowlet.audit import trail
from flowlet.core.errors import AppError, FieldError, InvalidInput
from flowlet.core.locks import lock
from flowlet.identity.models import Customer
from wallets import policies as wallet_policies
from wallets.errors import KeyUsedBefore
from wallets.models import Wallet
from wallets.queries import get_states

SANDBOX_BIN = "999900"
YEARS_VALID = 4
NAME_LENGTH_MAX = 26  # ISO/IEC 7813


@transaction.atomic
def issue_card(
    *, wallet_id: int, kind: CardKind, now: datetime, name: str = "", idempotency_key: str | None = None
) -> Card:
    """
    Issue a card on a wallet. A virtual card works at once, a physical one once it is activated.

    `name` is what stands on it, by default the customer's name. The same key again returns the first card.

    :raises WalletNotUsable: if wallet or customer cannot pay now
    :raises KeyUsedBefore: if the key stands for another card
    """
    wallet = _locked_wallet(wallet_id)
    if (known := _known(wallet, kind, idempotency_key)) is not None:
        return known
    try:
        wallet_policies.check_money_out(get_states([wallet])[wallet.pk])
    except AppError as refusal:
        raise WalletNotUsable from refusal
    programme = _programme(wallet, now)
    issued = PROCESSORS.get(programme.processor).issue(prefix=programme.bin, now=now)
    virtual = kind == CardKind.VIRTUAL
    card = Card.objects.create(
        partner_id=wallet.partner_id,
        programme=programme,
        customer_id=wallet.customer_id,
        wallet=wallet,
        kind=kind,
        status=CardStatus.ACTIVE if virtual else CardStatus.INACTIVE,
        token=issued.token,
        bin=issued.bin,
        last_four=issued.last_four,
        fingerprint=issued.fingerprint,
        expires_on=_month_end(now.date(), YEARS_VALID),
        name_on_card=(name or wallet.customer.name)[:NAME_LENGTH_MAX].upper(),
        idempotency_key=idempotency_key,
        created_at=now,
        activated_at=now if virtual else None,
    )
    tell_card(events.CARD_ISSUED, "card.issue", card, now, changes={"kind": [None, card.kind]})
    return card


@transaction.atomic
def activate_card(*, card_id: int, now: datetime) -> Card:
    """
    Let a physical card be used.

    :raises CardNotInactive: if it is active
    :raises CardClosed: if it is closed
    """
    card = locked_card(card_id)
    if card.status != CardStatus.INACTIVE:
        raise CardNotInactive
    card.status, card.activated_at = CardStatus.ACTIVE, now
    card.save(update_fields=["status", "activated_at"])
    changes = {"status": ["INACTIVE", "ACTIVE"]}
    tell_card(events.CARD_ACTIVATED, "card.activate", card, now, changes=changes)
    return card


@transaction.atomic
def close_card(*, card_id: int, reason: CloseReason, now: datetime, note: str = "") -> Card:
    """
    Close a card for good. What it has promised stays; clearings of it are still booked.

    :raises CardClosed: if it is closed already
    """
    card = locked_card(card_id)
    before = card.status
    card.status, card.close_reason, card.closed_at = CardStatus.CLOSED, reason, now
    card.save(update_fields=["status", "close_reason", "closed_at"])
    changes = {"status": [before, "CLOSED"]}
    tell_card(events.CARD_CLOSED, "card.close", card, now, changes=changes, reason=reason, note=note)
    return card


@transaction.atomic
def set_controls(
    *,
    card_id: int,
    per_transaction_minor: int | None,
    day_minor: int | None,
    month_minor: int | None,
    now: datetime,
    mcc_allow: Sequence[str] | None = None,
    mcc_block: Sequence[str] = (),
    country_allow: Sequence[str] | None = None,
    country_block: Sequence[str] = (),
) -> ControlSet:
    """
    Put limits and lists of a card in force, as its next version; used amounts carry over.

    Limits are in minor units of the card's currency: None is no limit, 0 lets nothing through.

    :raises InvalidInput: if a limit is below zero, with its pointer
    :raises CardClosed: if the card is closed
    """
    given = {"per_transaction": per_transaction_minor, "day": day_minor, "month": month_minor}
    faults = [
        FieldError(f"/{name}", "too_small", "A limit cannot be below zero; leave it out for none.")
        for name, value in given.items()
        if value is not None and value < 0
    ]
    if faults:
        raise InvalidInput(errors=tuple(faults))
    card = locked_card(card_id)
    known = ControlSet.objects.filter(card=card)
    known.filter(retired_at__isnull=True).update(retired_at=now)
    version = (known.aggregate(latest=Max("version"))["latest"] or 0) + 1
    controls = ControlSet.objects.create(
        card=card,
        version=version,
        per_transaction_minor=per_transaction_minor,
        day_minor=day_minor,
        month_minor=month_minor,
        mcc_allow=None if mcc_allow is None else sorted(mcc_allow),
        mcc_block=sorted(mcc_block),
        country_allow=None if country_allow is None else sorted(country_allow),
        country_block=sorted(country_block),
        made_by=actor_text(),
        made_at=now,
    )
    changes = {"version": [version - 1 or None, version], **{k: [None, v] for k, v in given.items()}}
    tell_card(events.CARD_LIMITS_CHANGED, "card.set_limits", card, now, changes=changes)
    return controls


def locked_card(card_id: int) -> Card:
    """
    Lock customer, wallet and card in the house's order and return the card.

    :raises CardClosed: if it is closed
    """
    card = lock_card(card_id)
    if card.status == CardStatus.CLOSED:
        raise CardClosed
    return card


def _locked_wallet(wallet_id: int) -> Wallet:
    customer_id = Wallet.objects.values_list("customer_id", flat=True).get(pk=wallet_id)
    list(lock(Customer.objects.filter(pk=customer_id)).values_list("pk"))
    return lock(Wallet.objects.filter(pk=wallet_id)).select_related("customer").get()


def _known(wallet: Wallet, kind: CardKind, key: str | None) -> Card | None:
    if key is None:
        return None
    card = Card.objects.filter(partner_id=wallet.partner_id, idempotency_key=key).first()
    if card is not None and (card.wallet_id, card.kind) != (wallet.pk, kind):
        raise KeyUsedBefore
    return card


def _programme(wallet: Wallet, now: datetime) -> CardProgramme:
    """Return the partner's programme in the wallet's currency, made on first use."""
    rows = CardProgramme.objects.filter(partner_id=wallet.partner_id, currency=wallet.currency)
    if (found := rows.first()) is not None:
        return found
    try:
        with transaction.atomic():
            programme = CardProgramme.objects.create(
                partner_id=wallet.partner_id,
                processor="builtin",
                bin=SANDBOX_BIN,
                currency=wallet.currency,
                created_at=now,
            )
    except IntegrityError:
        return rows.get()  # somebody else made it meanwhile
    trail.record(
        action="card_programme.create",
        object_type="card_programme",
        object_id=programme.public_id,
        changes={"currency": [None, programme.currency]},
        partner_id=programme.partner_id,
    )
    return programme


def _month_end(day: date, years: int) -> date:
    year = day.year + years
    return date(year, day.month, calendar.monthrange(year, day.month)[1])
