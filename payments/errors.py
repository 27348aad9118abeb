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
