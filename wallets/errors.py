"""The ways in which wallets says no. What compliance or the house decided reads neutral: nobody is tipped off."""

from collections.abc import Mapping
from datetime import datetime

from flowlet.core.errors import AppError, Conflict
from flowlet.core.money import Money
from flowlet.gateway.errors import IdempotencyKeyReused
from ledger.errors import AccountNotEmpty, AccountNotOpen, BalanceOutOfRange, InsufficientFunds


class WalletFrozen(AppError):
    """The wallet is frozen; nothing moves in or out."""

    code = "wallet_frozen"
    title = "Wallet frozen"
    message = "Wallet {wallet} is frozen."
    next_action = "unfreeze_wallet"
    next_text = "Unfreeze the wallet if you froze it yourself; otherwise contact support."

    def __init__(self, *, wallet: str) -> None:
        super().__init__(wallet=wallet)


class WalletClosed(AppError):
    """The wallet is closed for good."""

    code = "wallet_closed"
    title = "Wallet closed"
    message = "Wallet {wallet} is closed."
    next_action = "use_another_wallet"
    next_text = "Use another wallet of the customer, or open a new one."

    def __init__(self, *, wallet: str) -> None:
        super().__init__(wallet=wallet)


class MoneyOutBlocked(AppError):
    """Money may not leave the wallet for now; the words are the same whatever the reason."""

    code = "under_review"
    title = "Under review"
    message = "Money cannot leave wallet {wallet} for now."
    next_action = "wait"
    next_text = "Try again later with a new key; you receive an event when this ends."

    def __init__(self, *, wallet: str) -> None:
        super().__init__(wallet=wallet)


class MoneyInBlocked(MoneyOutBlocked):
    """Money may not enter the wallet for now; the words are the same whatever the reason."""

    message = "Money cannot enter wallet {wallet} for now."


class NotPermitted(AppError):
    """The customer may not move money at all; the words are the same whatever the reason."""

    code = "not_permitted"
    title = "Not permitted"
    message = "Wallet {wallet} cannot move money."
    next_action = "contact_support"
    next_text = "Contact support; trying again will not help."

    def __init__(self, *, wallet: str) -> None:
        super().__init__(wallet=wallet)


class WalletExists(Conflict):
    """The customer has an open wallet in this currency for this purpose."""

    code = "wallet_exists"
    title = "Wallet exists"
    message = "The customer has an open {currency} wallet for this purpose: {wallet}."
    next_action = "use_wallet"
    next_text = "Use the wallet that is there, or give another purpose."

    def __init__(self, *, currency: str, wallet: str) -> None:
        super().__init__(currency=currency, wallet=wallet)


class NoReference(AppError):
    """The wallet has no active reference for incoming transfers."""

    code = "no_reference"
    http_status = 404
    title = "No reference"
    message = "Wallet {wallet} has no reference for incoming transfers yet."
    next_action = "give_reference"
    next_text = "POST to this address: it gives the wallet its reference."

    def __init__(self, *, wallet: str) -> None:
        super().__init__(wallet=wallet)


class NoClientMoneyAccount(AppError):
    """The house has no bank account for customers' money in this currency."""

    code = "no_bank_account"
    title = "No bank account"
    message = "There is no bank account of ours for transfers in {currency}."
    next_action = "use_another_way"
    next_text = "Use a deposit, a top-up or a linked bank for this currency."

    def __init__(self, *, currency: str) -> None:
        super().__init__(currency=currency)


class ReferenceRetired(Conflict):
    """The reference was retired before, which is final."""

    code = "reference_retired"
    title = "Reference retired"
    message = "Reference {reference} was retired before."

    def __init__(self, *, reference: str) -> None:
        super().__init__(reference=reference)


class ReferenceTaken(Conflict):
    """The account number stands for a wallet already, or this wallet has another one."""

    code = "reference_taken"
    title = "Account number taken"
    message = "This account number is in use, or the wallet has another one."


class WalletNotFrozen(Conflict):
    """There is no freeze to lift."""

    code = "wallet_not_frozen"
    title = "Wallet not frozen"
    message = "The wallet is not frozen."


class AlreadyFrozen(Conflict):
    """The wallet is frozen already."""

    code = "wallet_already_frozen"
    title = "Already frozen"
    message = "The wallet is frozen already."


class WalletNotEmpty(AccountNotEmpty):
    """A wallet is closed only when nothing is booked, held, announced or owed; `why` says what there is."""

    title = "Wallet not empty"
    message = "Wallet {wallet} cannot be closed yet: {why}."
    next_action = "empty_wallet"
    next_text = (
        "Move the balance away, end what holds or announces money, and let what is owed be repaid first."
    )
    told = ("posted", "held", "pending", "owed")

    def __init__(self, *, wallet: str, posted: Money, held: Money, pending: Money, owed: Money) -> None:
        parts = (
            (posted, "{} is booked"),
            (held, "{} is held"),
            (pending, "{} is announced"),
            (owed, "{} is owed"),
        )
        why = ", ".join(words.format(amount.format()) for amount, words in parts if amount.minor)
        super().__init__(wallet=wallet, why=why, posted=posted, held=held, pending=pending, owed=owed)


class OverdraftInUse(Conflict):
    """The wallet is overdrawn by more than it may be from now on."""

    code = "overdraft_in_use"
    title = "Overdraft in use"
    message = "Wallet {wallet} stands at {available} and cannot be limited to an overdraft of {overdraft}."
    next_action = "wait_for_money"
    next_text = "Wait until money has come in, or allow a larger overdraft."

    def __init__(self, *, wallet: str, available: Money, overdraft: Money) -> None:
        super().__init__(wallet=wallet, available=available, overdraft=overdraft)


