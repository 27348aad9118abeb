"""A judgement needs enough of what was not known when the model was made."""

from fraud.gate.registry import CHECKS, Evidence

_DAYS_MIN = 7
_FRAUDS_MIN = 100


@CHECKS.register("forward_data")
def forward_data(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask for a week and a hundred frauds after the training end."""
    enough = evidence.forward_days >= _DAYS_MIN and evidence.forward_frauds >= _FRAUDS_MIN
    found = f"{evidence.forward_days:.1f} days, {evidence.forward_frauds} frauds"
    return enough, found, f"at least {_DAYS_MIN} days and {_FRAUDS_MIN} frauds"
