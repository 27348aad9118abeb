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
_NOT_TAKEN = ("bank_declined", "The bank did not take the money.")


def words_of(vendor_code: str, *, payout: bool) -> tuple[str, str]:
    """Return code and sentence of a refusal by card or, for a payout, by bank."""
    return _BANK.get(vendor_code, _NOT_TAKEN) if payout else _CARD.get(vendor_code, _DECLINED)
