"""What is measured about a fresh model: forward test, calibration, export, speed, leaks, parity."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime

from fraud.features import parity
from fraud.features.definitions import Floats, Integers, Vectors
from fraud.gate.registry import Evidence
from fraud.serving import bundle
from fraud.serving.bundle import Calibration
from fraud.serving.loader import open_session
from fraud.serving.reasons import explainer_of
from fraud.serving.score import margin_of
from fraud.training import calibration, metrics
from fraud.training.dataset import Dataset
from fraud.training.learners.registry import Fitted

RUNTIME = onnxruntime.__version__
_RESAMPLES = 1_000
_EXPORT_ROWS = 10_000
_REASON_ROWS = 100
_TIMED_ROWS = 200
_PARITY_ROWS = 2_000
_QUANTILES = 1_000
_GOLDEN_N = 10
_CERTAIN = 1e-3
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Forward:
    """What came after the cut, as predicted by the candidate's recipe and by the champion's."""

    data: Dataset
    rows: Vectors
    scores: Floats
    rival_scores: Floats | None
    rival: str
    champion_id: int | None
    codes: tuple[str, ...]

    def calibration(self) -> Calibration:
        """Return the Platt scaling of all forward predictions: the newest rows nobody has trained on."""
        return calibration.fit(self.scores, self.data.frauds)

    def honest(self, scores: Floats) -> Floats:
        """Return probabilities of each half of the rows, scaled on the other half only."""
        half = len(scores) // 2
        earlier, later = slice(None, half), slice(half, None)
        parts = [
            calibration.probabilities(scores[asked], calibration.fit(scores[known], self.data.frauds[known]))
            for asked, known in ((earlier, later), (later, earlier))
        ]
        return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Measured:
    """Metrics for people, evidence for the gate, counts for the run."""

    metrics: dict[str, Any]
    evidence: Evidence | None
    counts: dict[str, int]


def measure(
    *,
    stream: str,
    fitted: Fitted,
    files: dict[str, bytes],
    manifest: bundle.Manifest,
    rows: Vectors,
    forward: Forward | None,
) -> Measured:
    """Measure a candidate; a label-free one has metrics only where labels happen to exist, and no gate."""
    if forward is None or not forward.data.frauds.any():
        return Measured({"kind": "label-free"}, None, {})
    told = _ranking(forward)
    counts = {"forward_rows": len(forward.scores), "forward_frauds": int(forward.data.frauds.sum())}
    if manifest.calibration is None or forward.rival_scores is None:
        return Measured(told, None, counts)
    probabilities, outcomes = forward.honest(forward.scores), forward.data.frauds
    mean, low = metrics.bootstrap_difference(
        forward.scores,
        forward.rival_scores,
        forward.data.frauds,
        forward.data.customers,
        resamples=_RESAMPLES,
        seed=0,
    )
    told |= {
        "calibration_error": metrics.calibration_error(probabilities, outcomes),
        "brier": metrics.brier(probabilities, outcomes),
        "calibration": metrics.calibration_table(probabilities, outcomes),
        "rival": forward.rival,
        "rival_average_precision": metrics.average_precision(forward.rival_scores, forward.data.frauds),
        "difference_mean": mean,
        "difference_low": low,
    }
    span_us = int(forward.data.event_us[-1] - forward.data.event_us[0])
    leak_auc, leak_name = _best_single(forward)
    found = parity.compare(stream=stream, limit=_PARITY_ROWS)
    row_ms, reasons_ms = _speed(files, manifest, rows)
    evidence = Evidence(
        forward_days=span_us / _DAY_US,
        forward_frauds=counts["forward_frauds"],
        average_precision=told["average_precision"],
        difference_mean=mean,
        difference_low=low,
        calibration_error=told["calibration_error"],
        calibration_noise=metrics.calibration_noise(probabilities, seed=0),
        brier=told["brier"],
        champion_brier=metrics.brier(forward.honest(forward.rival_scores), outcomes),
        export_difference=_export_difference(fitted, files, rows),
        reasons_difference=_reasons_difference(files, manifest, rows),
        row_ms=row_ms,
        reasons_ms=reasons_ms,
        feature_auc_max=leak_auc,
        feature_auc_name=leak_name,
        parity_compared=found.compared,
        parity_differences=len(found.differences),
    )
    return Measured(told, evidence, counts)


def _ranking(forward: Forward) -> dict[str, Any]:
    data = forward.data
    return {
        "average_precision": metrics.average_precision(forward.scores, data.frauds),
        "area_under_curve": metrics.area_under_curve(forward.scores, data.frauds),
        "precision_at_100": metrics.precision_at(forward.scores, data.frauds),
        "card_precision_at_100": metrics.card_precision_at(
            forward.scores, data.frauds, data.customers, data.event_us
        ),
    }


def _best_single(forward: Forward) -> tuple[float, str]:
    """Return the feature that by itself tells frauds apart best, in either direction."""
    best, name = 0.5, ""
    for column, code in enumerate(forward.codes):
        values = forward.rows[:, column].astype(np.float64)
        area = metrics.area_under_curve(np.where(np.isnan(values), -np.inf, values), forward.data.frauds)
        if max(area, 1 - area) > best:
            best, name = max(area, 1 - area), code
    return best, name


def served(graph: bytes, rows: Vectors) -> Floats:
    """Return what the stored graph says about rows."""
    (scores,) = open_session(graph).run([bundle.SCORE], {bundle.INPUT: np.ascontiguousarray(rows)})
    return np.asarray(scores, dtype=np.float64).reshape(-1)


def _export_difference(fitted: Fitted, files: dict[str, bytes], rows: Vectors) -> float:
    sample = rows[-_EXPORT_ROWS:]
    return float(np.abs(served(files[bundle.SCORER], sample) - fitted.score(sample)).max())


def _reasons_difference(files: dict[str, bytes], manifest: bundle.Manifest, rows: Vectors) -> float | None:
    explainer = explainer_of(files, manifest.features)
    if explainer is None:
        return None
    sample = rows[-_REASON_ROWS:]
    worst = 0.0
    for row, found in zip(sample, served(files[bundle.SCORER], sample).tolist(), strict=True):
        margin = explainer.bias + float(explainer.contributions(row).sum())
        if _CERTAIN < found < 1 - _CERTAIN:
            worst = max(worst, abs(margin - margin_of(found)))
        else:
            # A float32 so near to 0 or 1 no longer tells its own log-odds: compare what it does tell.
            worst = max(worst, abs(1 / (1 + math.exp(-margin)) - found))
    return worst


def _speed(files: dict[str, bytes], manifest: bundle.Manifest, rows: Vectors) -> tuple[float, float]:
    """Return milliseconds of CPU for one score and for its reasons, row by row."""
    session, explainer = open_session(files[bundle.SCORER]), explainer_of(files, manifest.features)
    sample = rows[-_TIMED_ROWS:]
    started = time.process_time()
    for row in sample:
        session.run([bundle.SCORE], {bundle.INPUT: row.reshape(1, -1)})
    scored = time.process_time()
    if explainer is not None:
        for row in sample:
            explainer.contributions(row)
    reasoned = time.process_time()
    per_row = 1000 / len(sample)
    return (scored - started) * per_row, (reasoned - scored) * per_row


def golden_rows(rows: Vectors, frauds: Integers) -> Vectors:
    """Return ten rows that loaders score again: frauds first, then evenly spread ones."""
    bad = np.flatnonzero(frauds == 1)[: _GOLDEN_N // 2]
    spread = np.linspace(0, len(rows) - 1, _GOLDEN_N - len(bad)).astype(np.int64)
    return np.ascontiguousarray(rows[np.concatenate((bad, spread))])


def quantiles(scores: Floats) -> tuple[float, ...]:
    """Return a thousand quantiles of the training scores, ascending."""
    return tuple(np.quantile(scores, np.linspace(0, 1, _QUANTILES)).tolist())
