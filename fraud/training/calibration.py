"""Platt scaling: two numbers that turn a margin into an honest probability, and keep its order."""

import numpy as np

from fraud.features.definitions import Floats, Integers
from fraud.serving.bundle import Calibration

_CLIP = 1e-7
_STEPS_MAX = 100
_RIDGE = 1e-6


def margins(scores: Floats) -> Floats:
    """Return the log-odds of scores between 0 and 1, as the serving side computes them."""
    clipped = np.clip(scores, _CLIP, 1 - _CLIP)
    result: Floats = np.log(clipped / (1 - clipped))
    return result


def fit(scores: Floats, frauds: Integers) -> Calibration:
    """
    Return slope and offset that fit best, by Newton's method on smoothed targets.

    Source: Platt, Probabilistic Outputs for SVMs (1999), with the targets of its equation 16.
    """
    margin = margins(scores)
    good, bad = int((frauds == 0).sum()), int(frauds.sum())
    target = np.where(frauds == 1, (bad + 1) / (bad + 2), 1 / (good + 2))
    weights = np.array([1.0, 0.0])
    design = np.stack([margin, np.ones_like(margin)], axis=1)
    for _ in range(_STEPS_MAX):
        probability = probabilities(scores, Calibration(*weights))
        gradient = design.T @ (probability - target)
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - far below what matters
            break
    # A falling curve would turn the ranking round: then the scores tell nothing, and the base rate is all there is.
    slope = max(float(weights[0]), 0.0)
    return Calibration(slope, float(weights[1]))


def probabilities(scores: Floats, calibration: Calibration) -> Floats:
    """Return calibrated probabilities."""
    log_odds = np.clip(calibration.slope * margins(scores) + calibration.offset, -500, 500)
    result: Floats = 1 / (1 + np.exp(-log_odds))
    return result
