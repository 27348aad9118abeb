"""One training from queue to artefact: read, test forward, refit, export, judge, store. Safe to run twice."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import IntegrityError, transaction

from flowlet.audit import trail
from flowlet.core.errors import AppError
from flowlet.core.jsons import dumps_canonical
from flowlet.core.registry import UnknownEntry
from fraud.choices import ModelStatus, RunState
from fraud.errors import NotEnoughData, UnknownFeatureSet
from fraud.features.definitions import Integers, digest_of
from fraud.features.sets import features_of
from fraud.gate import registry as gate
from fraud.models import GateRun, ModelArtefact, ModelFile, TrainingRun
from fraud.operations import modelling
from fraud.queries import CODES
from fraud.serving import bundle
from fraud.training import dataset, measuring
from fraud.training.dataset import Dataset
from fraud.training.learners import registry
from fraud.training.learners.registry import LEARNERS, Learner
from fraud.training.measuring import Forward

log = logging.getLogger(__name__)
_FORWARD_SHARE = 0.25
_FRAUDS_MIN = 10
_ROWS_MIN = 200

registry.load()
gate.load()


@dataclass(frozen=True, slots=True)
class _Plan:
    """One training with everything looked up."""

    run: TrainingRun
    learner: Learner
    parameters: dict[str, int | float]
    columns: Integers
    features: tuple[str, ...]


def run_training(*, run_id: int, now: datetime, taken: bool = False) -> ModelArtefact | None:
    """
    Train what was asked for and return the candidate; None when another worker has it or it failed.

    A run that was killed can be taken again after fifteen minutes and never makes two artefacts. The reason of a
    failure stands in the run. `taken` says that the caller has taken the run already.
    """
    if not taken and modelling.take_run(run_id=run_id, now=now) is None:
        return None
    run = TrainingRun.objects.get(pk=run_id)
    try:
        return _train(_plan(run), now)
    except AppError as refusal:
        modelling.give_up_run(run_id=run.pk, reason=refusal.detail, now=now)
        return None
    except IntegrityError:
        log.info("fraud training was finished by somebody else", extra={"object_id": run.public_id})
        return None


def _plan(run: TrainingRun) -> _Plan:
    try:
        learner = LEARNERS.get(run.learner)
    except UnknownEntry:
        raise UnknownFeatureSet(kind="model", name=run.learner) from None
    unknown = set(run.parameters) - set(learner.defaults)
    if unknown:
        raise UnknownFeatureSet(kind="parameter", name=min(unknown))
    features = features_of(run.feature_set)
    columns = np.array([CODES.index(code) for code in features], dtype=np.int64)
    return _Plan(run, learner, {**learner.defaults, **run.parameters}, columns, features)


def _train(plan: _Plan, now: datetime) -> ModelArtefact:
    run = plan.run
    data = dataset.read(
        stream=run.stream,
        features=CODES,
        span_from=run.span_from,
        span_to=run.span_to,
        as_of=run.as_of,
        labelled_only=plan.learner.needs_labels,
    )
    cut_us = _check(plan, data)
    fitted = plan.learner.fit(
        data.rows[:, plan.columns], data.frauds, parameters=plan.parameters, seed=run.seed
    )
    digest = digest_of(plan.features)
    files = fitted.files(digest)
    forward = _forward(plan, data, cut_us)
    manifest = _manifest(plan, data, files, forward)
    measured = measuring.measure(
        stream=run.stream,
        fitted=fitted,
        files=files,
        manifest=manifest,
        rows=data.rows[:, plan.columns],
        forward=forward,
    )
    return _store(plan, data, manifest, files, measured, forward, now)


def _check(plan: _Plan, data: Dataset) -> int:
    """Return the instant where the forward test begins, or raise when there is too little to learn from."""
    frauds = int(data.frauds.sum())
    enough = len(data.ids) >= _ROWS_MIN
    if plan.learner.needs_labels:
        enough = enough and min(frauds, len(data.ids) - frauds) >= _FRAUDS_MIN
    if not enough:
        raise NotEnoughData(
            rows=len(data.ids),
            frauds=frauds,
            span_from=plan.run.span_from.isoformat(),
            span_to=plan.run.span_to.isoformat(),
            reason=f"at least {_ROWS_MIN} rows and {_FRAUDS_MIN} of each class are needed",
        )
    return int(data.event_us[-1] - (data.event_us[-1] - data.event_us[0]) * _FORWARD_SHARE)


def _forward(plan: _Plan, data: Dataset, cut_us: int) -> Forward | None:
    """Train on what was known at the cut, predict what came after; the champion's recipe does the same."""
    before = data.part((data.event_us < cut_us) & (data.known_us <= cut_us))
    after = data.part(data.event_us >= cut_us)
    if plan.learner.needs_labels and min(before.frauds.sum(), after.frauds.sum()) < _FRAUDS_MIN:
        raise NotEnoughData(
            rows=len(before.ids),
            frauds=int(before.frauds.sum()),
            span_from=plan.run.span_from.isoformat(),
            span_to=plan.run.span_to.isoformat(),
            reason=f"at least {_FRAUDS_MIN} frauds known before the forward test and in it are needed",
        )
    ours = plan.learner.fit(
        before.rows[:, plan.columns], before.frauds, parameters=plan.parameters, seed=plan.run.seed
    )
    champion = _champion(plan.run.stream)
    rival = _recipe_of(champion)
    theirs = (
        rival.learner.fit(
            before.rows[:, rival.columns], before.frauds, parameters=rival.parameters, seed=rival.run.seed
        )
        if before.frauds.any()
        else None
    )
    return Forward(
        data=after,
        rows=after.rows[:, plan.columns],
        scores=ours.score(after.rows[:, plan.columns]),
        rival_scores=None if theirs is None else theirs.score(after.rows[:, rival.columns]),
        rival=rival.learner.title,
        champion_id=None if champion is None else champion.pk,
        codes=plan.features,
    )


