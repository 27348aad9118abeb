"""Who takes an account over logs in from elsewhere and moves most of what is there."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen, bounded


@dataclass(frozen=True, slots=True)
class Parameters:
    """Share of the balance (0 to 1) and amount in minor units of the base currency."""

    share_min: float = bounded(0.8, 0.1, 1.0)
    amount_minor_min: int = bounded(10_000, 100, 10_000_000)


class NewDeviceDrain:
    """Most of the balance leaves from a device never seen before."""

    title = "Most of the balance leaves from a new device"
    reason = "recent_account_change"
    hard = False
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:
        """Hold it for a person."""
        if (seen.request.base_minor or seen.request.amount.minor) < parameters.amount_minor_min:
            return None
        drained = seen.value("new_device") == 1 and seen.value("balance_share") >= parameters.share_min
        return Action.REVIEW if drained else None


RULES.register("new_device_drain")(NewDeviceDrain())
