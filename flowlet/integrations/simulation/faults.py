"""Fault plans: which calls and webhooks go wrong, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from flowlet.integrations.simulation.world import World

# hang and cut end the connection without an answer; "after_effect" has done its work by then.
CALL_FAULTS = frozenset(
    {
        "delay",
        "hang_before_effect",
        "hang_after_effect",
        "cut_before_effect",
        "cut_after_effect",
        "error_before_effect",
        "error_after_effect",
        "too_many",
        "garbage",
    }
)
WEBHOOK_FAULTS = frozenset({"twice", "reordered", "late", "lost", "forged"})


class BadPlan(ValueError):
    """A fault plan that cannot be understood."""


@dataclass(slots=True)
class Plan:
    """
    One fault plan, such as `{"match": {"vendor": "stripe", "method": "POST", "path": "/v1/refunds", "nth": [2]},
    "do": "hang_after_effect", "seconds": 30}`; `share` (0 to 1) instead of `nth` hits by the world's chance.

    `path` may hold `*`. For webhooks, match has `webhook` (the event's type, `*` allowed) instead of method and path.
    """

    do: str
    match: Mapping[str, Any]
    seconds: float = 30.0
    share: float = 1.0
    seen: int = field(default=0)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Plan":
        """
        Read one plan.

        :raises BadPlan: with what is wrong
        """
        unknown = set(data) - {"match", "do", "seconds", "share"}
        match = data.get("match", {})
        unknown |= set(match) - {"vendor", "method", "path", "nth", "webhook"}
        known = WEBHOOK_FAULTS if "webhook" in match else CALL_FAULTS
        if unknown or data.get("do") not in known:
            raise BadPlan(f"unknown parts {sorted(unknown)} or a fault that is none of {sorted(known)}")
        return cls(data["do"], match, float(data.get("seconds", 30)), float(data.get("share", 1)))

    def hits(self, world: World, vendor: str, facts: Mapping[str, str]) -> bool:
        """Tell whether this plan strikes now; counts what it could have struck."""
        if self.match.get("vendor", vendor) != vendor:
            return False
        if not all(fnmatchcase(value, self.match.get(name, "*")) for name, value in facts.items()):
            return False
        self.seen += 1
        nth = self.match.get("nth")
        if nth is not None:
            return self.seen in nth
        return self.share >= 1 or world.chance("fault") < self.share


class Faults:
    """The plans in force; the first that strikes wins."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []

    def of_call(self, world: World, vendor: str, method: str, path: str) -> Plan | None:
        """Return the plan that strikes this call, if any."""
        facts = {"method": method, "path": path}
        calls = [plan for plan in self.plans if "webhook" not in plan.match]
        return next((plan for plan in calls if plan.hits(world, vendor, facts)), None)

    def of_webhook(self, world: World, vendor: str, event_type: str) -> Plan | None:
        """Return the plan that strikes this webhook, if any."""
        hooks = [plan for plan in self.plans if "webhook" in plan.match]
        return next((plan for plan in hooks if plan.hits(world, vendor, {"webhook": event_type})), None)
