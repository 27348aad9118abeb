"""Stolen numbers are tried out with small amounts before they are used."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen, bounded


@dataclass(frozen=True, slots=True)
class Parameters:
    """`small_count_min` small amounts in an hour, the present one left out."""

    small_count_min: int = bounded(4, 2, 50)


class CardTesting:
    """Several small amounts within an hour."""

    title = "Many small amounts in an hour"
    reason = "too_many_attempts"
    hard = False
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:
        """Decline the next one."""
        return Action.DECLINE if seen.value("customer_small_1h") >= parameters.small_count_min else None


RULES.register("card_testing")(CardTesting())
