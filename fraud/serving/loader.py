"""
Models in memory: checked file by file, feature by feature, score by score before they serve.

A model that fails a check is refused and stays out; whoever served before goes on. Loaded models are kept by digest,
so the same content is never read twice and changed content never passes for what it was.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf

from fraud.errors import ArtefactRefused
from fraud.features.definitions import FEATURES, Floats, Vectors, digest_of
from fraud.models import ModelArtefact
from fraud.serving import bundle
from fraud.serving.bundle import Manifest
from fraud.serving.reasons import Explainer, explainer_of

_RETRY_S = 60.0
_ONNX_FAULTS = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, RuntimeError, ValueError)
_loaded: dict[str, "Model"] = {}
_refused: dict[str, float] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Model:
    """A model that passed every check, ready to score."""

    artefact_id: int
    public_id: str
    learner: str
    manifest: Manifest
    session: onnxruntime.InferenceSession
    explainer: Explainer | None

    def score(self, vectors: Vectors) -> Floats:
        """Return one score a row, greater = more suspicious; columns are `manifest.features`."""
        (scores,) = self.session.run([bundle.SCORE], {bundle.INPUT: vectors})
        return np.asarray(scores, dtype=np.float64).reshape(-1)


def load(artefact: ModelArtefact) -> Model:
    """
    Return the model, from memory or from the database.

    A refused one is not looked at again for a minute, so that a broken model costs nothing.

    :raises ArtefactRefused: if a file, the feature list, the graph or a score is not what was stored
    """
    known = _loaded.get(artefact.digest)
    if known is not None and known.artefact_id == artefact.pk:
        return known
    if time.monotonic() < _refused.get(artefact.digest, 0.0):
        raise ArtefactRefused(artefact=artefact.public_id, reason="it was refused a moment ago")
    with _lock:
        try:
            model = _checked(artefact)
        except ArtefactRefused:
            _refused[artefact.digest] = time.monotonic() + _RETRY_S
            raise
        _loaded[artefact.digest] = model
    return model


def forget() -> None:
    """Drop what is in memory; the next use reads and checks again."""
    _loaded.clear()
    _refused.clear()


def _checked(artefact: ModelArtefact) -> Model:
    files = {row.name: (bytes(row.content), row.sha256) for row in artefact.files.all()}
    for name, (content, expected) in files.items():
        found = bundle.file_digest(content)
        if found != expected:
            raise _refusal(artefact, f"{name} has SHA-256 {found}, stored was {expected}")
    whole = bundle.bundle_digest({name: digest for name, (_, digest) in files.items()}, artefact.metadata)
    if whole != artefact.digest:
        raise _refusal(artefact, f"its parts give {whole}, stored was {artefact.digest}")
    try:
        manifest = Manifest.read(artefact.metadata)
    except (KeyError, TypeError) as fault:
        raise _refusal(artefact, "its manifest cannot be read") from fault
    _check_features(artefact, manifest)
    return _opened(artefact, manifest, {name: content for name, (content, _) in files.items()})


def _check_features(artefact: ModelArtefact, manifest: Manifest) -> None:
    absent = [code for code in manifest.features if code not in FEATURES]
    if absent:
        raise _refusal(artefact, f"this version computes no {absent[0]}")
    running = digest_of(manifest.features)
    if not running == manifest.feature_digest == artefact.feature_digest:
        raise _refusal(artefact, f"it was made for features {manifest.feature_digest}, these are {running}")


def _opened(artefact: ModelArtefact, manifest: Manifest, files: Mapping[str, bytes]) -> Model:
    if bundle.SCORER not in files:
        raise _refusal(artefact, f"{bundle.SCORER} is missing")
    try:
        session = open_session(files[bundle.SCORER])
        explainer = explainer_of(files, manifest.features)
        model = Model(artefact.pk, artefact.public_id, artefact.learner, manifest, session, explainer)
        _check_graph(artefact, session, manifest)
        _check_golden(artefact, model)
    except _ONNX_FAULTS as fault:
        raise _refusal(artefact, f"it cannot be opened ({type(fault).__name__})") from fault
    return model


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX graph on one thread; a row is too small to share."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _check_graph(artefact: ModelArtefact, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    described = session.get_modelmeta().custom_metadata_map
    if described.get("feature_digest") != manifest.feature_digest:
        raise _refusal(artefact, "the graph was made for another feature list")
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if [item.name for item in inputs] != [bundle.INPUT] or inputs[0].shape[1] != len(manifest.features):
        raise _refusal(artefact, "the graph reads something else than the features")
    if bundle.SCORE not in {item.name for item in outputs}:
        raise _refusal(artefact, "the graph gives no score")


def _check_golden(artefact: ModelArtefact, model: Model) -> None:
    manifest = model.manifest
    if not manifest.golden_scores:
        raise _refusal(artefact, "it has no golden vectors")
    found = model.score(bundle.from_stored(manifest.golden_vectors))
    if list(found) != list(manifest.golden_scores):
        worst = float(np.abs(found - np.array(manifest.golden_scores)).max())
        raise _refusal(artefact, f"golden scores differ by up to {worst:.2g}")


def _refusal(artefact: ModelArtefact, reason: str) -> ArtefactRefused:
    return ArtefactRefused(artefact=artefact.public_id, reason=reason)


def first_that_loads(artefacts: Sequence[ModelArtefact]) -> tuple[Model | None, list[ArtefactRefused]]:
    """Return the first model that passes, with the refusals before it."""
    refusals: list[ArtefactRefused] = []
    for artefact in artefacts:
        try:
            return load(artefact), refusals
        except ArtefactRefused as refusal:
            refusals.append(refusal)
    return None, refusals
