"""A probability that prices decisions must be honest."""

from fraud.gate.registry import CHECKS, Evidence

_ERROR_MAX = 0.005
_BRIER_RATIO_MAX = 1.02


@CHECKS.register("calibration")
def calibration(evidence: Evidence) -> tuple[bool, str, str]:
    """
    Ask for a small calibration error and no worse a Brier score than the champion's.

    On few rows chance alone exceeds the limit even for a perfect model; then what chance explains is let through.
    """
    limit = max(_ERROR_MAX, evidence.calibration_noise)
    passed = (
        evidence.calibration_error <= limit and evidence.brier <= _BRIER_RATIO_MAX * evidence.champion_brier
    )
    found = f"error {evidence.calibration_error:.4f}, Brier {evidence.brier:.5f} against {evidence.champion_brier:.5f}"
    return passed, found, f"error at most {limit:.4f}, Brier at most {_BRIER_RATIO_MAX} times the champion's"
