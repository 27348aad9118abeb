"""The codes that payments stores."""

from django.db.models import TextChoices


class PaymentKind(TextChoices):
    """Who pays whom. The first four go from wallet to wallet; customers' kinds say which of them it is."""

    P2P = "P2P", "Person to person"
    C2B = "C2B", "Person to business"
    B2C = "B2C", "Business to person"
    B2B = "B2B", "Business to business"
    TOP_UP = "TOP_UP", "Top-up"
    PAYOUT = "PAYOUT", "Payout to a bank account"


WALLET_KINDS = (PaymentKind.P2P, PaymentKind.C2B, PaymentKind.B2C, PaymentKind.B2B)


class PaymentStatus(TextChoices):
    """
    How a payment stands; `policies.NEXT` says what may follow.

    REFUSED is our no, FAILED the rail's or of a step that was asked for, CANCELED the partner's or time's.
    """

    REQUIRES_ACTION = "REQUIRES_ACTION", "Waits for a code"
    HELD = "HELD", "Held for review"
    PROCESSING = "PROCESSING", "Processing"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN", "Outcome unknown"
    COMPLETED = "COMPLETED", "Completed"
    REFUSED = "REFUSED", "Refused"
    FAILED = "FAILED", "Failed"
    CANCELED = "CANCELED", "Canceled"
    RETURNED = "RETURNED", "Returned"


# What partners read. Held is told like any other review: nobody outside learns which kind it is.
WIRE_STATUS = {
    status: "under_review" if status == PaymentStatus.HELD else status.lower() for status in PaymentStatus
}
STATUS_OF_WIRE = {word: status for status, word in WIRE_STATUS.items()}


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
    "bank_account_not_usable": "The bank account is not linked any more, or needs its owner to log in.",
    "bank_log_in_needed": "The customer must log in at the bank again.",
    "bank_not_authorised": "The owner of the bank account says that he did not agree.",
    "not_sent": "The processor could not be reached; no money moved.",
    "not_found": "The processor has no such payment; no money moved.",
    "payment_declined": "The fraud check or a person of the house said no.",
    "canceled": "The partner canceled it.",
    "not_confirmed": "The code was not entered in time.",
    "bank_account_closed": "The bank account is closed.",
    "bank_account_unknown": "The bank has no such account.",
    "bank_declined": "The bank did not take the money.",
    "bank_account_gone": "The bank account was removed before the money left.",
}
