"""
What a stored model consists of, and the digest over all of it. Written by training, read by the loader.

Files are ONNX, and JSON for the reasons: formats that hold numbers. Nothing here can run code when it is read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from flowlet.core.jsons import dumps_canonical
from fraud.features.definitions import Vectors

SCORER = "model.onnx"
TREES = "trees.json"
LINEAR = "linear.json"
OPSET_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
INPUT = "features"
SCORE = "score"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling: log-odds of the probability = slope times margin + offset."""

    slope: float
    offset: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    What a loader must know beside the files.

    `golden` are ten vectors (None where a value is missing) with the scores they had when the model was made;
    `quantiles` turn an anomaly score into a percentile; `runtime` is the version of ONNX Runtime that made them.
    """

    features: tuple[str, ...]
    feature_digest: str
    golden_vectors: tuple[tuple[float | None, ...], ...]
    golden_scores: tuple[float, ...]
    runtime: str
    calibration: Calibration | None = None
    quantiles: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain lists and dicts, as stored."""
        values = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Manifest":
        """
        Read the stored form.

        :raises KeyError: if a part is missing
        :raises TypeError: if a part has another shape
        """
        calibration = values["calibration"]
        return cls(
            features=tuple(values["features"]),
            feature_digest=values["feature_digest"],
            golden_vectors=tuple(tuple(row) for row in values["golden_vectors"]),
            golden_scores=tuple(values["golden_scores"]),
            runtime=values["runtime"],
            calibration=None if calibration is None else Calibration(**calibration),
            quantiles=tuple(values["quantiles"]),
        )


def file_digest(content: bytes) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(content).hexdigest()


def bundle_digest(files: Mapping[str, str], metadata: Mapping[str, Any]) -> str:
    """Return the digest over the names and digests of all files and the manifest."""
    return hashlib.sha256(dumps_canonical({"files": dict(files), "metadata": metadata})).hexdigest()


def to_stored(vector: Vectors) -> tuple[float | None, ...]:
    """Return a float32 row as JSON can hold it: exact, None for a missing value."""
    return tuple(None if np.isnan(value) else float(value) for value in vector)


def from_stored(rows: tuple[tuple[float | None, ...], ...]) -> Vectors:
    """Return float32 of shape (n, features) from the stored form."""
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float32)