def _champion(stream: str) -> ModelArtefact | None:
    return (
        ModelArtefact.objects.filter(stream=stream, status=ModelStatus.CHAMPION).select_related("run").first()
    )


def _recipe_of(champion: ModelArtefact | None) -> _Plan:
    """Return how the champion was made; without one, the logistic baseline."""
    return _plan(TrainingRun(learner="logistic", feature_set="live_v1") if champion is None else champion.run)


def _manifest(
    plan: _Plan, data: Dataset, files: dict[str, bytes], forward: Forward | None
) -> bundle.Manifest:
    rows = data.rows[:, plan.columns]
    golden = measuring.golden_rows(rows, data.frauds)
    return bundle.Manifest(
        features=plan.features,
        feature_digest=digest_of(plan.features),
        golden_vectors=tuple(bundle.to_stored(row) for row in golden),
        golden_scores=tuple(measuring.served(files[bundle.SCORER], golden).tolist()),
        runtime=measuring.RUNTIME,
        calibration=forward.calibration() if forward and plan.learner.needs_labels else None,
        quantiles=()
        if plan.learner.needs_labels
        else measuring.quantiles(measuring.served(files[bundle.SCORER], rows)),
    )


def _store(
    plan: _Plan,
    data: Dataset,
    manifest: bundle.Manifest,
    files: dict[str, bytes],
    measured: measuring.Measured,
    forward: Forward | None,
    now: datetime,
) -> ModelArtefact:
    run = plan.run
    digests = {name: bundle.file_digest(content) for name, content in files.items()}
    metadata = manifest.as_json()
    with transaction.atomic():
        artefact = ModelArtefact.objects.create(
            run=run,
            stream=run.stream,
            learner=run.learner,
            feature_set=run.feature_set,
            feature_digest=manifest.feature_digest,
            metadata=metadata,
            metrics=measured.metrics,
            digest=bundle.bundle_digest(digests, metadata),
            status=ModelStatus.CANDIDATE,
            created_at=now,
        )
        ModelFile.objects.bulk_create(
            ModelFile(artefact=artefact, name=name, content=content, sha256=digests[name])
            for name, content in files.items()
        )
        if measured.evidence is not None:
            lines = gate.as_json(gate.judge(measured.evidence))
            GateRun.objects.create(
                artefact=artefact,
                against_id=forward.champion_id if forward else None,
                results=lines,
                passed=all(line["passed"] for line in lines),
                digest=hashlib.sha256(
                    dumps_canonical({"artefact": artefact.digest, "lines": lines})
                ).hexdigest(),
                created_at=now,
            )
        run.counts = {"rows": len(data.ids), "frauds": int(data.frauds.sum()), **measured.counts}
        run.data_digest = data.digest
        run.state, run.finished_at, run.heartbeat_at = RunState.DONE, now, now
        run.save(update_fields=["counts", "data_digest", "state", "finished_at", "heartbeat_at"])
        trail.record(action="fraud_model.trained", object_type="fraud_model", object_id=artefact.public_id)
    return artefact
