"""A young account with a movement unlike any other: no label is needed to look twice."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen, bounded


@dataclass(frozen=True, slots=True)
class Parameters:
    """Percentile of the Isolation Forest (0 to 1) and age of the account in days."""

    percentile_min: float = bounded(0.995, 0.5, 1.0)
    age_days_max: float = bounded(60.0, 1.0, 400.0)


class AnomalyNewcomer:
    """A strange movement of a young account."""

    title = "Unusual movement of a young account"
    reason = "unusual_amount"
    hard = False
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:
        """Ask for a second factor."""
        young = seen.value("account_age_days") <= parameters.age_days_max
        return (
            Action.STEP_UP
            if young and seen.value("anomaly_percentile") >= parameters.percentile_min
            else None
        )


RULES.register("anomaly_newcomer")(AnomalyNewcomer())
