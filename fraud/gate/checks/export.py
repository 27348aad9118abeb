"""What serves must be what was trained, and its reasons must add up."""

from fraud.gate.registry import CHECKS, Evidence

_SCORE_MAX = 1e-5
_REASONS_MAX = 1e-4


@CHECKS.register("export")
def export(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask that the stored graph gives the library's scores and the shares give the margin."""
    reasons = evidence.reasons_difference
    passed = evidence.export_difference <= _SCORE_MAX and (reasons is None or reasons <= _REASONS_MAX)
    told = "no reasons" if reasons is None else f"reasons differ by {reasons:.1e}"
    found = f"scores differ by {evidence.export_difference:.1e}, {told}"
    return passed, found, f"at most {_SCORE_MAX:.0e} and {_REASONS_MAX:.0e}"
