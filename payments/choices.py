"""The codes that payments stores."""

from django.db.models import TextChoices


class PaymentKind(TextChoices):
    """Who pays whom."""

    P2P = "P2P", "Between customers"


class PaymentStatus(TextChoices):
    """How a payment stands; both of these are final."""

    COMPLETED = "COMPLETED", "Completed"
    REFUSED = "REFUSED", "Refused"


# Refusal codes in words, for staff. A code that is missing here is shown as it is.
REFUSAL_WORDS = {
    "insufficient_funds": "The payer did not have enough money.",
    "wallet_frozen": "One of the wallets is frozen.",
    "wallet_closed": "One of the wallets is closed.",
    "under_review": "A restriction stops this money for now; see the customer's restrictions.",
    "not_permitted": "One of the customers is frozen.",
    "account_not_open": "The ledger account of one of the wallets does not let money move.",
    "balance_out_of_range": "The payee's balance would become too large to store.",
}
