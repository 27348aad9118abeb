"""The promotion gate: named checks over one candidate's evidence; it fails closed."""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from flowlet.core.registry import Registry
from fraud.gate import checks


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured about a candidate, on rows after its training, beside the champion's recipe."""

    forward_days: float
    forward_frauds: int
    average_precision: float
    difference_mean: float
    difference_low: float
    calibration_error: float
    calibration_noise: float
    brier: float
    champion_brier: float
    export_difference: float
    reasons_difference: float | None
    row_ms: float
    reasons_ms: float
    feature_auc_max: float
    feature_auc_name: str
    parity_compared: int
    parity_differences: int


@dataclass(frozen=True, slots=True)
class Line:
    """One check's outcome in words: what was found, what is asked."""

    check: str
    passed: bool
    found: str
    asked: str


class Check(Protocol):
    """One condition; returns whether it holds, what was found and what is asked."""

    def __call__(self, evidence: Evidence) -> tuple[bool, str, str]:
        """Judge."""


CHECKS: Registry[Check] = Registry("fraud.gate")


def load() -> None:
    """Import every check, so that a new one is one new file; safe to call twice."""
    for module in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{module.name}")


def judge(evidence: Evidence) -> list[Line]:
    """Return every check's line; one that raises has failed."""
    lines = []
    for name, check in CHECKS.items():
        try:
            passed, found, asked = check(evidence)
        except (ArithmeticError, TypeError, ValueError) as fault:
            passed, found, asked = False, f"could not be measured: {type(fault).__name__}", "a measurement"
        lines.append(Line(name, bool(passed), found, asked))
    return lines


def as_json(lines: Sequence[Line]) -> list[dict[str, object]]:
    """Return the lines as stored."""
    return [asdict(line) for line in lines]
