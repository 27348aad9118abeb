"""Making a model the champion of the live stream: an analyst asks, a second person decides."""

from collections.abc import Mapping
from datetime import datetime

from django.urls import reverse

from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from fraud.choices import ModelStatus
from fraud.models import GateRun, ModelArtefact
from fraud.operations import modelling
from fraud.values import LIVE

ACTION = "fraud.promote_champion"
_FIGURES = ("average_precision", "precision_at_100", "calibration_error")


def may_be_crowned(artefact: ModelArtefact) -> bool:
    """Tell whether it makes sense to ask: a model of the live stream that explains itself and does not decide yet."""
    return (
        artefact.stream == LIVE
        and artefact.learner in modelling.ADDITIVE
        and artefact.status not in (ModelStatus.CHAMPION, ModelStatus.RETIRED)
    )


def ask_for_champion(
    *, artefact_id: int, maker_id: int, reason_code: str, now: datetime, note: str = ""
) -> Approval:
    """
    Ask a second person to let a model decide.

    :raises PromotionRefused: if its family or its gate stands against it already
    :raises ApprovalPending: if somebody asked before
    """
    artefact = ModelArtefact.objects.get(pk=artefact_id)
    modelling.check_champion(artefact)
    return request_approval(
        action=ACTION,
        object_type="fraud_model",
        object_id=artefact.public_id,
        payload={"becomes": "Champion"},
        maker_id=maker_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )


def _evidence(object_id: str) -> Mapping[str, object]:
    artefact = ModelArtefact.objects.select_related("run").get(public_id=object_id)
    gate = GateRun.objects.filter(artefact=artefact).order_by("-pk").first()
    champion = ModelArtefact.objects.filter(stream=artefact.stream, status=ModelStatus.CHAMPION).first()
    counts = artefact.run.counts
    return {
        "model": artefact.learner,
        "standing": artefact.status,
        "digest": artefact.digest,
        **{name: _shown(artefact.metrics.get(name)) for name in _FIGURES},
        "learnt_from": f"{counts.get('rows', 0):,} movements, {counts.get('frauds', 0):,} frauds",
        "gate": "" if gate is None else "Passed" if gate.passed else "Failed",
        "gate_digest": "" if gate is None else gate.digest,
        "replaces": "" if champion is None else champion.public_id,
    }


def _shown(value: float | None) -> str:
    """Return a figure as text: the digest of a request is over texts and integers only."""
    return "" if value is None else f"{value:.4f}"


def _execute(approval: Approval, now: datetime) -> None:
    artefact = ModelArtefact.objects.get(public_id=approval.object_id)
    modelling.promote(
        artefact_id=artefact.pk,
        to=ModelStatus.CHAMPION,
        reason_code=approval.reason_code,
        approval=approval,
        now=now,
    )


APPROVALS.register(ACTION)(
    ApprovalKind(
        title="Let a fraud model decide",
        permission="fraud.approve_model",
        maker_permission="fraud.promote_model",
        evidence=_evidence,
        execute=_execute,
        object_href=lambda object_id: reverse("admin:fraud_modelartefact_change", args=[object_id]),
        hours=72,
    )
)
