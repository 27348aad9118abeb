"""The codes that payments stores."""

from django.db.models import TextChoices


class PaymentKind(TextChoices):
    """Who pays whom."""

    P2P = "P2P", "Between customers"
    TOP_UP = "TOP_UP", "Top-up"


class PaymentStatus(TextChoices):
    """How a payment stands; REFUSED (by us), FAILED (by the rail) and RETURNED (after it had come) are final."""

    PROCESSING = "PROCESSING", "Processing"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN", "Outcome unknown"
    COMPLETED = "COMPLETED", "Completed"
    REFUSED = "REFUSED", "Refused"
    FAILED = "FAILED", "Failed"
    RETURNED = "RETURNED", "Returned"


class StepState(TextChoices):
    """How far one call to a vendor has come."""

    PLANNED = "PLANNED", "Planned"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DONE = "DONE", "Done"
    REFUSED = "REFUSED", "Refused"
    UNKNOWN = "UNKNOWN", "Unknown"


class RefundStatus(TextChoices):
    """How a refund stands; a SUCCEEDED one can still fail days later."""

    PENDING = "PENDING", "Pending"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"


# Refusal codes in words, for staff. A code that is missing here is shown as it is.
REFUSAL_WORDS = {
    "insufficient_funds": "The payer did not have enough money.",
    "limit_exceeded": "A limit of the payer's or payee's tier would have been passed.",
    "wallet_frozen": "One of the wallets is frozen.",
    "wallet_closed": "One of the wallets is closed.",
    "under_review": "A restriction stops this money for now; see the customer's restrictions.",
    "not_permitted": "One of the customers is frozen.",
    "account_not_open": "The ledger account of one of the wallets does not let money move.",
    "balance_out_of_range": "The payee's balance would become too large to store.",
    "card_declined": "The card issuer said no.",
    "expired_card": "The card has expired.",
    "card_funds": "The card had not enough money.",
    "authentication_required": "The card asks its holder to authenticate, which a top-up cannot do yet.",
    "bank_funds": "The bank account had not enough money.",
    "bank_declined": "The bank said no.",
    "bank_account_not_usable": "The bank account is not linked any more, or needs its owner to log in.",
    "bank_log_in_needed": "The customer must log in at the bank again.",
    "not_sent": "The processor could not be reached; nothing was collected.",
    "not_found": "The processor has no such payment; nothing was collected.",
}
