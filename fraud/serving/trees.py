"""
Shares of the features in a boosted score: exact path-dependent TreeSHAP, from XGBoost's own JSON.

A leaf's share-out depends only on which of its (few) features took the path's side, so every pattern is worked out
once when the model is loaded and a score looks its patterns up. xgboost itself would bring scikit-learn and 165 MiB
into each web process. Source: Lundberg et al., Consistent Individualized Feature Attribution for Tree Ensembles (2018).
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flowlet.core import jsons
from fraud.features.definitions import Floats, Vectors

_PATH_MAX = 8  # different features on one path: 2^8 patterns a leaf
_INF = np.float32(np.inf)


@dataclass(frozen=True, slots=True)
class _Condition:
    """What a path asks of one feature: low <= x < high, whether a missing value follows, share of rows that do."""

    low: np.float32
    high: np.float32
    missing: bool
    share: float


@dataclass(frozen=True, slots=True)
class _Leaves:
    """Leaves whose paths use the same number of features: conditions (n, m) and share-outs (n, 2^m, m)."""

    feature: npt.NDArray[np.int64]
    low: Vectors
    high: Vectors
    missing: npt.NDArray[np.bool_]
    shares: Floats


class Trees:
    """A boosted ensemble, ready to say how much each feature adds to the margin."""

    def __init__(self, content: bytes, feature_count: int) -> None:
        """
        Read XGBoost's JSON.

        :raises ValueError: if it is no binary logistic ensemble, or a path uses too many features
        """
        learner = jsons_of(content)["learner"]
        if learner["objective"]["name"] != "binary:logistic":
            raise ValueError("not a binary logistic model")
        self.feature_count = feature_count
        self.bias = _base_margin(learner["learner_model_param"]["base_score"])
        by_size: dict[int, list[tuple[dict[int, _Condition], float]]] = defaultdict(list)
        for tree in learner["gradient_booster"]["model"]["trees"]:
            for path, value in _paths(tree):
                self.bias += value * math.prod(condition.share for condition in path.values())
                if path:
                    by_size[len(path)].append((path, value))
        if by_size and max(by_size) > _PATH_MAX:
            raise ValueError("a path uses too many features")
        self.leaves = [_leaves(paths, size) for size, paths in sorted(by_size.items())]

    def contributions(self, vector: Vectors) -> Floats:
        """Return each feature's share (n,) for one row; with `bias` they add up to the margin."""
        total = np.zeros(self.feature_count)
        for leaves in self.leaves:
            value = vector[leaves.feature]
            absent = np.isnan(value)
            taken = np.where(absent, leaves.missing, (value >= leaves.low) & (value < leaves.high))
            pattern = taken @ (1 << np.arange(taken.shape[1]))
            shares = leaves.shares[np.arange(len(pattern)), pattern]
            total += np.bincount(leaves.feature.ravel(), weights=shares.ravel(), minlength=self.feature_count)
        return total


def jsons_of(content: bytes) -> Any:
    """Read the model's JSON with the strict reader."""
    return jsons.loads(content)


def _base_margin(text: str) -> float:
    probability = float(text.strip("[]"))
    return math.log(probability / (1 - probability))


def _paths(tree: dict[str, Any]) -> Iterator[tuple[dict[int, _Condition], float]]:
    """Give each leaf's conditions, one per feature, and its value."""
    left, right = tree["left_children"], tree["right_children"]
    cover = tree["sum_hessian"]
    waiting: list[tuple[int, dict[int, _Condition]]] = [(0, {})]
    while waiting:
        node, path = waiting.pop()
        split = np.float32(tree["split_conditions"][node])
        if left[node] < 0:
            yield path, float(split)
            continue
        feature, default_left = tree["split_indices"][node], bool(tree["default_left"][node])
        known = path.get(feature, _Condition(-_INF, _INF, missing=True, share=1.0))
        for child, goes_left in ((left[node], True), (right[node], False)):
            condition = _Condition(
                known.low if goes_left else max(known.low, split),
                min(known.high, split) if goes_left else known.high,
                missing=known.missing and goes_left == default_left,
                share=known.share * cover[child] / cover[node],
            )
            waiting.append((child, {**path, feature: condition}))


def _leaves(paths: Sequence[tuple[dict[int, _Condition], float]], size: int) -> _Leaves:
    conditions = [list(path.values()) for path, _ in paths]
    ratio = np.array([[condition.share for condition in row] for row in conditions])
    value = np.array([leaf for _, leaf in paths])
    return _Leaves(
        feature=np.array([list(path) for path, _ in paths], dtype=np.int64),
        low=np.array([[condition.low for condition in row] for row in conditions], dtype=np.float32),
        high=np.array([[condition.high for condition in row] for row in conditions], dtype=np.float32),
        missing=np.array([[condition.missing for condition in row] for row in conditions]),
        shares=_share_out(ratio, size) * value[:, None, None],
    )


def _share_out(ratio: Floats, size: int) -> Floats:
    """Return Shapley shares (leaf, pattern, feature) of a leaf of value 1."""
    patterns = (np.arange(1 << size)[:, None] >> np.arange(size)[None, :] & 1).astype(np.float64)
    weight = np.array(
        [math.factorial(k) * math.factorial(size - 1 - k) / math.factorial(size) for k in range(size)]
    )
    shares = np.empty((len(ratio), 1 << size, size))
    for own in range(size):
        # Coefficient k: all ways in which k of the other features are known to take the path's side.
        ways = np.zeros((len(ratio), 1 << size, size))
        ways[:, :, 0] = 1.0
        for other in range(size):
            if other == own:
                continue
            shifted = np.concatenate((np.zeros_like(ways[:, :, :1]), ways[:, :, :-1]), axis=2)
            ways = ways * ratio[:, None, other, None] + shifted * patterns[None, :, other, None]
        shares[:, :, own] = (patterns[None, :, own] - ratio[:, None, own]) * (ways @ weight)
    return shares
