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
    told = ("available", "requested")

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
    told = ("open_minor",)

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status.lower(), open_minor=0)


class HoldTooSmall(Conflict):
    """Less is open on the hold than was asked for."""

    code = "hold_too_small"
    title = "Hold too small"
    message = "Only {open} of the hold is open, {requested} was asked for."
    told = ("open_minor", "requested")

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


class NotSealedYet(Conflict):
    """An official statement says only what is sealed; the sealer is some seconds behind."""

    code = "not_sealed_yet"
    title = "Not sealed yet"
    message = "Not all of what the statement would hold is sealed yet."
    retry = Retry(allowed=True, after_s=10)


class StatementOutOfOrder(Conflict):
    """Official statements of an account follow each other; one that ends later was issued before."""

    code = "statement_out_of_order"
    title = "Statement out of order"
    message = "The days up to the {latest} are in an official statement already."

    def __init__(self, *, latest: date) -> None:
        super().__init__(latest=latest)


class StatementUnsound(Conflict):
    """The books do not prove the statement: the ledger must be verified before anybody gets a file."""

    code = "statement_not_proven"
    title = "Statement not proven"
    message = "The balances do not agree with the entries, so no file is given out. The ledger must be verified first."


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


class PeriodClosed(AppError):
    """The value date lies in a period that is closed, or is being closed."""

    code = "period_closed"
    title = "Period closed"
    message = "The books are closed for {effective_date}; the first open day is {first_open}."
    next_action = "use_open_date"
    next_text = "Post with a value date on or after the first open day."

    def __init__(self, *, effective_date: str, first_open: str) -> None:
        super().__init__(effective_date=effective_date, first_open=first_open)


class NotLastDay(AppError):
    """An accrual is for the last day of a period, since its mirror lies on the first day of the next."""

    code = "not_last_day"
    title = "Not a period's last day"
    message = "An accrual is posted with the last day of its period, which is {latest}."
    next_action = "use_last_day"
    next_text = "Give the last day of the period as the value date."

    def __init__(self, *, latest: str) -> None:
        super().__init__(latest=latest)


class PeriodOutOfOrder(Conflict):
    """Periods are closed one after the other, and only the latest closed one may be opened again."""

    code = "period_out_of_order"
    title = "Not this period's turn"
    message = "Periods close in their order, and only the latest closed one can be opened again."


class PeriodStatusConflict(Conflict):
    """The period is not in the state that this needs."""

    code = "period_status"
    title = "Period is in another state"
    message = "The period is {status} now."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status.lower())


class JournalFinal(Conflict):
    """The journal was posted or discarded; what is written stays."""

    code = "journal_final"
    title = "Journal is final"
    message = "The journal was posted or discarded; nothing of it can be changed."


class JournalWaiting(Conflict):
    """The journal waits for a second person; withdraw the request first."""

    code = "journal_waiting"
    title = "Waiting for a second person"
    message = "The journal waits for a second person. Withdraw the request before you change it."


class ApprovalNeeded(AppError):
    """A manual journal is posted by two people."""

    code = "approval_needed"
    http_status = 403
    title = "A second person must agree"
    message = "A manual journal needs the approval of a second person."


class RateMissing(AppError):
    """No rate of that kind is on record for the two currencies, or the latest is too old to be used."""

    code = "rate_missing"
    title = "No exchange rate"
    message = "There is no {kind} rate from {base} to {quote} that can be used{when}."
    next_action = "use_other_currency"
    next_text = "Use another pair of currencies, or ask us to record the rate."

    def __init__(self, *, base: str, quote: str, kind: str, day: date | None = None) -> None:
        when = f" on {day:%-d %B %Y}" if day else " now"
        super().__init__(base=base, quote=quote, kind=kind.lower(), when=when)


class RateExists(Conflict):
    """A rate of this pair, kind, source and instant is on record; rates are never changed."""

    code = "rate_exists"
    title = "Rate exists"
    message = "There is a {kind} rate {base}/{quote} from {source} of that instant already."
    next_action = "use_new_instant"
    next_text = "Record the right rate with a later instant; the newest one counts."

    def __init__(self, *, base: str, quote: str, kind: str, source: str) -> None:
        super().__init__(base=base, quote=quote, kind=kind.lower(), source=source)


class InvalidRate(AppError):
    """The rate is no positive number of at most 12 digits on either side of the point, or its currencies are one."""

    code = "invalid_rate"
    http_status = 400
    title = "Invalid rate"
    message = "{reason}"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class JournalNotYours(AppError):
    """Somebody else wrote the journal; only its maker changes it."""

    code = "journal_not_yours"
    http_status = 403
    title = "Somebody else's journal"
    message = "Only the person who wrote this journal can change it. Copy it to make one of your own."


class UnknownAccountName(AppError):
    """The words name no account, or several."""

    code = "unknown_account"
    http_status = 400
    title = "Which account?"
    message = "{reason}"

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class QuoteUsed(AppError):
    """The quote was used for an exchange before; it works once."""

    code = "quote_used"
    title = "Quote used"
    message = "The quote {quote} has been used already."
    next_action = "request_quote"
    next_text = "Look at the exchange that used it, or ask for a new quote and exchange by that one."

    def __init__(self, *, quote: str) -> None:
        super().__init__(quote=quote)
