"""Partners try out each outcome in the sandbox by saying which one they want."""

from dataclasses import dataclass

from fraud.choices import Action
from fraud.rules.registry import RULES, Seen

_WANTED = {"elevated": Action.REVIEW, "highest": Action.DECLINE}


@dataclass(frozen=True, slots=True)
class Parameters:
    """None: the partner says what he wants."""


class SandboxRisk:
    """The outcome a partner asked for; nothing of the kind in live mode."""

    title = "Outcome asked for in the sandbox"
    reason = "listed"
    hard = True
    parameters = Parameters

    def check(self, seen: Seen, parameters: Parameters) -> Action | None:  # noqa: ARG002 - has none
        """Force the outcome, in the sandbox only."""
        return _WANTED.get(seen.request.sandbox_risk) if seen.sandbox else None


RULES.register("sandbox_risk")(SandboxRisk())
