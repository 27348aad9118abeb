"""Vendors' codes of refusal in our words: a code and a sentence that partners may read."""

_BOTH = {
    "not_sent": ("not_sent", "The processor could not be reached."),
    "not_found": ("not_found", "The processor has no such payment."),
}
_CARD = {
    **_BOTH,
    "insufficient_funds": ("card_funds", "The card has not enough money."),
    "expired_card": ("expired_card", "The card has expired."),
    "authentication_required": (
        "authentication_required",
        "The card asks its holder to authenticate, which is not possible here.",
    ),
}
_DECLINED = ("card_declined", "The card was declined.")
_UNKNOWN_ACCOUNT = ("bank_account_unknown", "The bank has no such account.")
# Source: Stripe's documentation, "Payout failure codes".
_BANK = {
    **_BOTH,
    "account_closed": ("bank_account_closed", "The bank account is closed."),
    "no_account": _UNKNOWN_ACCOUNT,
    "invalid_account_number": _UNKNOWN_ACCOUNT,
    "resource_missing": _UNKNOWN_ACCOUNT,
}
_NOT_ENOUGH = ("bank_funds", "The bank account has not enough money.")
_NOT_AGREED = ("bank_not_authorised", "The owner of the bank account says that he did not agree.")
# Source: Nacha's return reason codes; Plaid's decision rationale codes. Both in lower case.
_TRANSFER = {
    **_BOTH,
    "nsf": _NOT_ENOUGH,
    "r01": _NOT_ENOUGH,
    "r09": _NOT_ENOUGH,
    "r02": ("bank_account_closed", "The bank account is closed."),
    "r03": _UNKNOWN_ACCOUNT,
    "r04": _UNKNOWN_ACCOUNT,
    "r05": _NOT_AGREED,
    "r07": _NOT_AGREED,
    "r10": _NOT_AGREED,
    "r11": _NOT_AGREED,
    "bank_account_not_usable": (
        "bank_account_not_usable",
        "The bank account is not linked any more, or needs its owner to log in.",
    ),
    "login_required": ("bank_log_in_needed", "The customer must log in at the bank again."),
}
_NOT_TAKEN = ("bank_declined", "The bank did not take the money.")


def words_of(vendor_code: str, *, payout: bool, rail: str = "") -> tuple[str, str]:
    """Return code and sentence of a refusal by card, or by the bank that a payout goes to or a top-up comes from."""
    if rail == "plaid_transfer":
        return _TRANSFER.get(vendor_code.lower(), ("bank_declined", "The bank declined the transfer."))
    return _BANK.get(vendor_code, _NOT_TAKEN) if payout else _CARD.get(vendor_code, _DECLINED)
