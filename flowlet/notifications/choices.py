"""The codes that notifications store."""

from django.db.models import TextChoices


class Channel(TextChoices):
    """How a message travels."""

    SMS = "SMS", "Text message"


class MessageKind(TextChoices):
    """What a message is for: security messages ignore what people chose, never a carrier's STOP."""

    SECURITY = "SECURITY", "Security"
    SERVICE = "SERVICE", "Service"
    MARKETING = "MARKETING", "Marketing"


class MessageStatus(TextChoices):
    """How far a message has come."""

    QUEUED = "QUEUED", "Queued"
    SENDING = "SENDING", "Being sent"
    UNKNOWN = "UNKNOWN", "Outcome unknown"
    SENT = "SENT", "Sent"
    DELIVERED = "DELIVERED", "Delivered"
    UNDELIVERED = "UNDELIVERED", "Not delivered"
    FAILED = "FAILED", "Failed"
    SUPPRESSED = "SUPPRESSED", "Not sent on purpose"


class OptOutSource(TextChoices):
    """Who said that no more messages shall come."""

    PERSON = "PERSON", "The person"
    CARRIER = "CARRIER", "The carrier (STOP)"


class ChallengeStatus(TextChoices):
    """The life of a one-time code."""

    PLANNED = "PLANNED", "Planned"
    STARTING = "STARTING", "Being sent"
    SENT = "SENT", "Sent"
    APPROVED = "APPROVED", "Approved"
    FAILED = "FAILED", "Failed"
