"""Whether money may move: pure decisions over a wallet's state and what binds its customer."""

from collections.abc import Iterable
from dataclasses import dataclass

from flowlet.core.errors import NotFound
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from wallets.errors import MoneyInBlocked, MoneyOutBlocked, NotPermitted, WalletClosed, WalletFrozen


@dataclass(frozen=True, slots=True)
class WalletState:
    """What the decisions need: the wallet's public id and status, and the kinds of restriction in force on it."""

    wallet: str
    status: str
    restrictions: frozenset[str]


def _check_usable(state: WalletState) -> None:
    if state.status == "CLOSED":
        raise WalletClosed(wallet=state.wallet)
    if state.status == "FROZEN":
        raise WalletFrozen(wallet=state.wallet)
    if "FROZEN" in state.restrictions:
        raise NotPermitted(wallet=state.wallet)


def check_money_out(state: WalletState) -> None:
    """
    Let money leave.

    :raises WalletClosed: if it is closed
    :raises WalletFrozen: if it is frozen
    :raises NotPermitted: if the customer is frozen
    :raises MoneyOutBlocked: if nothing may go out for now
    """
    _check_usable(state)
    if "NO_OUT" in state.restrictions:
        raise MoneyOutBlocked(wallet=state.wallet)


def check_money_in(state: WalletState) -> None:
    """
    Let money enter.

    :raises WalletClosed: if it is closed
    :raises WalletFrozen: if it is frozen
    :raises NotPermitted: if the customer is frozen
    :raises MoneyInBlocked: if nothing may come in for now
    """
    _check_usable(state)
    if "NO_IN" in state.restrictions:
        raise MoneyInBlocked(wallet=state.wallet)


def check_amount(amount: Money, *, currencies: Iterable[str]) -> None:
    """
    Take an amount above zero in the one currency of all who are involved.

    :raises InvalidAmount: if it is zero or less
    :raises CurrencyMismatch: if a currency differs
    """
    if amount.minor <= 0:
        raise InvalidAmount(reason="The amount must be greater than zero.")
    for currency in currencies:
        if currency != amount.currency:
            raise CurrencyMismatch(expected=currency, given=amount.currency)


def check_owner(*, wallet_customer_id: int, bank_account_customer_id: int, active: bool) -> None:
    """
    Let a wallet use only its own customer's live bank accounts.

    :raises NotFound: if the account is somebody else's or removed: the two look alike
    """
    if wallet_customer_id != bank_account_customer_id or not active:
        raise NotFound
