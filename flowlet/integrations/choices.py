"""The codes that integrations store."""

from django.db.models import TextChoices


class VendorName(TextChoices):
    """The companies we call."""

    STRIPE = "stripe", "Stripe"
    PLAID = "plaid", "Plaid"
    TWILIO = "twilio", "Twilio"
    OPENAI = "openai", "OpenAI"


class EventStatus(TextChoices):
    """What became of something a vendor told us."""

    RECEIVED = "RECEIVED", "Waiting"
    PROCESSED = "PROCESSED", "Processed"
    UNKNOWN_TYPE = "UNKNOWN_TYPE", "Kept, type not used"
    UNMATCHED = "UNMATCHED", "Kept, object not known"
    FAILED = "FAILED", "Needs a person"


class LinkStatus(TextChoices):
    """The life of a link to a customer's bank; only an ACTIVE one can be used."""

    PENDING = "PENDING", "Being linked"
    ACTIVE = "ACTIVE", "Linked"
    BROKEN = "BROKEN", "Log-in needed"
    REMOVING = "REMOVING", "Being unlinked"
    REMOVED = "REMOVED", "Unlinked"
    FAILED = "FAILED", "Failed"


class OwnerMatch(TextChoices):
    """How well the customer's name fits the owner whom the bank names."""

    MATCH = "MATCH", "Name matches"
    CLOSE_MATCH = "CLOSE_MATCH", "Name is close"
    NO_MATCH = "NO_MATCH", "Name differs"
    NOT_POSSIBLE = "NOT_POSSIBLE", "Not checked"
