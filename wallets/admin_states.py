"""What staff do to a wallet: freeze it, in one direction or both, lift the freeze, close it, ask for an overdraft."""

from decimal import Decimal
from typing import Any

from django import forms

from flowlet.backoffice.actions import ActionCall, action
from flowlet.core.money import Money
from wallets.choices import (
    CLOSE_REASONS,
    FLOOR_REASONS,
    FREEZE_REASONS,
    UNFREEZE_REASONS,
    FreezeDirection,
    FrozenBy,
    WalletStatus,
)
from wallets.models import Wallet
from wallets.operations.floors import ask_to_set_overdraft
from wallets.operations.wallets import close_wallet, freeze_wallet, unfreeze_wallet
from wallets.queries import frozen_direction

_LARGEST = Decimal(10_000_000)


class DirectionForm(forms.Form):
    """What a freeze stops."""

    direction = forms.ChoiceField(
        label="What stops",
        choices=FreezeDirection.choices,
        initial=FreezeDirection.BOTH,
        required=False,
        widget=forms.Select({"class": "input"}),
    )


def _impact(wallet: Wallet) -> list[str]:
    balance = wallet.account.balance
    lines = [f"{Money(balance.posted, wallet.currency).format()} stays where it is and cannot be used"]
    others = wallet.customer.wallets.filter(status=WalletStatus.ACTIVE).exclude(pk=wallet.pk)
    if (count := others.count()) > 0:
        lines.append(
            f"The customer's {count} other open wallets stay open"
            if count > 1
            else "The customer's other open wallet stays open"
        )
    return lines


def _freezable(wallet: Wallet) -> bool:
    if wallet.status == WalletStatus.CLOSED:
        return False
    return wallet.frozen_by != FrozenBy.HOUSE or frozen_direction(wallet) != FreezeDirection.BOTH


@action(
    name="wallet.freeze",
    model=Wallet,
    permission="wallets.freeze_wallet",
    label="Freeze",
    title=lambda w: f"Freeze the {w.currency} wallet of {w.customer.name}?",
    text="From now on nothing moves, or nothing in the direction you choose. The partner cannot lift it.",
    reasons=FREEZE_REASONS,
    form=DirectionForm,
    impact=_impact,
    available=_freezable,
    danger=True,
    icon="snowflake",
    key="f",
    keep_label="Keep active",
    done=lambda w: f"The {w.currency} wallet of {w.customer.name} is frozen.",
)
def freeze(call: ActionCall, wallet: Wallet) -> None:
    """Stop all money of a wallet, or that of one direction."""
    freeze_wallet(
        wallet_id=wallet.pk,
        reason_code=call.reason,
        note=call.note,
        direction=call.data["direction"] or FreezeDirection.BOTH,
        now=call.now,
    )


@action(
    name="wallet.unfreeze",
    model=Wallet,
    permission="wallets.unfreeze_wallet",
    label="Unfreeze",
    title=lambda w: f"Unfreeze the {w.currency} wallet of {w.customer.name}?",
    text="Money moves again at once. Restrictions of the customer, if any, stay in force.",
    reasons=UNFREEZE_REASONS,
    available=lambda w: w.status == WalletStatus.FROZEN,
    icon="lock-open",
    key="u",
    keep_label="Keep frozen",
    done=lambda w: f"The {w.currency} wallet of {w.customer.name} can be used again.",
)
def unfreeze(call: ActionCall, wallet: Wallet) -> None:
    """Let money of a wallet move again."""
    unfreeze_wallet(wallet_id=wallet.pk, reason_code=call.reason, note=call.note, now=call.now)


@action(
    name="wallet.close",
    model=Wallet,
    permission="wallets.change_wallet",
    label="Close",
    title=lambda w: f"Close the {w.currency} wallet of {w.customer.name} for good?",
    text="Only an empty wallet can be closed: nothing booked, held, announced or owed. It cannot be opened again.",
    reasons=CLOSE_REASONS,
    available=lambda w: w.status == WalletStatus.ACTIVE,
    danger=True,
    icon="lock",
    keep_label="Keep open",
    done=lambda w: f"The {w.currency} wallet of {w.customer.name} is closed.",
    order=70,
)
def close(call: ActionCall, wallet: Wallet) -> None:
    """Close an empty wallet for good."""
    close_wallet(wallet_id=wallet.pk, reason_code=call.reason, note=call.note, now=call.now)


class OverdraftForm(forms.Form):
    """How far below zero, as people write it."""

    overdraft = forms.DecimalField(
        label="Overdraft",
        min_value=0,
        max_value=_LARGEST,
        widget=forms.NumberInput({"class": "input", "step": "any"}),
        help_text="In the wallet's currency; 0 takes it away.",
    )


def _now(wallet: Wallet) -> str:
    floor: Any = wallet.account.balance.floor
    return "without end" if floor is None else Money(-floor, wallet.currency).format()


@action(
    name="wallet.ask_overdraft",
    model=Wallet,
    permission="ledger.change_account",
    label="Set overdraft",
    title=lambda w: f"How far below zero may the {w.currency} wallet of {w.customer.name} go?",
    text=lambda w: f"Now {_now(w)}. A second person must agree; then it counts at once.",
    reasons=FLOOR_REASONS,
    note="required",
    form=OverdraftForm,
    available=lambda w: w.status != WalletStatus.CLOSED,
    icon="landmark",
    done="A second person is asked to agree to the overdraft.",
    order=60,
)
def ask_overdraft(call: ActionCall, wallet: Wallet) -> None:
    """Ask a second person to let a wallet go below zero."""
    ask_to_set_overdraft(
        wallet_id=wallet.pk,
        overdraft=Money.parse(f"{call.data['overdraft']:f}", wallet.currency),
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )
