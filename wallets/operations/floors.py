"""How far below zero a wallet may go: asked for by one person, agreed to by another, for it is the house's money."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from flowlet.audit import trail
from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from flowlet.core.money import InvalidAmount, Money
from ledger.errors import InsufficientFunds
from ledger.models.accounts import Balance
from ledger.operations.accounts import set_floor
from wallets.choices import WalletStatus
from wallets.errors import OverdraftInUse, WalletClosed
from wallets.models import Wallet
from wallets.operations.wallets import lock_wallet

SET_FLOOR = "wallets.set_floor"
_PERMISSION = "ledger.change_account"


def ask_to_set_overdraft(
    *, wallet_id: int, overdraft: Money, maker_id: int, reason_code: str, note: str = "", now: datetime
) -> Approval:
    """
    Ask a second person to let a wallet go below zero by that much; zero takes an overdraft away.

    :raises InvalidAmount: if the overdraft is below zero
    :raises WalletClosed: if the wallet is closed
    :raises NotYourApproval: if the maker lacks the right
    :raises ApprovalPending: if somebody asked before
    """
    wallet = Wallet.objects.get(pk=wallet_id)
    _check(wallet, overdraft)
    return request_approval(
        action=SET_FLOOR,
        object_type="wallet",
        object_id=wallet.public_id,
        payload={"overdraft": overdraft.format(), "overdraft_minor": overdraft.minor},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


@transaction.atomic
def set_overdraft(
    *, wallet_id: int, overdraft: Money, reason_code: str, now: datetime, note: str = ""
) -> None:
    """
    Let a wallet go below zero by that much, at once. Two people have agreed, if a person asked.

    :raises InvalidAmount: if the overdraft is below zero
    :raises WalletClosed: if the wallet is closed
    :raises OverdraftInUse: if the wallet is further below zero now
    """
    wallet = lock_wallet(wallet_id)
    _check(wallet, overdraft)
    before = Balance.objects.values_list("floor", flat=True).get(pk=wallet.account_id)
    try:
        set_floor(account_id=wallet.account_id, floor_minor=-overdraft.minor, now=now)
    except InsufficientFunds as refusal:
        balance = Balance.objects.get(pk=wallet.account_id)
        available = Money(balance.posted - balance.held, wallet.currency)
        raise OverdraftInUse(wallet=wallet.public_id, available=available, overdraft=overdraft) from refusal
    trail.record(
        action="wallet.set_floor",
        object_type="wallet",
        object_id=wallet.public_id,
        changes={"floor_minor": [before, -overdraft.minor]},
        reason_code=reason_code,
        note=note,
        partner_id=wallet.partner_id,
        customer=wallet.customer.public_id,
    )


def _check(wallet: Wallet, overdraft: Money) -> None:
    if overdraft.minor < 0:
        raise InvalidAmount(reason="An overdraft is zero or more.")
    if wallet.status == WalletStatus.CLOSED:
        raise WalletClosed(wallet=wallet.public_id)


def _evidence(object_id: str) -> Mapping[str, object]:
    # Not the balance: it moves all day, and each movement would void what was asked.
    wallet = Wallet.objects.select_related("customer", "account__balance").get(public_id=object_id)
    floor = wallet.account.balance.floor
    return {
        "customer": wallet.customer.public_id,
        "tier": wallet.customer.get_tier_display(),
        "wallet_is": wallet.get_status_display(),
        "overdraft_now": "Without end" if floor is None else Money(-floor, wallet.currency).format(),
    }


def _execute(approval: Approval, now: datetime) -> None:
    wallet = Wallet.objects.get(public_id=approval.object_id)
    set_overdraft(
        wallet_id=wallet.pk,
        overdraft=Money(int(approval.payload["overdraft_minor"]), wallet.currency),
        reason_code=approval.reason_code,
        note=approval.note,
        now=now,
    )


APPROVALS.register(SET_FLOOR)(
    ApprovalKind(
        title="Set the overdraft of a wallet",
        permission=_PERMISSION,
        maker_permission=_PERMISSION,
        evidence=_evidence,
        execute=_execute,
        object_href=lambda wallet_id: reverse("admin:wallets_wallet_change", args=[wallet_id]),
        hours=72,
    )
)
