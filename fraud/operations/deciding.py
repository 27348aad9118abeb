"""
Deciding: one movement, in the caller's transaction, stored with all that explains and repeats it.

Nothing here ends in a silent ALLOW: each part that fails is flagged, and what remains decides more strictly.
"""

import logging
import math
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction

from flowlet.core.ids import new_id
from flowlet.events import outbox
from fraud import events, policies, queries
from fraud.choices import Action, Degraded
from fraud.errors import ArtefactRefused
from fraud.features.definitions import FEATURES
from fraud.features.online import from_us
from fraud.features.sets import ONLINE_SET
from fraud.models import Decision, DecisionKey, HistoryEvent, ModelArtefact, ModelScore, RuleHit
from fraud.queries import CODES, Gathered, Lineup
from fraud.rules import registry
from fraud.serving import loader, score
from fraud.serving.bundle import Calibration
from fraud.serving.loader import Model
from fraud.serving.reasons import BASE, REST, reasons_of
from fraud.subjects import content_digest
from fraud.values import FraudDecision, Hit, Reason, ScoringRequest

log = logging.getLogger(__name__)
_COARSE_MAX = 3


@dataclass(slots=True)
class _Scored:
    """What the models said."""

    champion: Model | None = None
    raw: float | None = None
    probability: float | None = None
    forest_score: float | None = None
    anomaly_percentile: float | None = None
    scores: list[tuple[int, str, float]] = field(default_factory=list)


@dataclass(slots=True)
class _Judged:
    """A decision before it is stored."""

    action: Action
    scored: _Scored
    asked: registry.Asked
    reasons: tuple[Reason, ...]
    degraded: list[Degraded]


def decide(*, request: ScoringRequest, now: datetime, budget_s: float = queries.BUDGET_S) -> FraudDecision:
    """
    Score a movement and decide on it, in the caller's transaction, before money is held.

    The same source again gets its first decision. On REVIEW the caller holds the money, on STEP_UP he asks for a
    second factor; a refusal must be committed, not rolled back, or the attempt is missing in the history.

    :raises BadScoringRequest: if a value cannot be scored
    :raises SourceReused: if this source was scored before with other values
    """
    return decide_gathered(gathered=queries.gather(request=request, now=now, budget_s=budget_s), now=now)


def decide_gathered(*, gathered: Gathered, now: datetime) -> FraudDecision:
    """Decide on what was gathered before (callers that lock gather first); see `decide`."""
    if gathered.earlier is not None:
        return gathered.earlier
    lineup = queries.lineup(stream=gathered.request.stream, product=gathered.request.product)
    judged = _judge_or_hold(gathered, lineup)
    try:
        with transaction.atomic():
            decision = _store(gathered, lineup, judged, now)
    except IntegrityError:
        # Somebody decided on the same source while we were judging: his decision stands.
        earlier = queries.find_decision_of(gathered.request)
        if earlier is None:
            raise
        return earlier
    return queries.told_new(decision, judged.reasons, judged.asked.hits)


def preview(*, request: ScoringRequest, now: datetime) -> FraudDecision:
    """Decide without storing anything, for dry runs."""
    gathered = queries.gather(request=request, now=now)
    judged = _judge_or_hold(gathered, queries.lineup(stream=request.stream, product=request.product))
    return FraudDecision(
        public_id="",
        action=judged.action,
        probability=judged.scored.probability,
        reasons=judged.reasons,
        hits=judged.asked.hits,
        coarse_reasons=_coarse(judged, gathered),
        degraded=tuple(judged.degraded),
    )


def _judge_or_hold(gathered: Gathered, lineup: Lineup) -> _Judged:
    try:
        return _judge(gathered, lineup)
    except DatabaseError:
        raise  # the transaction is lost: the caller answers that he is not available
    except Exception:
        # The last rung: whatever it was, money does not pass because of it.
        log.exception("fraud could not judge", extra={"object_id": gathered.request.source_id})
        nothing = registry.Asked((), {}, failed=True)
        degraded = [*gathered.degraded, Degraded.NOTHING_WORKED]
        return _Judged(policies.blind(gathered.request.product), _Scored(), nothing, (), degraded)


def _judge(gathered: Gathered, lineup: Lineup) -> _Judged:
    degraded = list(gathered.degraded)
    scored = _Scored() if degraded else _score(gathered, lineup, degraded)
    seen = registry.Seen(
        request=gathered.request,
        features=dict(zip(CODES, gathered.vector.tolist(), strict=True)),
        probability=scored.probability,
        forest_score=scored.forest_score,
        anomaly_percentile=scored.anomaly_percentile,
        sandbox=settings.FLOWLET_MODE == "sandbox",
    )
    asked = registry.ask(lineup.rules, seen)
    if asked.failed:
        degraded.append(Degraded.RULE_ERROR)
    base_minor = gathered.subject.base_minor
    if scored.probability is None:
        action = policies.unscored(base_minor, lineup.costs, degraded)
    else:
        action = policies.cheapest(scored.probability, base_minor, lineup.costs)
    reasons = _reasons(scored, gathered, degraded)
    return _Judged(policies.strictest(action, asked.hits), scored, asked, reasons, degraded)


def _score(gathered: Gathered, lineup: Lineup, degraded: list[Degraded]) -> _Scored:
    scored = _Scored()
    candidates = [model for model in (lineup.champion, *lineup.former) if model is not None]
    scored.champion, refusals = loader.first_that_loads(candidates)
    for refusal in refusals:
        log.error("fraud model refused: %s", refusal.detail)
    if scored.champion is None:
        degraded.append(Degraded.RULES_ONLY)
    else:
        if refusals or lineup.champion is None:
            degraded.append(Degraded.PREVIOUS_MODEL)
        scored.raw = _say(scored, scored.champion, "CHAMPION", gathered)
        scored.probability = score.calibrated(scored.raw, _calibration(scored.champion))
    for artefact in lineup.others:
        _second_opinion(scored, artefact, gathered)
    return scored


