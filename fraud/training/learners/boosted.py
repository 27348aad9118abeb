"""XGBoost: the champion's family; takes missing values as they are."""

from collections.abc import Mapping

import numpy as np
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from fraud.features.definitions import Floats, Integers, Vectors
from fraud.serving import bundle
from fraud.training.learners.registry import LEARNERS, rename_score, sealed_graph

_OPSET = 15  # the converter's latest for trees


class FittedBoosted:
    """A fitted ensemble."""

    def __init__(self, model: xgboost.XGBClassifier, feature_count: int) -> None:
        self.model, self.feature_count = model, feature_count

    def score(self, rows: Vectors) -> Floats:
        """Return the probability of fraud."""
        return np.asarray(self.model.predict_proba(rows)[:, 1], dtype=np.float64)

    def files(self, feature_digest: str) -> dict[str, bytes]:
        """Return the graph, and XGBoost's own JSON for the reasons."""
        graph = convert_xgboost(
            self.model,
            name="fraud",
            initial_types=[(bundle.INPUT, FloatTensorType([None, self.feature_count]))],
            target_opset=_OPSET,
        )
        rename_score(graph, "probabilities")
        trees = bytes(self.model.get_booster().save_raw(raw_format="json"))
        return {bundle.SCORER: sealed_graph(graph, feature_digest), bundle.TREES: trees}


class Boosted:
    """Gradient boosted trees."""

    title = "XGBoost"
    default_set = "live_v1"
    needs_labels = True
    additive = True
    defaults: Mapping[str, int | float] = {
        "trees": 250,
        "rate": 0.05,
        "depth_max": 5,
        "rows": 0.8,
        "columns": 0.5,
        "child_weight_min": 5,
    }

    def fit(
        self, rows: Vectors, frauds: Integers, *, parameters: Mapping[str, int | float], seed: int
    ) -> FittedBoosted:
        """Train it, on one thread: the same data gives the same bytes."""
        model = xgboost.XGBClassifier(
            n_estimators=int(parameters["trees"]),
            learning_rate=parameters["rate"],
            max_depth=int(parameters["depth_max"]),
            subsample=parameters["rows"],
            colsample_bytree=parameters["columns"],
            min_child_weight=parameters["child_weight_min"],
            tree_method="hist",
            n_jobs=1,
            random_state=seed,
        )
        return FittedBoosted(model.fit(rows, frauds), rows.shape[1])


LEARNERS.register("boosted")(Boosted())
