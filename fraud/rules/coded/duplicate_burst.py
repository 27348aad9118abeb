"""The same amount to the same recipient again and again: a script, or a hand that slipped."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen, bounded


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many equal movements came before within ten minutes."""

    repeats_min: int = bounded(3, 1, 50)


class DuplicateBurst:
    """Equal movements within ten minutes."""

    title = "The same payment repeated within ten minutes"
    reason = "too_many_attempts"
    hard = False
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:
        """Ask for a second factor."""
        return Action.STEP_UP if seen.value("same_payment_10m") >= parameters.repeats_min else None


RULES.register("duplicate_burst")(DuplicateBurst())
