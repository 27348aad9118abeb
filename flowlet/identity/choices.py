"""The codes that identity stores."""

from django.db.models import TextChoices


class CustomerKind(TextChoices):
    """What a customer is in law."""

    PERSON = "PERSON", "Person"
    BUSINESS = "BUSINESS", "Business"


class CustomerStatus(TextChoices):
    """Whether the relation is alive."""

    ACTIVE = "ACTIVE", "Active"
    CLOSED = "CLOSED", "Closed"


class Tier(TextChoices):
    """How much is known of a customer, and so how much he may do."""

    BASIC = "BASIC", "Basic"
    STANDARD = "STANDARD", "Standard"
    PLUS = "PLUS", "Plus"


class RiskLevel(TextChoices):
    """The compliance rating."""

    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"
    PROHIBITED = "PROHIBITED", "Prohibited"


class RestrictionKind(TextChoices):
    """What a restricted customer may not do."""

    NO_OUT = "NO_OUT", "No money out"
    NO_IN = "NO_IN", "No money in"
    FROZEN = "FROZEN", "Frozen"


class RestrictionSource(TextChoices):
    """Which room placed a restriction."""

    SCREENING = "SCREENING", "Screening"
    COMPLIANCE = "COMPLIANCE", "Compliance"
    FRAUD = "FRAUD", "Fraud"
    OPS = "OPS", "Operations"
