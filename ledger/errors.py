"""The ways in which the ledger says no."""

from datetime import date

from flowlet.core.errors import AppError, Conflict, Retry
from flowlet.core.money import Money


class InsufficientFunds(AppError):
    """The account's available balance is smaller than the amount asked for."""

    code = "insufficient_funds"
    title = "Insufficient funds"
    message = "Only {available} is available, {requested} was asked for."
    next_action = "reduce_amount"
    next_text = "Ask for no more than the available balance, or wait for money to come in."

    def __init__(self, *, available: Money, requested: Money) -> None:
        super().__init__(available=available, requested=requested)


class AccountNotOpen(AppError):
    """The account's status does not let money move in this direction; the words stay neutral."""

    code = "account_not_open"
    title = "Account not open"
    message = "Money cannot move on this account now."


class AccountNotEmpty(Conflict):
    """An account is closed only when nothing is booked, held or announced on it."""

    code = "account_not_empty"
    title = "Account not empty"
    message = "The account still holds or expects money."
    next_action = "empty_account"
    next_text = "Move the balance to another account first."


class AccountExists(Conflict):
    """The house's own account under a heading exists once per currency and partner; further ones need a name."""

    code = "account_exists"
    title = "Account exists"
    message = "There is such an account already; give another one a name."


class KeyReused(AppError):
    """The key of a posting came before with other content."""

    code = "key_reused"
    title = "Key reused"
    message = "The key {source_key} was used before for another posting."
    next_action = "use_new_key"
    next_text = "Send a new posting under a new key; the first one stands."

    def __init__(self, *, source_key: str) -> None:
        super().__init__(source_key=source_key)


class UnbalancedTransaction(AppError):
    """The legs do not sum to zero in every currency, or there are fewer than two."""

    code = "unbalanced_transaction"
    title = "Unbalanced transaction"
    message = "Debits and credits differ, or a leg is missing."


class ZeroLeg(AppError):
    """A leg moves nothing, alone or merged with the other legs of its account."""

    code = "zero_leg"
    title = "Empty leg"
    message = "Every leg must move an amount other than zero."


class BalanceOutOfRange(AppError):
    """The balance would leave the range that can be stored."""

    code = "balance_out_of_range"
    title = "Balance out of range"
    message = "The balance would become too large."


class AlreadyReversed(Conflict):
    """The transaction was reversed before; once is all."""

    code = "already_reversed"
    title = "Already reversed"
    message = "The transaction has been reversed already."


class NotReversible(Conflict):
    """A reversal cannot be reversed: post the transaction anew."""

    code = "not_reversible"
    title = "Not reversible"
    message = "A reversal cannot be reversed."
    next_action = "post_again"
    next_text = "Post the original movement again under a new key."


class HoldFinal(Conflict):
    """The hold has been captured, released or has expired."""

    code = "hold_final"
    title = "Hold is final"
    message = "The hold is {status}; nothing of it is open."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status.lower(), open_minor=0)


class HoldTooSmall(Conflict):
    """Less is open on the hold than was asked for."""

    code = "hold_too_small"
    title = "Hold too small"
    message = "Only {open} of the hold is open, {requested} was asked for."

    def __init__(self, *, open: Money, requested: Money) -> None:  # noqa: A002 - the field's name in the answer
        super().__init__(open=open, requested=requested, open_minor=open.minor)


class PeriodNotOver(AppError):
    """A statement is cut when its last day is over."""

    code = "period_not_over"
    title = "Not over yet"
    message = "The {latest} is not over yet."
    next_action = "wait"
    next_text = "Ask for a statement on demand, or wait until the day is over."

    def __init__(self, *, latest: date) -> None:
        super().__init__(latest=latest)


class StatementOutOfOrder(Conflict):
    """Official statements of an account follow each other; one that ends later was issued before."""

    code = "statement_out_of_order"
    title = "Statement out of order"
    message = "The days up to the {latest} are in an official statement already."

    def __init__(self, *, latest: date) -> None:
        super().__init__(latest=latest)


class UnknownFormat(AppError):
    """There is no such format, or not in this version."""

    code = "unknown_format"
    http_status = 400
    title = "Unknown format"
    message = "There is no such format of statements, or not in this version."


class TooManyExports(AppError):
    """A partner or person has as many exports waiting as may wait at once."""

    code = "too_many_exports"
    title = "Too many exports"
    message = "{waiting} exports are waiting already."
    retry = Retry(allowed=True, after_s=60)
    next_action = "wait"
    next_text = "Wait until one of them is finished."

    def __init__(self, *, waiting: int) -> None:
        super().__init__(waiting=waiting)


class ExportNotReady(Conflict):
    """The export is not finished, or has failed."""

    code = "export_not_ready"
    title = "Export not ready"
    message = "The export is {state}."

    def __init__(self, *, state: str) -> None:
        super().__init__(state=state.lower())


class ExportGone(AppError):
    """The export's files were deleted, or the link to them has run out."""

    code = "export_gone"
    http_status = 410
    title = "No longer there"
    message = "The link or the file is no longer valid."
    next_action = "ask_again"
    next_text = "Read the export again for a new link, or ask for a new export."


class NothingToExport(AppError):
    """There is no wallet to make a statement of."""

    code = "nothing_to_export"
    title = "Nothing to export"
    message = "There is no wallet to make a statement of."