class FreezeHeld(AppError):
    """The house froze the wallet, so the partner cannot open it."""

    code = "not_permitted"
    http_status = 403
    title = "Not permitted"
    message = "This freeze cannot be lifted here."
    next_action = "contact_support"
    next_text = "Contact support."


class LimitExceeded(AppError):
    """The movement would take the customer beyond a limit of his tier; `left_minor` would still pass."""

    code = "limit_exceeded"
    title = "Limit exceeded"
    message = "Wallet {wallet}: the limit for {what} is {limit}, {left} is left."
    next_action = "reduce_amount"
    next_text = "Ask for a smaller amount, wait until the limit begins anew, or let the customer verify more."
    told = ("limit_minor", "left_minor")

    def __init__(
        self, *, wallet: str, what: str, interval: str, limit: Money, used: Money, left: Money
    ) -> None:
        super().__init__(
            wallet=wallet,
            what=what,
            interval=interval,
            limit=limit,
            left=left,
            limit_minor=limit.minor,
            used_minor=used.minor,
            left_minor=left.minor,
        )


class BankAccountDeclined(AppError):
    """The bank said no: the account does not hold the amount, or is gone."""

    code = "bank_account_declined"
    title = "Bank declined"
    message = "The bank declined to pay {requested}."
    next_action = "reduce_amount"
    next_text = "Ask for a smaller amount, or use another bank account."

    def __init__(self, *, requested: object) -> None:
        super().__init__(requested=requested)


class MovementNotPending(Conflict):
    """Only a deposit or withdrawal that waits can be cancelled."""

    code = "movement_not_pending"
    title = "Not waiting"
    message = "It is {status}: only what waits for the next run can be cancelled."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class MonitorExists(Conflict):
    """The wallet has this monitor already."""

    code = "monitor_exists"
    title = "Monitor exists"
    message = "The wallet has this monitor already: {monitor}."

    def __init__(self, *, monitor: str) -> None:
        super().__init__(monitor=monitor)


class TooManyMonitors(AppError):
    """A wallet has as many monitors as it may have."""

    code = "too_many_monitors"
    title = "Too many monitors"
    message = "A wallet has at most {maximum} monitors."
    next_action = "end_monitor"
    next_text = "End one that is no longer needed."

    def __init__(self, *, maximum: int) -> None:
        super().__init__(maximum=maximum)


class InvalidIban(AppError):
    """The text is no IBAN: its country, length or check digits are wrong."""

    code = "invalid_iban"
    http_status = 400
    title = "Invalid IBAN"
    message = "This is not a valid IBAN."


class BankAccountExists(Conflict):
    """The customer linked this account before."""

    code = "bank_account_exists"
    title = "Bank account exists"
    message = "The customer has this bank account already: {bank_account}."

    def __init__(self, *, bank_account: str) -> None:
        super().__init__(bank_account=bank_account)


class SandboxOnly(AppError):
    """The built-in bank exists in the sandbox only."""

    code = "sandbox_only"
    title = "Only in the sandbox"
    message = "Bank accounts of the built-in bank exist in the sandbox only."


class KeyUsedBefore(IdempotencyKeyReused):
    """The key stands for another movement of this partner, one whose first answer is no longer kept or was never sent."""


class HoldElsewhere(Conflict):
    """A payment, card or movement placed the hold: it ends with that, not by itself."""

    code = "hold_elsewhere"
    title = "Held for something else"
    message = "Hold {hold} was not placed over this resource: it ends with {cause}."
    next_action = "end_cause"
    next_text = "Complete, cancel or reverse what the money is held for."

    def __init__(self, *, hold: str, cause: str) -> None:
        super().__init__(hold=hold, cause=cause)


class QuoteExpired(AppError):
    """The quote's time is over."""

    code = "quote_expired"
    title = "Quote expired"
    message = "The quote {quote} was good until {expires_at:%H:%M:%S} UTC."
    next_action = "request_quote"
    next_text = "Ask for a new quote and exchange by that one before it expires."

    def __init__(self, *, quote: str, expires_at: datetime) -> None:
        super().__init__(quote=quote, expires_at=expires_at)


class OneCurrency(AppError):
    """Both wallets are in one currency: there is nothing to exchange."""

    code = "one_currency"
    title = "One currency"
    message = "Both wallets are in {currency}; an exchange needs two currencies."
    next_action = "make_payment"
    next_text = "Move the money by a payment between the two wallets."

    def __init__(self, *, currency: str) -> None:
        super().__init__(currency=currency)


_KEPT: dict[str, type[AppError]] = {
    known.code: known
    for known in (
        AccountNotOpen,
        BalanceOutOfRange,
        BankAccountDeclined,
        InsufficientFunds,
        LimitExceeded,
        MoneyOutBlocked,
        NotPermitted,
        WalletClosed,
        WalletFrozen,
    )
}


def refusal_of(*, code: str, detail: str, also: Mapping[str, type[AppError]] | None = None) -> AppError:
    """
    Return the error that a refused movement or payment once met, rebuilt from what its row keeps.

    Title and advice are those of the error's class, also of those `also` names by code; `detail` is the sentence of
    that time.
    """
    known = {**_KEPT, **(also or {})}.get(code, AppError)
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
