"""What a learner is: fit on a matrix, score natively, export without pickle."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import ClassVar, Protocol

import numpy as np
import onnx

from flowlet.core.registry import Registry
from fraud.features.definitions import Floats, Integers, Vectors
from fraud.serving import bundle
from fraud.training import learners

_ONE = np.array([1], dtype=np.int64)
TARGET_OPSETS = {"": 18, "ai.onnx.ml": 3}


class Fitted(Protocol):
    """A trained model in its own library."""

    def score(self, rows: Vectors) -> Floats:
        """Return one score a row, greater = more suspicious; between 0 and 1 unless it is an anomaly score."""

    def files(self, feature_digest: str) -> dict[str, bytes]:
        """Return the files of the artefact, by name."""


class Learner(Protocol):
    """A kind of model with its default parameters and feature set."""

    title: ClassVar[str]
    default_set: ClassVar[str]
    needs_labels: ClassVar[bool]
    additive: ClassVar[bool]
    defaults: ClassVar[Mapping[str, int | float]]

    def fit(
        self, rows: Vectors, frauds: Integers, *, parameters: Mapping[str, int | float], seed: int
    ) -> Fitted:
        """Train on float32 (n, features) and 0/1 labels; same data and seed, same model."""


LEARNERS: Registry[Learner] = Registry("fraud.learners")


def load() -> None:
    """Import every learner, so that a new one is one new file; safe to call twice."""
    for module in pkgutil.iter_modules(learners.__path__):
        importlib.import_module(f"{learners.__name__}.{module.name}")


def sealed_graph(graph: onnx.ModelProto, feature_digest: str) -> bytes:
    """Write the feature list's digest into the graph and return its bytes, the same each time."""
    graph.graph.name = "fraud"
    graph.producer_version = ""
    entry = graph.metadata_props.add()
    entry.key, entry.value = "feature_digest", feature_digest
    used = {item.domain for item in graph.opset_import}
    if not used <= bundle.OPSET_DOMAINS:
        raise ValueError(f"the graph uses operators of {sorted(used - bundle.OPSET_DOMAINS)}")
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def rename_score(graph: onnx.ModelProto, probabilities: str) -> None:
    """Make the probability of fraud (second column) the graph's only output, named as loaders expect."""
    nodes = graph.graph
    nodes.initializer.append(onnx.numpy_helper.from_array(_ONE, "second"))
    nodes.node.append(onnx.helper.make_node("Gather", [probabilities, "second"], [bundle.SCORE], axis=1))
    del nodes.output[:]
    nodes.output.append(onnx.helper.make_tensor_value_info(bundle.SCORE, onnx.TensorProto.FLOAT, [None, 1]))
