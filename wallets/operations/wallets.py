"""Opening, freezing, unfreezing and closing wallets. The ledger account follows, so that the database refuses too."""

from datetime import datetime

from django.db import transaction

from flowlet.audit import trail
from flowlet.core.currencies import exponent
from flowlet.core.locks import lock
from flowlet.core.money import Money
from flowlet.events import outbox
from flowlet.identity.choices import CustomerStatus
from flowlet.identity.errors import CustomerClosed
from flowlet.identity.models import Customer
from ledger.choices import AccountStatus
from ledger.errors import AccountNotEmpty
from ledger.models.accounts import Balance
from ledger.operations.accounts import open_account, set_status
from ledger.queries.holds import owed_by
from wallets import events
from wallets.choices import FreezeDirection, FrozenBy, WalletStatus
from wallets.errors import (
    AlreadyFrozen,
    FreezeHeld,
    WalletClosed,
    WalletExists,
    WalletNotEmpty,
    WalletNotFrozen,
)
from wallets.models import Wallet
from wallets.queries import DIRECTION_OF

DEFAULT_PURPOSE = "MAIN"
_STATUS_OF = {direction: status for status, direction in DIRECTION_OF.items()}


@transaction.atomic
def open_wallet(
    *, customer_id: int, currency: str, now: datetime, name: str = "", purpose: str = DEFAULT_PURPOSE
) -> Wallet:
    """
    Open an empty wallet with a ledger account of its own that cannot go below zero.

    :raises UnknownCurrency: if the currency is not in ISO 4217
    :raises CustomerClosed: if the relation has ended
    :raises WalletExists: if the customer has an open one in this currency for this purpose
    """
    exponent(currency)
    customer = lock(Customer.objects.filter(pk=customer_id)).get()
    if customer.status == CustomerStatus.CLOSED:
        raise CustomerClosed
    known = Wallet.objects.filter(customer=customer, currency=currency, purpose=purpose)
    known = known.exclude(status=WalletStatus.CLOSED)
    if (other := known.first()) is not None:
        raise WalletExists(currency=currency, wallet=other.public_id)
    account = open_account(
        chart_code="CUSTOMER_WALLETS",
        currency=currency,
        partner_id=customer.partner_id,
        customer_id=customer.pk,
        floor_minor=0,
        now=now,
    )
    wallet = Wallet.objects.create(
        partner_id=customer.partner_id,
        customer=customer,
        currency=currency,
        account=account,
        name=name,
        purpose=purpose,
        created_at=now,
    )
    _tell(wallet, verb="open", event=events.OPENED, changes={"status": [None, wallet.status]}, now=now)
    return wallet


@transaction.atomic
def freeze_wallet(
    *,
    wallet_id: int,
    reason_code: str,
    now: datetime,
    note: str = "",
    by: str = FrozenBy.HOUSE,
    direction: str = FreezeDirection.BOTH,
) -> Wallet:
    """
    Stop the money of a wallet, in and out or in one direction. `by` says who holds the freeze.

    A frozen wallet may be frozen in another direction. A freeze of the house takes the place of the partner's own; the
    partner can neither lift nor change it.

    :raises AlreadyFrozen: if it is frozen already, in this direction or by the house
    :raises WalletClosed: if it is closed
    """
    wallet = lock_wallet(wallet_id)
    if wallet.status == WalletStatus.CLOSED:
        raise WalletClosed(wallet=wallet.public_id)
    old = (wallet.status, wallet.frozen_by, _direction(wallet))
    taken_over = wallet.frozen_by == FrozenBy.PARTNER and by == FrozenBy.HOUSE
    turned = old[2] != direction and wallet.frozen_by in ("", by)
    if wallet.status == WalletStatus.FROZEN and not taken_over and not turned:
        raise AlreadyFrozen
    wallet.status, wallet.frozen_by, wallet.freeze_reason_code = WalletStatus.FROZEN, by, reason_code
    wallet.save(update_fields=["status", "frozen_by", "freeze_reason_code"])
    set_status(account_id=wallet.account_id, status=_STATUS_OF[FreezeDirection(direction)], now=now)
    same = taken_over and old[2] == direction
    _tell(
        wallet,
        verb="freeze",
        event="" if same else events.FROZEN,  # for the partner nothing has changed
        changes={
            "status": [old[0], wallet.status],
            "frozen_by": [old[1] or None, by],
            "direction": [old[2] or None, str(direction)],
        },
        reason_code=reason_code,
        note=note,
        direction=direction,
        now=now,
    )
    return wallet


