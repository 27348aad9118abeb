"""A payment waits for the score."""

from fraud.gate.registry import CHECKS, Evidence

_SCORE_MS_MAX = 0.5
_REASONS_MS_MAX = 1.5


@CHECKS.register("latency")
def latency(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask for half a millisecond a score, one and a half for its reasons."""
    passed = evidence.row_ms <= _SCORE_MS_MAX and evidence.reasons_ms <= _REASONS_MS_MAX
    found = f"{evidence.row_ms:.3f} ms a score, {evidence.reasons_ms:.3f} ms its reasons"
    return passed, found, f"at most {_SCORE_MS_MAX} and {_REASONS_MS_MAX} ms"
