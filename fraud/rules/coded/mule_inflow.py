"""An account that many strangers pay on one day collects for somebody else."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen, bounded


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many different payers the recipient had within a day."""

    payers_min: int = bounded(8, 3, 200)


class MuleInflow:
    """A new recipient whom many others paid today."""

    title = "New recipient whom many others paid today"
    reason = "new_recipient"
    hard = False
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:
        """Hold it for a person."""
        many = seen.value("counterparty_payers_1d") >= parameters.payers_min
        return Action.REVIEW if many and seen.value("new_counterparty") == 1 else None


RULES.register("mule_inflow")(MuleInflow())