@transaction.atomic
def unfreeze_wallet(
    *, wallet_id: int, reason_code: str, now: datetime, note: str = "", by: str = FrozenBy.HOUSE
) -> Wallet:
    """
    Let money move again. Restrictions of the customer, if any, stay in force.

    :raises WalletNotFrozen: if there is no freeze
    :raises FreezeHeld: if a partner wants to lift what the house froze
    """
    wallet = lock_wallet(wallet_id)
    if wallet.status != WalletStatus.FROZEN:
        raise WalletNotFrozen
    if wallet.frozen_by == FrozenBy.HOUSE and by != FrozenBy.HOUSE:
        raise FreezeHeld
    old = wallet.frozen_by
    wallet.status, wallet.frozen_by, wallet.freeze_reason_code = WalletStatus.ACTIVE, "", ""
    wallet.save(update_fields=["status", "frozen_by", "freeze_reason_code"])
    set_status(account_id=wallet.account_id, status=AccountStatus.OPEN, now=now)
    _tell(
        wallet,
        verb="unfreeze",
        event=events.UNFROZEN,
        changes={"status": ["FROZEN", wallet.status], "frozen_by": [old, None]},
        reason_code=reason_code,
        note=note,
        now=now,
    )
    return wallet


@transaction.atomic
def close_wallet(*, wallet_id: int, reason_code: str, now: datetime, note: str = "") -> Wallet:
    """
    Close an empty, unfrozen wallet for good; the customer may then open another for the same purpose.

    :raises WalletClosed: if it is closed already
    :raises AlreadyFrozen: if it is frozen: a freeze is not walked round by closing
    :raises WalletNotEmpty: if money is booked, held, announced or owed; it says how much
    """
    wallet = lock_wallet(wallet_id)
    if wallet.status == WalletStatus.CLOSED:
        raise WalletClosed(wallet=wallet.public_id)
    if wallet.status == WalletStatus.FROZEN:
        raise AlreadyFrozen
    try:
        set_status(account_id=wallet.account_id, status=AccountStatus.CLOSED, now=now)
    except AccountNotEmpty as refusal:
        raise _not_empty(wallet) from refusal
    wallet.status, wallet.closed_at = WalletStatus.CLOSED, now
    wallet.save(update_fields=["status", "closed_at"])
    _tell(
        wallet,
        verb="close",
        event=events.CLOSED,
        changes={"status": ["ACTIVE", wallet.status]},
        reason_code=reason_code,
        note=note,
        now=now,
    )
    return wallet


def _direction(wallet: Wallet) -> str:
    """Return what is stopped now, read under the lock and not kept on the wallet, for it is about to change."""
    if wallet.status != WalletStatus.FROZEN:
        return ""
    status = Balance.objects.values_list("status", flat=True).get(pk=wallet.account_id)
    return DIRECTION_OF[AccountStatus(status)]


def _not_empty(wallet: Wallet) -> WalletNotEmpty:
    balance, currency = Balance.objects.get(pk=wallet.account_id), wallet.currency
    return WalletNotEmpty(
        wallet=wallet.public_id,
        posted=Money(balance.posted, currency),
        held=Money(balance.held, currency),
        pending=Money(balance.pending_in, currency),
        owed=owed_by(wallet.account_id) or Money(0, currency),
    )


def lock_wallet(wallet_id: int) -> Wallet:
    """Lock customer, then wallet: the order of the house."""
    customer_id = Wallet.objects.values_list("customer_id", flat=True).get(pk=wallet_id)
    list(lock(Customer.objects.filter(pk=customer_id)).values_list("pk"))
    return lock(Wallet.objects.filter(pk=wallet_id)).select_related("customer").get()


def _tell(
    wallet: Wallet,
    *,
    verb: str,
    event: str,
    changes: dict[str, list[object]],
    now: datetime,
    reason_code: str = "",
    note: str = "",
    direction: str = "",
) -> None:
    trail.record(
        action=f"wallet.{verb}",
        object_type="wallet",
        object_id=wallet.public_id,
        changes=changes,
        reason_code=reason_code,
        note=note,
        partner_id=wallet.partner_id,
        customer=wallet.customer.public_id,
    )
    if event:
        outbox.publish(
            type=event,
            object_type="wallet",
            object_id=wallet.public_id,
            partner_id=wallet.partner_id,
            data={
                "id": wallet.public_id,
                "customer": wallet.customer.public_id,
                "currency": wallet.currency,
                "status": wallet.status.lower(),
                **({"direction": direction.lower()} if direction else {}),
            },
            at=now,
        )
