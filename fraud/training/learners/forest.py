"""Random Forest: the challenger, and a second opinion for rules."""

from collections.abc import Mapping

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from fraud.features.definitions import Floats, Integers, Vectors
from fraud.serving import bundle
from fraud.training.learners.registry import LEARNERS
from fraud.training.learners.sklearn_graph import classifier_graph


class FittedForest:
    """A fitted pipeline: impute by the median, then the forest (trained on NaN it exports wrongly)."""

    def __init__(self, pipeline: Pipeline, feature_count: int) -> None:
        self.pipeline, self.feature_count = pipeline, feature_count

    def score(self, rows: Vectors) -> Floats:
        """Return the probability of fraud."""
        return np.asarray(self.pipeline.predict_proba(rows)[:, 1], dtype=np.float64)

    def files(self, feature_digest: str) -> dict[str, bytes]:
        """Return the graph."""
        return {bundle.SCORER: classifier_graph(self.pipeline, self.feature_count, feature_digest)}


class Forest:
    """Random Forest on imputed features."""

    title = "Random Forest"
    default_set = "live_v1"
    needs_labels = True
    additive = False
    defaults: Mapping[str, int | float] = {"trees": 100, "depth_max": 20, "leaf_rows_min": 2}

    def fit(
        self, rows: Vectors, frauds: Integers, *, parameters: Mapping[str, int | float], seed: int
    ) -> FittedForest:
        """Train it."""
        pipeline = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            RandomForestClassifier(
                n_estimators=int(parameters["trees"]),
                max_depth=int(parameters["depth_max"]),
                min_samples_leaf=int(parameters["leaf_rows_min"]),
                random_state=seed,
                n_jobs=1,
            ),
        )
        return FittedForest(pipeline.fit(rows, frauds), rows.shape[1])


LEARNERS.register("forest")(Forest())
