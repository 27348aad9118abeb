"""Reads of fraud: what a decision needs to know before it is taken, and what stands in the tables."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.db import OperationalError, connection, transaction
from django.db.models import Count, Q

from fraud.choices import Degraded, ModelStatus, VersionStatus
from fraud.errors import EventUnknown, SourceReused
from fraud.features import derive, online
from fraud.features.definitions import Vectors, aggregates_of
from fraud.features.sets import ONLINE_SET, features_of, needs_history
from fraud.models import (
    Decision,
    DecisionKey,
    HistoryEvent,
    ModelArtefact,
    PolicyVersion,
    RuleHit,
    RuleVersion,
)
from fraud.policies import Costs, costs_of
from fraud.rules.registry import Line
from fraud.subjects import content_digest, subject_of
from fraud.values import FraudDecision, Hit, Reason, ScoringRequest, Subject

log = logging.getLogger(__name__)
BUDGET_S = 0.05
CODES = features_of(ONLINE_SET)
WANTED = tuple(aggregates_of(CODES))
_NO_VECTOR: Vectors = np.empty(0, dtype=np.float32)
_IN_SERVICE = (ModelStatus.CHAMPION, ModelStatus.CHALLENGER, ModelStatus.SHADOW)


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that a decision is taken from, read without a lock. `earlier` is set when this source was decided before."""

    request: ScoringRequest
    subject: Subject
    event_id: int
    snapshot: str
    vector: Vectors
    degraded: tuple[Degraded, ...]
    started: float
    earlier: FraudDecision | None = None


@dataclass(frozen=True, slots=True)
class Lineup:
    """What is in force: models by standing, former champions (latest first), rules, policy."""

    champion: ModelArtefact | None
    others: tuple[ModelArtefact, ...]
    former: tuple[ModelArtefact, ...]
    rules: tuple[Line, ...]
    policy_id: int | None
    costs: Costs


def gather(*, request: ScoringRequest, now: datetime, budget_s: float = BUDGET_S) -> Gathered:
    """
    Read history and derive the vector, within the caller's transaction and `budget_s` seconds.

    Past the budget the movement is judged by itself (flag CHEAP_FEATURES). Takes no lock.

    :raises BadScoringRequest: if a value cannot be scored
    :raises SourceReused: if this source was scored before with other values
    """
    started = time.perf_counter()
    subject = subject_of(request, now=now)
    earlier = find_decision_of(request)
    if earlier is not None:
        return Gathered(request, subject, 0, "", _NO_VECTOR, (), started, earlier)
    decided_us = online.to_us(now)
    degraded: tuple[Degraded, ...] = ()
    try:
        with transaction.atomic(), _budget(budget_s):
            seen = online.observe(
                stream=request.stream, subject=subject, decided_us=decided_us, wanted=WANTED
            )
    except OperationalError:
        log.warning("fraud history not read in time", extra={"object_id": request.source_id})
        degraded = (Degraded.CHEAP_FEATURES,)
        seen = online.observe(stream=request.stream, subject=subject, decided_us=decided_us, wanted=())
        seen = online.Observed(seen.event_id, "", online.nothing_known(WANTED))
    vector = derive.vectors(CODES, online.numbers_of(subject, decided_us, seen.columns))[0]
    if degraded:
        vector = _without_history(vector)
    return Gathered(request, subject, seen.event_id, seen.snapshot, vector, degraded, started)


def _without_history(vector: Vectors) -> Vectors:
    kept = vector.copy()
    kept[[needs_history(code) for code in CODES]] = float("nan")
    return kept


