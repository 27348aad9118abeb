"""The ways in which linking a bank says no."""

from typing import ClassVar

from flowlet.core.errors import AppError, Conflict, Retry


class VendorAway(AppError):
    """The company behind this cannot be asked now; nothing was done."""

    code: ClassVar[str] = "vendor_not_available"
    http_status: ClassVar[int] = 503
    title: ClassVar[str] = "Not available now"
    message: ClassVar[str] = "The bank service cannot be reached now. Nothing was done."
    retry: ClassVar[Retry] = Retry(allowed=True, after_s=10, same_key=True)


class PublicTokenRefused(AppError):
    """The public token is none, has expired, or was used."""

    code: ClassVar[str] = "public_token_refused"
    title: ClassVar[str] = "Public token refused"
    message: ClassVar[str] = "This public token cannot be used. Let the customer link the bank again."
    next_action: ClassVar[str] = "link_again"
    next_text: ClassVar[str] = "Create a new link and let the customer go through it."


class LinkUnclear(AppError):
    """The token was handed over, but no answer came: the bank may or may not be linked."""

    code: ClassVar[str] = "link_unclear"
    title: ClassVar[str] = "Link unclear"
    message: ClassVar[str] = "The bank service did not answer in time. Let the customer link the bank again."
    next_action: ClassVar[str] = "link_again"
    next_text: ClassVar[str] = "Create a new link and let the customer go through it."


class LinkInProgress(Conflict):
    """Another request is working on this public token."""

    code: ClassVar[str] = "link_in_progress"
    title: ClassVar[str] = "Being linked"
    message: ClassVar[str] = "This bank is being linked by another request."
    retry: ClassVar[Retry] = Retry(allowed=True, after_s=5)


class AccountNotUsable(AppError):
    """Money cannot be drawn from the account: unlinked, or its owner is not the customer."""

    code: ClassVar[str] = "bank_account_not_usable"
    title: ClassVar[str] = "Bank account not usable"
    message: ClassVar[str] = "Money cannot be drawn from this bank account: {reason}."
    next_action: ClassVar[str] = "link_again"
    next_text: ClassVar[str] = "Let the customer link an account of his own."

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)
