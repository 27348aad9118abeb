"""The codes of reports to the authority."""

from django.db.models import TextChoices


class ReportState(TextChoices):
    """How a report stands; the database lets it move only as `MOVES` says."""

    DRAFT = "DRAFT", "Draft"
    IN_REVIEW = "IN_REVIEW", "Waits for a second person"
    RETURNED = "RETURNED", "Returned"
    APPROVED = "APPROVED", "Approved"
    BATCHED = "BATCHED", "In a file"
    FILED = "FILED", "Filed"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    REJECTED = "REJECTED", "Rejected"
    NOT_FILED = "NOT_FILED", "Not filed"


OPEN_REPORTS = (
    ReportState.DRAFT,
    ReportState.IN_REVIEW,
    ReportState.RETURNED,
    ReportState.APPROVED,
    ReportState.BATCHED,
)
WRITABLE = (ReportState.DRAFT, ReportState.RETURNED)


class FilingForm(TextChoices):
    """Which form a file is of."""

    SARX = "SARX", "Suspicious activity"
    CTRX = "CTRX", "Currency transactions"


class FilingState(TextChoices):
    """How a file stands."""

    BATCHED = "BATCHED", "Ready to send"
    FILED = "FILED", "Sent"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"


SUBMIT_REASONS = (
    ("CONFIRMED_CASE", "The case was confirmed"),
    ("CORRECTION", "A filed report was wrong or incomplete"),
)
DROP_REASONS = (
    ("BELOW_FLOOR", "Below the amount that must be reported"),
    ("ALREADY_REPORTED", "Reported already by another institution for us"),
    ("NO_NEXUS", "The authority is not competent"),
)
