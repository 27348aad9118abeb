"""Turning a scikit-learn pipeline into a graph with one output."""

from typing import Any

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

from fraud.serving import bundle
from fraud.training.learners.registry import TARGET_OPSETS, rename_score, sealed_graph


def classifier_graph(pipeline: Any, feature_count: int, feature_digest: str) -> bytes:
    """Return the ONNX bytes of a fitted classifier; its score is the probability of fraud."""
    graph = to_onnx(
        pipeline,
        initial_types=[(bundle.INPUT, FloatTensorType([None, feature_count]))],
        target_opset=TARGET_OPSETS,
        options={id(pipeline): {"zipmap": False}},
    )
    rename_score(graph, "probabilities")
    return sealed_graph(graph, feature_digest)
