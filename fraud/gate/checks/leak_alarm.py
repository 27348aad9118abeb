"""What is too good to be true has usually seen the answer."""

from fraud.gate.registry import CHECKS, Evidence

_AP_MAX = 0.85
_FEATURE_AUC_MAX = 0.98


@CHECKS.register("leak_alarm")
def leak_alarm(evidence: Evidence) -> tuple[bool, str, str]:
    """Ask that neither the model nor a single feature knows too much."""
    passed = evidence.average_precision <= _AP_MAX and evidence.feature_auc_max <= _FEATURE_AUC_MAX
    best = f"{evidence.feature_auc_name} alone has AUC {evidence.feature_auc_max:.3f}"
    found = f"average precision {evidence.average_precision:.3f}, {best}"
    return passed, found, f"at most {_AP_MAX} and {_FEATURE_AUC_MAX}"
