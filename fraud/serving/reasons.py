"""Why a score is what it is: shares of the features, summed by family, that add up to the score."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from flowlet.core import jsons
from fraud.features.definitions import FEATURES, Floats, Vectors
from fraud.serving import bundle
from fraud.serving.bundle import Calibration
from fraud.serving.trees import Trees
from fraud.values import Reason

TOP_N = 5
REST = "Everything else"
BASE = "Where every movement starts"


class Explainer(Protocol):
    """Something that shares a margin out over the features."""

    bias: float

    def contributions(self, vector: Vectors) -> Floats:
        """Return one share per feature; with `bias` they add up to the margin."""


class Linear:
    """Logistic regression on imputed, scaled features: each share is weight times distance from the mean."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.fill, self.mean, self.scale, self.weight = (
            np.array(values[name], dtype=np.float64) for name in ("fill", "mean", "scale", "weight")
        )
        self.bias = float(values["intercept"])

    def contributions(self, vector: Vectors) -> Floats:
        """Return one share per feature."""
        filled = np.where(np.isnan(vector), self.fill, vector.astype(np.float64))
        shares: Floats = (filled - self.mean) / self.scale * self.weight
        return shares


def explainer_of(files: Mapping[str, bytes], features: Sequence[str]) -> Explainer | None:
    """Return what explains this model, or None for a family without additive reasons."""
    if bundle.TREES in files:
        return Trees(files[bundle.TREES], len(features))
    if bundle.LINEAR in files:
        return Linear(jsons.loads(files[bundle.LINEAR]))
    return None


def reasons_of(
    explainer: Explainer, features: Sequence[str], vector: Vectors, calibration: Calibration
) -> list[Reason]:
    """
    Return the strongest families first, then all others in one, then the bias: their shares add up to the log-odds.

    Each names its strongest feature with the value it had.
    """
    shares = explainer.contributions(vector) * calibration.slope
    families: dict[str, list[int]] = defaultdict(list)
    for position, code in enumerate(features):
        families[FEATURES.get(code).family].append(position)
    ordered = sorted(families.items(), key=lambda item: -abs(float(shares[item[1]].sum())))
    reasons = [_reason(family, places, shares, features, vector) for family, places in ordered[:TOP_N]]
    rest = sum(float(shares[places].sum()) for _, places in ordered[TOP_N:])
    base = explainer.bias * calibration.slope + calibration.offset
    return [*reasons, Reason(REST, REST, rest), Reason(BASE, BASE, base)]


def _reason(
    family: str, places: Sequence[int], shares: Floats, features: Sequence[str], vector: Vectors
) -> Reason:
    strongest = max(places, key=lambda place: abs(float(shares[place])))
    value = float(vector[strongest])
    return Reason(
        family=family,
        text=FEATURES.get(features[strongest]).title,
        share=float(shares[list(places)].sum()),
        value=None if np.isnan(value) else value,
    )
