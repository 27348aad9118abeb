"""A changed telephone number or password, then money to somebody new: the mark of a taken account."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen, bounded


@dataclass(frozen=True, slots=True)
class Parameters:
    """Days since the change, amount in minor units of the base currency."""

    days_max: float = bounded(2.0, 0.1, 30.0)
    amount_minor_min: int = bounded(20_000, 100, 10_000_000)


class ChangeThenPayout:
    """Money to a new recipient soon after contact or log-in details changed."""

    title = "Money to a new recipient soon after details changed"
    reason = "recent_account_change"
    hard = False
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:
        """Hold it for a person."""
        if (seen.request.base_minor or seen.request.amount.minor) < parameters.amount_minor_min:
            return None
        recent = seen.value("details_age_days") <= parameters.days_max
        return Action.REVIEW if recent and seen.value("new_counterparty") == 1 else None


RULES.register("change_then_payout")(ChangeThenPayout())
