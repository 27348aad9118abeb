"""The codes that monitoring and cases store."""

from django.db.models import TextChoices


class Side(TextChoices):
    """Which way money moved for the customer."""

    IN = "IN", "In"
    OUT = "OUT", "Out"


class Channel(TextChoices):
    """Which way a movement took."""

    WALLET = "WALLET", "Wallet to wallet"
    BANK = "BANK", "Bank account"
    CARD = "CARD", "Card"
    CASH = "CASH", "Cash"
    OTHER = "OTHER", "Other"


class ScenarioStatus(TextChoices):
    """The life of one version of a scenario's parameters."""

    DRAFT = "DRAFT", "Draft"
    SHADOW = "SHADOW", "Shadow"
    LIVE = "LIVE", "Live"
    RETIRED = "RETIRED", "Retired"


class Severity(TextChoices):
    """How soon a person must decide."""

    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"


SEVERITY_ORDER = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)


class AlertStatus(TextChoices):
    """The life of an alert."""

    NEW = "NEW", "New"
    IN_CASE = "IN_CASE", "In a case"
    DISMISSED = "DISMISSED", "Dismissed"
    SNOOZED = "SNOOZED", "Snoozed"


class DismissReason(TextChoices):
    """Why an alert was dropped."""

    GONE = "GONE", "The movements no longer show the pattern"
    MERGED = "MERGED", "Became part of another alert"


class CaseState(TextChoices):
    """The life of a case."""

    OPEN = "OPEN", "Open"
    INVESTIGATING = "INVESTIGATING", "In work"
    WAITING = "WAITING", "Waiting"
    PROPOSED = "PROPOSED", "Waits for a second person"
    CLOSED_CONFIRMED = "CLOSED_CONFIRMED", "Closed: suspicion confirmed"
    CLOSED_REFUTED = "CLOSED_REFUTED", "Closed: suspicion refuted"
    CLOSED_INCONCLUSIVE = "CLOSED_INCONCLUSIVE", "Closed: inconclusive"


OPEN_STATES = (CaseState.OPEN, CaseState.INVESTIGATING, CaseState.WAITING, CaseState.PROPOSED)
CLOSED_STATES = (CaseState.CLOSED_CONFIRMED, CaseState.CLOSED_REFUTED, CaseState.CLOSED_INCONCLUSIVE)


class CaseOutcome(TextChoices):
    """What a person may propose."""

    CONFIRMED = "CONFIRMED", "Suspicion confirmed"
    REFUTED = "REFUTED", "Suspicion refuted"
    INCONCLUSIVE = "INCONCLUSIVE", "Inconclusive"


class CaseReason(TextChoices):
    """Why a case ends as it does."""

    PATTERN_UNEXPLAINED = "PATTERN_UNEXPLAINED", "Pattern without a lawful explanation"
    FALSE_ANSWERS = "FALSE_ANSWERS", "The customer's answers do not hold"
    SOURCE_PROVEN = "SOURCE_PROVEN", "Source of the money is proven"
    USUAL_BUSINESS = "USUAL_BUSINESS", "Usual for this customer's business"
    SCENARIO_MISFIRED = "SCENARIO_MISFIRED", "The pattern is not there"
    NO_ANSWER = "NO_ANSWER", "The customer did not answer"
    NOT_ENOUGH_FACTS = "NOT_ENOUGH_FACTS", "Not enough facts either way"


CASE_REASONS: dict[CaseOutcome, tuple[CaseReason, ...]] = {
    CaseOutcome.CONFIRMED: (CaseReason.PATTERN_UNEXPLAINED, CaseReason.FALSE_ANSWERS),
    CaseOutcome.REFUTED: (
        CaseReason.SOURCE_PROVEN,
        CaseReason.USUAL_BUSINESS,
        CaseReason.SCENARIO_MISFIRED,
    ),
    CaseOutcome.INCONCLUSIVE: (CaseReason.NO_ANSWER, CaseReason.NOT_ENOUGH_FACTS),
}


class CaseEventKind(TextChoices):
    """What can happen to a case."""

    OPENED = "OPENED", "Opened"
    ALERT_ADDED = "ALERT_ADDED", "Alert added"
    ALERT_GROWN = "ALERT_GROWN", "New evidence"
    ALERT_GONE = "ALERT_GONE", "Alert dropped"
    TAKEN = "TAKEN", "Taken"
    NOTE = "NOTE", "Note"
    WAITING = "WAITING", "Put on hold"
    RESUMED = "RESUMED", "Resumed"
    PROPOSED = "PROPOSED", "Decision proposed"
    RETURNED = "RETURNED", "Returned"
    CLOSED = "CLOSED", "Closed"
