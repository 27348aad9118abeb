"""From vector to probability: each model reads its own columns of the stored vector."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fraud.features.definitions import Vectors
from fraud.serving.bundle import Calibration
from fraud.serving.loader import Model

_CLIP = 1e-7


def columns_of(model: Model, codes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """
    Return where the model's features stand in a vector of these codes.

    :raises ValueError: if one is not among them
    """
    return _columns(model.manifest.features, codes)


@lru_cache(maxsize=64)
def _columns(features: tuple[str, ...], codes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    return np.array([codes.index(feature) for feature in features], dtype=np.int64)


def score_one(model: Model, codes: tuple[str, ...], vector: Vectors) -> float:
    """Return the raw score of one vector, greater = more suspicious."""
    return float(model.score(vector[columns_of(model, codes)].reshape(1, -1))[0])


def margin_of(score: float) -> float:
    """Return the log-odds of a score between 0 and 1."""
    clipped = min(max(score, _CLIP), 1 - _CLIP)
    return math.log(clipped / (1 - clipped))


def calibrated(score: float, calibration: Calibration) -> float:
    """Return the probability a raw score stands for (Platt)."""
    log_odds = calibration.slope * margin_of(score) + calibration.offset
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(log_odds) / (1 + math.exp(log_odds))


def percentile(score: float, quantiles: Sequence[float]) -> float | None:
    """Return which share of the training rows scored no higher, or None without quantiles."""
    if not quantiles:
        return None
    return bisect_right(quantiles, score) / len(quantiles)
