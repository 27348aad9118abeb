"""
Isolation Forest: needs no label, looks twice at what is unlike the rest.

Its graph is written here, not by a converter: mean path length as one tree regressor, then the published formula.
Converted by skl2onnx one row costs 2 ms, this way a hundredth of that.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer

from fraud.features.definitions import Floats, Integers, Vectors
from fraud.serving import bundle
from fraud.training.learners.registry import LEARNERS, TARGET_OPSETS, sealed_graph

_EULER = 0.5772156649015329


def _average_path(rows: int) -> float:
    """Return the mean length of an unsuccessful search among n rows (source: Liu et al., Isolation Forest, 2008)."""
    if rows <= 1:
        return 0.0
    if rows == 2:  # noqa: PLR2004 - the formula's own case
        return 1.0
    return float(2 * (np.log(rows - 1) + _EULER) - 2 * (rows - 1) / rows)


class FittedAnomaly:
    """A fitted forest behind a median imputer."""

    def __init__(self, impute: SimpleImputer, forest: IsolationForest) -> None:
        self.impute, self.forest = impute, forest

    def score(self, rows: Vectors) -> Floats:
        """Return the anomaly score, from 0 (ordinary) to 1."""
        filled = self.impute.transform(rows).astype(np.float32)
        return np.asarray(-self.forest.score_samples(filled), dtype=np.float64)

    def files(self, feature_digest: str) -> dict[str, bytes]:
        """Return the graph."""
        trees = self.forest.estimators_
        rows_max = int(self.forest.max_samples_)
        scale = np.array([-1.0 / _average_path(rows_max)], dtype=np.float32)
        nodes = [
            helper.make_node(
                "Imputer",
                [bundle.INPUT],
                ["filled"],
                domain="ai.onnx.ml",
                imputed_value_floats=self.impute.statistics_.astype(np.float32).tolist(),
                replaced_value_float=float("nan"),
            ),
            helper.make_node(
                "TreeEnsembleRegressor",
                ["filled"],
                ["depth"],
                domain="ai.onnx.ml",
                n_targets=1,
                aggregate_function="AVERAGE",
                **_tree_attributes(self.forest),
            ),
            helper.make_node("Mul", ["depth", "scale"], ["power"]),
            helper.make_node("Pow", ["two", "power"], [bundle.SCORE]),
        ]
        graph = helper.make_graph(
            nodes,
            "fraud",
            [helper.make_tensor_value_info(bundle.INPUT, TensorProto.FLOAT, [None, trees[0].n_features_in_])],
            [helper.make_tensor_value_info(bundle.SCORE, TensorProto.FLOAT, [None, 1])],
            [
                numpy_helper.from_array(scale, "scale"),
                numpy_helper.from_array(np.array([2.0], dtype=np.float32), "two"),
            ],
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in TARGET_OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        onnx.checker.check_model(model)
        return {bundle.SCORER: sealed_graph(model, feature_digest)}


def _tree_attributes(forest: IsolationForest) -> dict[str, Any]:
    """Return the forest as ONNX wants it: parallel lists over all nodes of all trees."""
    columns: dict[str, list[object]] = {name: [] for name in _COLUMNS}
    for number, (estimator, features) in enumerate(
        zip(forest.estimators_, forest.estimators_features_, strict=True)
    ):
        tree = estimator.tree_
        depth = _depths(tree)
        for node in range(tree.node_count):
            leaf = tree.children_left[node] < 0
            _append(columns, number, node, leaf=leaf, tree=tree, features=features)
            if leaf:
                columns["target_treeids"].append(number)
                columns["target_nodeids"].append(node)
                columns["target_ids"].append(0)
                length = depth[node] + _average_path(int(tree.n_node_samples[node]))
                columns["target_weights"].append(float(np.float32(length)))
    return columns


_COLUMNS = (
    *("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_values"),
    *("nodes_truenodeids", "nodes_falsenodeids", "nodes_missing_value_tracks_true"),
    *("target_treeids", "target_nodeids", "target_ids", "target_weights"),
)


def _append(
    columns: dict[str, list[object]], number: int, node: int, *, leaf: bool, tree: object, features: Integers
) -> None:
    values: dict[str, object] = {
        "nodes_treeids": number,
        "nodes_nodeids": node,
        "nodes_featureids": 0 if leaf else int(features[tree.feature[node]]),  # type: ignore[attr-defined]
        "nodes_modes": "LEAF" if leaf else "BRANCH_LEQ",
        "nodes_values": 0.0 if leaf else _rounded_down(tree.threshold[node]),  # type: ignore[attr-defined]
        "nodes_truenodeids": 0 if leaf else int(tree.children_left[node]),  # type: ignore[attr-defined]
        "nodes_falsenodeids": 0 if leaf else int(tree.children_right[node]),  # type: ignore[attr-defined]
        "nodes_missing_value_tracks_true": 0,
    }
    for name, value in values.items():
        columns[name].append(value)


def _rounded_down(threshold: float) -> float:
    """Return the largest float32 not above a threshold: `x <= threshold` then holds for the same float32 values."""
    near = np.float32(threshold)
    return float(near if near <= threshold else np.nextafter(near, np.float32(-np.inf)))


def _depths(tree: object) -> list[int]:
    left, right = tree.children_left, tree.children_right  # type: ignore[attr-defined]
    depth = [0] * len(left)
    for node in range(len(left)):
        # Children come after their parent in scikit-learn's arrays.
        for child in (left[node], right[node]):
            if child >= 0:
                depth[child] = depth[node] + 1
    return depth


class Anomaly:
    """Isolation Forest on label-free features."""

    title = "Isolation Forest"
    default_set = "anomaly_v1"
    needs_labels = False
    additive = False
    defaults: Mapping[str, int | float] = {"trees": 100, "rows": 256}

    def fit(
        self,
        rows: Vectors,
        frauds: Integers,  # noqa: ARG002 - label-free
        *,
        parameters: Mapping[str, int | float],
        seed: int,
    ) -> FittedAnomaly:
        """Train it; labels are not looked at."""
        impute = SimpleImputer(strategy="median", keep_empty_features=True).fit(rows)
        forest = IsolationForest(
            n_estimators=int(parameters["trees"]),
            max_samples=min(int(parameters["rows"]), len(rows)),
            random_state=seed,
            n_jobs=1,
        )
        return FittedAnomaly(impute, forest.fit(impute.transform(rows).astype(np.float32)))


LEARNERS.register("anomaly")(Anomaly())
