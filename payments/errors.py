"""The ways in which payments says no."""

from flowlet.core.errors import AppError
from ledger.errors import AccountNotOpen, BalanceOutOfRange, InsufficientFunds
from wallets.errors import MoneyOutBlocked, NotPermitted, WalletClosed, WalletFrozen

_KNOWN: dict[str, type[AppError]] = {
    known.code: known
    for known in (
        AccountNotOpen,
        BalanceOutOfRange,
        InsufficientFunds,
        MoneyOutBlocked,
        NotPermitted,
        WalletClosed,
        WalletFrozen,
    )
}


class UnknownRail(AppError):
    """No rail of that name carries payments here."""

    code = "unknown_rail"
    http_status = 400
    title = "Unknown rail"
    message = "There is no rail {rail}."

    def __init__(self, *, rail: str) -> None:
        super().__init__(rail=rail)


def refusal_of(*, code: str, detail: str) -> AppError:
    """
    Return the error a refused payment once met, rebuilt from what its row keeps.

    Code, title and advice are those of the error's class; `detail` is the sentence of that time.
    """
    known = _KNOWN.get(code, AppError)
    again: type[AppError] = type(
        known.__name__,
        (AppError,),
        {
            "code": code,
            "title": known.title,
            "message": "{detail}",
            "next_action": known.next_action,
            "next_text": known.next_text,
        },
    )
    return again(detail=detail)
