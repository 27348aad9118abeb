"""The codes that fraud stores."""

from django.db.models import TextChoices


class Action(TextChoices):
    """What a decision lets happen, from mild to strict."""

    ALLOW = "ALLOW", "Allow"
    STEP_UP = "STEP_UP", "Ask for a second factor"
    REVIEW = "REVIEW", "Hold for review"
    DECLINE = "DECLINE", "Decline"


STRICTNESS = {action: rank for rank, action in enumerate(Action.values)}


class Degraded(TextChoices):
    """Rungs of the degradation ladder; a decision carries those it stood on."""

    PREVIOUS_MODEL = "PREVIOUS_MODEL", "The champion did not load, the one before it scored"
    RULES_ONLY = "RULES_ONLY", "No model could score"
    CHEAP_FEATURES = "CHEAP_FEATURES", "The history was not read in time"
    REASONS_LATE = "REASONS_LATE", "The reasons could not be computed"
    RULE_ERROR = "RULE_ERROR", "A rule failed and counts as hit"
    NOTHING_WORKED = "NOTHING_WORKED", "Neither features nor rules nor model"


class Sample(TextChoices):
    """Why a decision stands outside the ordinary run."""

    ORDINARY = "ORDINARY", "Ordinary"
    EXPLORATION = "EXPLORATION", "Let through to learn its label"


class Verdict(TextChoices):
    """What turned out about an event."""

    FRAUD = "FRAUD", "Fraud"
    GENUINE = "GENUINE", "Genuine"
    UNSURE = "UNSURE", "Cannot tell"


class LabelSource(TextChoices):
    """Who says so; `LABEL_RANK` orders them."""

    ANALYST = "ANALYST", "Analyst"
    CHARGEBACK = "CHARGEBACK", "Chargeback"
    DISPUTE = "DISPUTE", "Dispute"
    EARLY_WARNING = "EARLY_WARNING", "Early fraud warning"
    PARTNER = "PARTNER", "Partner"
    CUSTOMER = "CUSTOMER", "Customer"
    IMPORTED = "IMPORTED", "Imported file"
    PRESUMED = "PRESUMED", "Presumed genuine"


# Lower is stronger. An import has only its file's labels, so its rank meets no other in practice.
LABEL_RANK: dict[str, int] = {
    LabelSource.ANALYST: 1,
    LabelSource.CHARGEBACK: 2,
    LabelSource.DISPUTE: 2,
    LabelSource.EARLY_WARNING: 3,
    LabelSource.PARTNER: 4,
    LabelSource.CUSTOMER: 4,
    LabelSource.IMPORTED: 4,
    LabelSource.PRESUMED: 5,
}


class VersionStatus(TextChoices):
    """The life of a rule or a policy."""

    DRAFT = "DRAFT", "Draft"
    SHADOW = "SHADOW", "Shadow: counted, not acted on"
    LIVE = "LIVE", "Live"
    RETIRED = "RETIRED", "Retired"


class RuleKind(TextChoices):
    """How a rule is written."""

    CODED = "CODED", "Coded"
    BUILT = "BUILT", "Built from conditions"


class ModelStatus(TextChoices):
    """The life of a trained model."""

    CANDIDATE = "CANDIDATE", "Candidate"
    SHADOW = "SHADOW", "Shadow"
    CHALLENGER = "CHALLENGER", "Challenger"
    CHAMPION = "CHAMPION", "Champion"
    RETIRED = "RETIRED", "Retired"


class RunState(TextChoices):
    """The life of a training run."""

    QUEUED = "QUEUED", "Waiting"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Done"
    FAILED = "FAILED", "Failed"


class Product(TextChoices):
    """What is decided on; each has a policy of its own."""

    PAYMENT = "PAYMENT", "Payment"
    CARD = "CARD", "Card"