@contextmanager
def _budget(seconds: float) -> Iterator[None]:
    """Limit each statement inside; SET LOCAL outlives a released savepoint, so the old value is put back by hand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)",
            [f"{max(1, round(seconds * 1000))}ms"],
        )
        before = cursor.fetchone()[0]
        yield
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])


def lineup(*, stream: str, product: str) -> Lineup:
    """Return what is in force for a stream and product; versions are read from PostgreSQL each time."""
    models = ModelArtefact.objects.filter(
        Q(status__in=_IN_SERVICE) | Q(status=ModelStatus.RETIRED, promoted_at__isnull=False), stream=stream
    ).defer("metadata", "metrics")
    found = sorted(models, key=lambda model: (model.retired_at or model.created_at, model.pk), reverse=True)
    by_status = {status: [model for model in found if model.status == status] for status in ModelStatus}
    policy = PolicyVersion.objects.filter(product=product, status=VersionStatus.LIVE).first()
    return Lineup(
        champion=next(iter(by_status[ModelStatus.CHAMPION]), None),
        others=(*by_status[ModelStatus.CHALLENGER], *by_status[ModelStatus.SHADOW]),
        former=tuple(by_status[ModelStatus.RETIRED]),
        rules=tuple(
            Line(pk, code, status == VersionStatus.LIVE, parameters)
            for pk, code, status, parameters in RuleVersion.objects.filter(
                status__in=(VersionStatus.LIVE, VersionStatus.SHADOW)
            )
            .order_by("code", "version")
            .values_list("pk", "code", "status", "parameters")
        ),
        policy_id=None if policy is None else policy.pk,
        costs=Costs() if policy is None else costs_of(policy.costs),
    )


def find_decision_of(request: ScoringRequest) -> FraudDecision | None:
    """
    Return the decision this very request got before, or None.

    :raises SourceReused: if it was another request under the same source
    """
    key = DecisionKey.objects.filter(
        stream=request.stream, source_kind=request.source_kind, source_id=request.source_id
    ).first()
    if key is None:
        return None
    decision = Decision.objects.get(pk=key.decision_id)
    event = HistoryEvent.objects.only("content_digest").get(pk=decision.event_id)
    if bytes(event.content_digest) != content_digest(request):
        raise SourceReused(source_kind=request.source_kind, source_id=request.source_id)
    return told(decision)


def told(decision: Decision) -> FraudDecision:
    """Return a stored decision as its caller got it."""
    rows = RuleHit.objects.filter(decision_id=decision.pk).select_related("rule_version").order_by("pk")
    hits = tuple(
        Hit(
            code=row.rule_version.code,
            version_id=row.rule_version_id,
            live=row.live,
            action=row.action,
            reason=row.reason,
            values=row.values,
            unknown=tuple(row.unknown),
        )
        for row in rows
    )
    reasons = tuple(Reason(**reason) for reason in decision.reasons)
    return replace(told_new(decision, reasons, hits), replayed=True)


def told_new(decision: Decision, reasons: tuple[Reason, ...], hits: tuple[Hit, ...]) -> FraudDecision:
    """Return a decision for its caller, with parts that are at hand."""
    return FraudDecision(
        public_id=decision.public_id,
        action=decision.action,
        probability=decision.probability,
        reasons=reasons,
        hits=hits,
        coarse_reasons=tuple(decision.coarse_reasons),
        degraded=tuple(decision.degraded),
    )


def get_event(*, stream: str, source_kind: str, source_id: str) -> HistoryEvent:
    """
    Return the event of a source.

    :raises EventUnknown: if it was never scored
    """
    event = HistoryEvent.objects.filter(stream=stream, source_kind=source_kind, source_id=source_id).first()
    if event is None:
        raise EventUnknown(stream=stream, source_id=source_id)
    return event


def action_counts(*, stream: str, now: datetime, days: int) -> dict[str, int]:
    """Return how many decisions of each action were taken in the latest days."""
    since = now - timedelta(days=days)
    rows = Decision.objects.filter(stream=stream, decided_at__gt=since).values_list("action")
    return dict(rows.annotate(number=Count("pk")).order_by("action"))


def reasons_as_json(reasons: tuple[Reason, ...]) -> list[dict[str, object]]:
    """Return reasons as they are stored."""
    return [asdict(reason) for reason in reasons]
