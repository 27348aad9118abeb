"""A probability that prices decisions must be honest."""

from fraud.gate.registry import CHECKS, Evidence

_ERROR_MAX = 0.005
_BRIER_RATIO_MAX = 1.02


@CHECKS.register("calibration")
def calibration(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask for a small calibration error and no worse a Brier score than the champion's."""
    passed = (
        evidence.calibration_error <= _ERROR_MAX
        and evidence.brier <= _BRIER_RATIO_MAX * evidence.champion_brier
    )
    found = f"error {evidence.calibration_error:.4f}, Brier {evidence.brier:.5f} against {evidence.champion_brier:.5f}"
    return passed, found, f"error at most {_ERROR_MAX}, Brier at most {_BRIER_RATIO_MAX} times the champion's"
