"""Logistic regression: the baseline every other model has to beat, explained by its weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from flowlet.core.jsons import dumps_canonical
from fraud.features.definitions import Floats, Integers, Vectors
from fraud.serving import bundle
from fraud.training.learners.registry import LEARNERS
from fraud.training.learners.sklearn_graph import classifier_graph


class FittedLogistic:
    """A fitted pipeline: impute by the median, scale, weigh."""

    def __init__(self, pipeline: Pipeline, feature_count: int) -> None:
        self.pipeline, self.feature_count = pipeline, feature_count

    def score(self, rows: Vectors) -> Floats:
        """Return the probability of fraud."""
        return np.asarray(self.pipeline.predict_proba(rows)[:, 1], dtype=np.float64)

    def files(self, feature_digest: str) -> dict[str, bytes]:
        """Return the graph, and the weights for the reasons."""
        impute, scale, weigh = (step for _, step in self.pipeline.steps)
        weights: dict[str, Any] = {
            "fill": impute.statistics_.astype(float).tolist(),
            "mean": scale.mean_.tolist(),
            "scale": scale.scale_.tolist(),
            "weight": weigh.coef_[0].astype(float).tolist(),
            "intercept": float(weigh.intercept_[0]),
        }
        return {
            bundle.SCORER: classifier_graph(self.pipeline, self.feature_count, feature_digest),
            bundle.LINEAR: dumps_canonical(weights),
        }


class Logistic:
    """Logistic regression on imputed, scaled features."""

    title = "Logistic regression"
    default_set = "live_v1"
    needs_labels = True
    additive = True
    defaults: Mapping[str, int | float] = {"c": 1.0, "iterations_max": 500}

    def fit(
        self, rows: Vectors, frauds: Integers, *, parameters: Mapping[str, int | float], seed: int
    ) -> FittedLogistic:
        """Train it."""
        pipeline = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(
                C=parameters["c"], max_iter=int(parameters["iterations_max"]), random_state=seed
            ),
        )
        return FittedLogistic(pipeline.fit(rows, frauds), rows.shape[1])


LEARNERS.register("logistic")(Logistic())
