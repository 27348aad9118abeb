"""What a coded rule is, and how rules are asked: three-valued, one failure never silences the others."""

import importlib
import logging
import math
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Protocol

from flowlet.core.registry import Registry, UnknownEntry
from fraud.choices import Action
from fraud.rules import coded
from fraud.values import Hit, ScoringRequest

log = logging.getLogger(__name__)


class Unknown(Exception):
    """A value the rule needs is missing: the rule neither hits nor misses."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(slots=True)
class Seen:
    """What a rule may look at: the request, the features by name, the models' words."""

    request: ScoringRequest
    features: Mapping[str, float]
    probability: float | None
    forest_score: float | None
    anomaly_percentile: float | None
    sandbox: bool
    used: dict[str, float | str] = field(default_factory=dict)

    def value(self, name: str) -> float:
        """
        Return a feature, or one of `probability`, `forest_score`, `anomaly_percentile`; it is kept as evidence.

        :raises Unknown: if it is missing
        """
        found = self.features.get(name)
        if found is None and name in ("probability", "forest_score", "anomaly_percentile"):
            found = getattr(self, name)
        if found is None or math.isnan(found):
            raise Unknown(name)
        self.used[name] = found
        return found


class Rule(Protocol):
    """A named suspicion with bounded parameters; `check` returns the least action it asks for, or None."""

    title: ClassVar[str]
    reason: ClassVar[str]
    hard: ClassVar[bool]
    parameters: ClassVar[type[Any]]

    def check(self, seen: Seen, parameters: Any) -> Action | None:
        """Tell what the rule asks for; raises `Unknown` through `seen.value`."""


RULES: Registry[Rule] = Registry("fraud.rules")


def bounded(default: float, low: float, high: float) -> Any:
    """Return a dataclass field whose value must stay within these bounds."""
    return field(default=default, metadata={"low": low, "high": high})


def parameters_of(rule: Rule, values: Mapping[str, object]) -> Any:
    """
    Return the rule's parameters from stored values.

    :raises ValueError: if one is unknown, not a number, or out of its bounds
    """
    known = {item.name: item for item in fields(rule.parameters)}
    for name, value in values.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} is no parameter of this rule")
        low, high = known[name].metadata["low"], known[name].metadata["high"]
        if not low <= value <= high:
            raise ValueError(f"{name} must lie between {low} and {high}")
    return rule.parameters(**values)


def defaults_of(rule: Rule) -> dict[str, float]:
    """Return the parameters a new version starts from."""
    return asdict(rule.parameters())


@dataclass(frozen=True, slots=True)
class Line:
    """One rule version in force, live or in shadow."""

    version_id: int
    code: str
    live: bool
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rules said: hits, fields that were missing by rule, and whether one failed."""

    hits: tuple[Hit, ...]
    unknown: dict[str, list[str]]
    failed: bool


def ask(lines: Sequence[Line], seen: Seen) -> Asked:
    """Ask each rule in force; a rule that raises counts as hit (REVIEW), so that no fault lets money through."""
    hits: list[Hit] = []
    unknown: dict[str, list[str]] = {}
    failed = False
    for line in lines:
        seen.used = {}
        try:
            rule = RULES.get(line.code)
            action = rule.check(seen, parameters_of(rule, line.values))
        except Unknown as missing:
            unknown[line.code] = [missing.name]
            continue
        except (ArithmeticError, AttributeError, LookupError, TypeError, UnknownEntry, ValueError):
            log.exception("fraud rule failed", extra={"object_id": line.code})
            failed = failed or line.live
            hits.append(Hit(line.code, line.version_id, line.live, Action.REVIEW, "check_unavailable"))
            continue
        if action is not None:
            hits.append(Hit(line.code, line.version_id, line.live, action, rule.reason, dict(seen.used)))
    return Asked(tuple(hits), unknown, failed)


def is_hard(code: str) -> bool:
    """Tell whether a rule stands above every allow-list."""
    return code in RULES and RULES.get(code).hard


def load() -> None:
    """Import every coded rule, so that a new one is one new file; safe to call twice."""
    for module in pkgutil.iter_modules(coded.__path__):
        importlib.import_module(f"{coded.__name__}.{module.name}")