def _second_opinion(scored: _Scored, artefact: ModelArtefact, gathered: Gathered) -> None:
    """Let a model score beside the champion; one that does not load has no say, rules see its word as missing."""
    try:
        model = loader.load(artefact)
    except ArtefactRefused as refusal:
        log.error("fraud model refused: %s", refusal.detail)  # noqa: TRY400 - expected, the sentence says it all
        return
    said = _say(scored, model, artefact.status, gathered)
    if model.learner == "forest":
        scored.forest_score = said
    if model.manifest.quantiles:
        scored.anomaly_percentile = score.percentile(said, model.manifest.quantiles)


def _say(scored: _Scored, model: Model, role: str, gathered: Gathered) -> float:
    said = score.score_one(model, CODES, gathered.vector)
    if not math.isfinite(said):
        raise ArithmeticError(f"model {model.public_id} gave no number")
    scored.scores.append((model.artefact_id, role, said))
    return said


def _calibration(model: Model) -> Calibration:
    return model.manifest.calibration or Calibration(1.0, 0.0)


def _reasons(scored: _Scored, gathered: Gathered, degraded: list[Degraded]) -> tuple[Reason, ...]:
    model = scored.champion
    if model is None or model.explainer is None:
        return ()
    vector = gathered.vector[score.columns_of(model, CODES)]
    try:
        return tuple(reasons_of(model.explainer, model.manifest.features, vector, _calibration(model)))
    except (ArithmeticError, LookupError, ValueError):
        log.exception("fraud reasons failed", extra={"object_id": gathered.request.source_id})
        degraded.append(Degraded.REASONS_LATE)
        return ()


def _coarse(judged: _Judged, gathered: Gathered) -> tuple[str, ...]:
    """Return what a partner may be told: nothing on ALLOW, no rule, no score."""
    if judged.action == Action.ALLOW:
        return ()
    told = [hit.reason for hit in judged.asked.hits if hit.live]
    titles = {FEATURES.get(code).title: FEATURES.get(code).coarse for code in CODES}
    told += [
        titles[reason.text]
        for reason in judged.reasons
        if reason.share > 0 and reason.family not in (REST, BASE)
    ]
    if gathered.degraded or not told:
        told.append("check_unavailable" if judged.degraded else "unusual_amount")
    return tuple(dict.fromkeys(told))[:_COARSE_MAX]


def _store(gathered: Gathered, lineup: Lineup, judged: _Judged, now: datetime) -> Decision:
    request = gathered.request
    _remember(gathered, now)
    decision = Decision.objects.create(
        public_id=new_id("fdc"),
        stream=request.stream,
        event_id=gathered.event_id,
        product=request.product,
        partner_id=request.partner_id,
        customer=request.customer,
        source_kind=request.source_kind,
        source_id=request.source_id,
        amount_minor=request.amount.minor,
        currency=request.amount.currency,
        action=judged.action,
        probability=judged.scored.probability,
        model_id=None if judged.scored.champion is None else judged.scored.champion.artefact_id,
        feature_set=ONLINE_SET,
        vector=gathered.vector.tolist(),
        policy_id=lineup.policy_id,
        reasons=queries.reasons_as_json(judged.reasons),
        coarse_reasons=list(_coarse(judged, gathered)),
        degraded=list(judged.degraded),
        unknown=judged.asked.unknown,
        elapsed_us=round((time.perf_counter() - gathered.started) * 1_000_000),
        decided_at=now,
    )
    DecisionKey.objects.create(
        stream=request.stream,
        source_kind=request.source_kind,
        source_id=request.source_id,
        decision_id=decision.pk,
    )
    ModelScore.objects.bulk_create(
        ModelScore(decision_id=decision.pk, artefact_id=artefact_id, role=role, score=said)
        for artefact_id, role, said in judged.scored.scores
    )
    RuleHit.objects.bulk_create(_hit_row(decision.pk, hit) for hit in judged.asked.hits)
    outbox.publish(
        type=events.DECIDED,
        object_type="fraud_decision",
        object_id=decision.public_id,
        partner_id=request.partner_id,
        data={"id": decision.public_id, "source": request.source_id, "action": decision.action},
        at=now,
    )
    return decision


def _hit_row(decision_id: int, hit: Hit) -> RuleHit:
    return RuleHit(
        decision_id=decision_id,
        rule_version_id=hit.version_id,
        live=hit.live,
        action=hit.action,
        reason=hit.reason,
        values=hit.values,
        unknown=list(hit.unknown),
    )


def _remember(gathered: Gathered, now: datetime) -> None:
    """Add the movement to the history that later ones are judged by."""
    request, subject = gathered.request, gathered.subject
    HistoryEvent.objects.create(
        pk=gathered.event_id,
        stream=request.stream,
        source_kind=request.source_kind,
        source_id=request.source_id,
        kind=request.kind,
        event_at=from_us(subject.event_us),
        recorded_at=now,
        snapshot=gathered.snapshot,
        currency=request.amount.currency,
        amount_minor=request.amount.minor,
        base_minor=subject.base_minor,
        log_e4=subject.log_e4,
        facts={name: value for name, value in asdict(subject.facts).items() if value is not None},
        content_digest=content_digest(request),
        **{f"{name}_key": value for name, value in asdict(subject.keys).items()},
    )
