"""A new champion ranks at least as well as the one before it, on the same rows and customers."""

from fraud.gate.registry import CHECKS, Evidence

_LOSS_MAX = -0.01


@CHECKS.register("not_worse")
def not_worse(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask for no loss on average and hardly any at the lower bound."""
    passed = evidence.difference_low >= _LOSS_MAX and evidence.difference_mean >= 0
    found = f"average precision {evidence.difference_mean:+.4f}, lower bound {evidence.difference_low:+.4f}"
    return passed, found, f"mean at least 0, lower bound at least {_LOSS_MAX}"
