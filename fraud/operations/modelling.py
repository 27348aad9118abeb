"""The life of models: start a training, promote what passed, go back at once when it disappoints."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from flowlet.audit import trail
from flowlet.backoffice.models import Approval
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.events import outbox
from fraud import events
from fraud.choices import ModelStatus, RunState
from fraud.errors import NothingToRollBackTo, PromotionRefused
from fraud.features.sets import features_of
from fraud.models import GateRun, ModelArtefact, TrainingRun
from fraud.values import LIVE

TRAINING_DAYS = 85
# Longer than any training may take, see fraud/tasks.py: whose run is older, its worker is gone.
_STALE_AFTER = timedelta(minutes=15)
# Known here without importing the learners: nothing on the web path does.
ADDITIVE = frozenset({"boosted", "logistic"})
_TARGETS = (ModelStatus.SHADOW, ModelStatus.CHALLENGER, ModelStatus.CHAMPION)


@transaction.atomic
def train(
    *,
    learner: str,
    now: datetime,
    stream: str = LIVE,
    feature_set: str = "",
    as_of: datetime | None = None,
    span_from: datetime | None = None,
    span_to: datetime | None = None,
    seed: int = 0,
    parameters: Mapping[str, int | float] | None = None,
) -> TrainingRun:
    """
    Ask for a model; the job `fraud.train_queued` takes it up within a minute of the commit, or who asked does.

    It learns from labels known at `as_of` (default now) about events in [`span_from`, `span_to`), by default the 85
    days before.

    :raises UnknownFeatureSet: if there is no set of that name
    """
    as_of = as_of or now
    feature_set = feature_set or ("anomaly_v1" if learner == "anomaly" else "live_v1")
    features_of(feature_set)
    run = TrainingRun.objects.create(
        stream=stream,
        learner=learner,
        feature_set=feature_set,
        as_of=as_of,
        span_from=span_from or as_of - timedelta(days=TRAINING_DAYS),
        span_to=span_to or as_of,
        seed=seed,
        parameters=dict(parameters or {}),
        state=RunState.QUEUED,
        requested_by=trail.current_actor().ref,
        created_at=now,
    )
    trail.record(action="fraud_model.train", object_type="training_run", object_id=run.public_id)
    return run


@transaction.atomic
def take_run(*, now: datetime, run_id: int | None = None) -> TrainingRun | None:
    """
    Take the oldest run that waits, or the one named, for the caller alone; None when there is none to take.

    A run whose worker was killed waits again fifteen minutes after it was taken.
    """
    waiting = Q(state=RunState.QUEUED) | Q(state=RunState.RUNNING, heartbeat_at__lt=now - _STALE_AFTER)
    runs = TrainingRun.objects.filter(waiting)
    run = lock(runs if run_id is None else runs.filter(pk=run_id), skip_locked=True).first()
    if run is not None:
        run.state, run.heartbeat_at = RunState.RUNNING, now
        run.save(update_fields=["state", "heartbeat_at"])
    return run


@transaction.atomic
def give_up_run(*, run_id: int, reason: str, now: datetime) -> None:
    """Note that a run ended without a model, and why; one that is finished stays as it is."""
    run = lock(TrainingRun.objects.filter(pk=run_id, finished_at__isnull=True)).first()
    if run is None:
        return
    run.state, run.failure, run.finished_at = RunState.FAILED, reason, now
    run.save(update_fields=["state", "failure", "finished_at"])
    trail.record(
        action="fraud_model.train",
        object_type="training_run",
        object_id=run.public_id,
        outcome="FAILED",
        reason_code="not_trained",
    )


@transaction.atomic
def promote(
    *,
    artefact_id: int,
    to: str,
    reason_code: str,
    now: datetime,
    note: str = "",
    approval: Approval | None = None,
) -> ModelArtefact:
    """
    Let a model serve: SHADOW and CHALLENGER score beside, CHAMPION decides and sends its predecessor to RETIRED.

    A champion explains itself additively; on the live stream it has passed the gate against the present champion and
    comes by an `approval` of `fraud.promote_champion`.

    :raises NotFound: if there is no such model
    :raises PromotionRefused: with the failing line
    """
    artefact = _locked(artefact_id)
    if to not in _TARGETS:
        raise PromotionRefused(artefact=artefact.public_id, reason=f"{to} is no standing to promote to")
    if to == ModelStatus.CHAMPION:
        check_champion(artefact)
        if artefact.stream == LIVE and approval is None:
            raise PromotionRefused(artefact=artefact.public_id, reason="it needs two people")
    for other in _replaced_by(artefact, to):
        _move(other, ModelStatus.RETIRED, now)
    actor = trail.current_actor().ref
    artefact.approval = approval
    artefact.requested_by = approval.maker.public_id if approval else actor
    artefact.approved_by = actor if to == ModelStatus.CHAMPION else ""
    _move(artefact, ModelStatus(to), now, reason_code=reason_code, note=note)
    return artefact


@transaction.atomic
def roll_back(*, stream: str, reason_code: str, now: datetime, note: str = "") -> ModelArtefact:
    """
    Put the champion before this one back, at once; one person and a reason are enough.

    :raises NothingToRollBackTo: if there was none
    """
    models = list(lock(ModelArtefact.objects.filter(stream=stream)))
    former = [item for item in models if item.status == ModelStatus.RETIRED and item.promoted_at]
    if not former:
        raise NothingToRollBackTo(stream=stream)
    back = max(former, key=lambda item: (item.retired_at or item.created_at, item.pk))
    for champion in models:
        if champion.status == ModelStatus.CHAMPION:
            # To CANDIDATE: a model that disappointed is no former champion that the ladder may fall back on.
            champion.requested_by = champion.approved_by = ""
            champion.approval = None
            _move(champion, ModelStatus.CANDIDATE, now)
    _move(back, ModelStatus.CHAMPION, now, reason_code=reason_code, note=note)
    return back


def check_champion(artefact: ModelArtefact) -> None:
    """
    Check that a model may decide: its family gives additive reasons, and its gate passed against today's champion.

    :raises PromotionRefused: with the failing line
    """
    if artefact.learner not in ADDITIVE:
        raise PromotionRefused(artefact=artefact.public_id, reason="its family gives no additive reasons")
    if artefact.stream != LIVE:
        return
    gate = GateRun.objects.filter(artefact=artefact).order_by("-pk").first()
    if gate is None:
        raise PromotionRefused(artefact=artefact.public_id, reason="it has not been through the gate")
    failed = [line["check"] for line in gate.results if not line["passed"]]
    if failed or not gate.passed:
        raise PromotionRefused(artefact=artefact.public_id, reason=f"the gate failed at {', '.join(failed)}")
    champion = ModelArtefact.objects.filter(stream=artefact.stream, status=ModelStatus.CHAMPION).first()
    if gate.against_id != (champion.pk if champion else None):
        raise PromotionRefused(
            artefact=artefact.public_id, reason="the gate judged it against another champion"
        )


def _locked(artefact_id: int) -> ModelArtefact:
    stream = ModelArtefact.objects.filter(pk=artefact_id).values_list("stream", flat=True).first()
    found = {row.pk: row for row in lock(ModelArtefact.objects.filter(stream=stream))}
    if artefact_id not in found:
        raise NotFound
    return found[artefact_id]


def _replaced_by(artefact: ModelArtefact, to: str) -> list[ModelArtefact]:
    peers = ModelArtefact.objects.filter(stream=artefact.stream, status=to).exclude(pk=artefact.pk)
    return list(peers if to == ModelStatus.CHAMPION else peers.filter(learner=artefact.learner))


def _move(
    artefact: ModelArtefact, status: ModelStatus, now: datetime, *, reason_code: str = "", note: str = ""
) -> None:
    before = artefact.status
    artefact.status = status
    if status == ModelStatus.CHAMPION:
        artefact.promoted_at, artefact.retired_at = now, None
    elif before == ModelStatus.CHAMPION:
        artefact.retired_at = now
    artefact.save(
        update_fields=["status", "requested_by", "approved_by", "approval", "promoted_at", "retired_at"]
    )
    trail.record(
        action="fraud_model.move",
        object_type="fraud_model",
        object_id=artefact.public_id,
        changes={"status": [before, status]},
        reason_code=reason_code,
        note=note,
    )
    outbox.publish(
        type=events.MODEL_MOVED,
        object_type="fraud_model",
        object_id=artefact.public_id,
        partner_id=None,
        data={"id": artefact.public_id, "from": before, "to": status, "stream": artefact.stream},
        at=now,
    )
