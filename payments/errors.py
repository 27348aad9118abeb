"""The ways in which payments says no."""

from flowlet.core.errors import AppError, Conflict
from flowlet.core.money import Money


class UnknownRail(AppError):
    """No rail of that name carries payments here."""

    code = "unknown_rail"
    http_status = 400
    title = "Unknown rail"
    message = "There is no rail {rail}."

    def __init__(self, *, rail: str) -> None:
        super().__init__(rail=rail)


class TypeDoesNotFit(AppError):
    """The type that was asked for is not the one that these two customers make."""

    code = "type_does_not_fit"
    title = "Type does not fit"
    message = "A payment from a {payer} to a {payee} is of type {fits}, not {asked}."
    next_action = "correct_type"
    next_text = "Leave `type` out, or give the one that fits payer and payee."

    def __init__(self, *, asked: str, fits: str, payer: str, payee: str) -> None:
        super().__init__(asked=asked, fits=fits, payer=payer, payee=payee)


class PayoutNotYours(AppError):
    """People are paid out to accounts of their own; businesses pay out to their customers too."""

    code = "payout_not_yours"
    title = "Not the payer's bank account"
    message = "A person can be paid out to a bank account of his own only."
    next_action = "use_own_bank_account"
    next_text = "Use a bank account of the wallet's customer."


class BankAccountGone(AppError):
    """The bank account was removed."""

    code = "bank_account_gone"
    title = "Bank account removed"
    message = "This bank account was removed; money cannot go there."
    next_action = "use_another_bank_account"
    next_text = "Use another bank account of the customer."


class NotConfirmed(AppError):
    """The second factor was not given in time."""

    code = "not_confirmed"
    title = "Not confirmed in time"
    message = "The payment was not confirmed in time."
    next_action = "new_payment"
    next_text = "Make the payment again with a new key."


class Canceled(AppError):
    """The partner took it back."""

    code = "canceled"
    title = "Canceled"
    message = "The payment was canceled."


class PaymentDeclined(AppError):
    """The house said no; the words are the same whatever the reason."""

    code = "payment_declined"
    title = "Payment declined"
    message = "This payment was declined."
    next_action = "contact_support"
    next_text = "Contact support; trying again will not help."


class WrongState(Conflict):
    """The payment is not in a state from which this can be done."""

    code = "wrong_state"
    title = "Not possible in this state"
    message = "The payment is {status}."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class NotRefundable(Conflict):
    """Only a completed top-up can be given back."""

    code = "not_refundable"
    title = "Not refundable"
    message = "This payment cannot be refunded: it is {status}."

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class RefundTooLarge(AppError):
    """More was asked for than is left to give back."""

    code = "refund_too_large"
    title = "Refund too large"
    message = "At most {remaining} of this payment can still be refunded."
    next_action = "reduce_amount"
    next_text = "Ask for no more than what is left, or wait for a refund in flight to fail."

    def __init__(self, *, remaining: Money) -> None:
        super().__init__(remaining=remaining.format())


class TooManyRefunds(Conflict):
    """A payment is refunded in at most ten parts."""

    code = "too_many_refunds"
    title = "Too many refunds"
    message = "This payment was refunded {count} times, the most there can be; {remaining} is left."

    def __init__(self, *, count: int, remaining: Money) -> None:
        super().__init__(count=count, remaining=remaining.format())


class LateResult(Conflict):
    """A vendor has changed its mind about something we hold for settled: a person has to look."""

    code = "late_result"
    title = "Late result"
    message = "The vendor now says {said} about {reference}, which had ended otherwise."

    def __init__(self, *, said: str, reference: str) -> None:
        super().__init__(said=said, reference=reference)


class VendorSilent(Conflict):
    """The vendor told us something and cannot be asked about it now."""

    code = "vendor_silent"
    title = "Vendor does not answer"
    message = "The state of {reference} cannot be asked for now."

    def __init__(self, *, reference: str) -> None:
        super().__init__(reference=reference)
