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
