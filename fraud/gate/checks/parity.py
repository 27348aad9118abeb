"""What the model learnt from must be what it sees at work."""

from fraud.gate.registry import CHECKS, Evidence


@CHECKS.register("parity")
def parity(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask that stored vectors equal their computation from history, bit for bit."""
    found = f"{evidence.parity_differences} differences in {evidence.parity_compared} decisions"
    return evidence.parity_differences == 0, found, "0 differences"
