"""Fraud in the back office: decisions with their reasons, models with metrics and roll-back, trainings, rules."""

from typing import Any

from django.http import HttpRequest

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Main, Tone, When
from flowlet.backoffice.charts import Series, bars
from flowlet.backoffice.filters import Choice, DateSpan, Text
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.core.money import Money
from fraud.choices import Action, Degraded, ModelStatus, RunState
from fraud.models import Decision, GateRun, ModelArtefact, ModelScore, RuleHit, RuleVersion, TrainingRun
from fraud.operations import modelling

_ACTION_TONES: dict[str, Tone] = {
    Action.ALLOW: "ok",
    Action.STEP_UP: "info",
    Action.REVIEW: "warn",
    Action.DECLINE: "bad",
}
_MODEL_TONES: dict[str, Tone] = {
    ModelStatus.CHAMPION: "ok",
    ModelStatus.CHALLENGER: "info",
    ModelStatus.SHADOW: "wait",
}
_RUN_TONES: dict[str, Tone] = {RunState.DONE: "ok", RunState.FAILED: "bad", RunState.RUNNING: "info"}
_ROLL_BACK_REASONS = (
    ("FALSE_ALARMS", "Too many good customers stopped"),
    ("MISSED_FRAUD", "Fraud passes that was caught before"),
    ("DRIFT", "The population has changed"),
    ("FAULT", "The model is faulty"),
)
_PROMOTE_REASONS = (
    ("COMPARE", "To be compared with the champion"),
    ("SECOND_OPINION", "Rules use its score"),
)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _metric(artefact: ModelArtefact, name: str) -> str:
    value = artefact.metrics.get(name)
    return "" if value is None else f"{value:.3f}"


def _model_badge(artefact: ModelArtefact) -> Badge:
    return Badge(ModelStatus(artefact.status).label, _MODEL_TONES.get(artefact.status, ""))


@register(ModelArtefact)
class ModelArtefactAdmin(ModelAdmin):
    """Trained models, newest first."""

    path, title, group, icon, nav_order = "fraud-models", "Fraud models", "Control", "database", 60
    summary = "What scores payments, how good it was on data it had not seen, and what it replaced"
    list_order = ("-pk",)
    related = ("run",)
    search_by = ("public_id",)
    search_hint = "Model id"
    filters = (Choice("status", "Standing", tuple(ModelStatus.choices)), Text("stream", "Stream"))
    columns = (
        Column(title="Model", cell=lambda m: Main(m.learner.capitalize(), m.public_id, mono=True)),
        Column(title="Standing", cell=_model_badge, width="m"),
        Column(title="Stream", cell=lambda m: m.stream, width="s", hide="m"),
        Column(
            title="Average precision", cell=lambda m: _metric(m, "average_precision"), width="s", right=True
        ),
        Column(
            title="Of the top 100",
            cell=lambda m: _metric(m, "precision_at_100"),
            width="s",
            right=True,
            hide="s",
        ),
        Column(
            title="Calibration error",
            cell=lambda m: _metric(m, "calibration_error"),
            width="s",
            right=True,
            hide="m",
        ),
        Column(title="Trained", cell=lambda m: When(m.created_at), width="m", right=True, hide="s"),
    )
    empty = ("No model yet", "Start a training with manage.py fraud_train.")

    def object_title(self, obj: Any) -> str:
        """Return the kind of model."""
        return f"{obj.learner.capitalize()} on {obj.stream}"

    def badges(self, obj: Any) -> list[object]:
        """Return where it stands."""
        return [_model_badge(obj)]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return forward test, calibration, gate, comparison with the others in service, and what it learnt from."""
        del request
        gate = GateRun.objects.filter(artefact=obj).order_by("-pk").first()
        panels = [_forward_panel(obj), _calibration_panel(obj), _gate_panel(gate), _service_panel(obj)]
        return [*(panel for panel in panels if panel), _origin_panel(obj)]


def _forward_panel(artefact: ModelArtefact) -> Panel:
    names = (
        ("Average precision", "average_precision"),
        ("Precision among the top 100", "precision_at_100"),
        ("Cards found a day among 100", "card_precision_at_100"),
        ("Area under the curve", "area_under_curve"),
        ("Calibration error", "calibration_error"),
        ("Brier score", "brier"),
    )
    facts: list[tuple[str, object]] = [(title, _metric(artefact, name)) for title, name in names]
    rival = artefact.metrics.get("rival")
    if rival:
        change = artefact.metrics["difference_mean"]
        facts.append((f"{rival} on the same rows", _metric(artefact, "rival_average_precision")))
        facts.append(("Difference", f"{change:+.3f}"))
    return facts_panel(
        "Forward test",
        facts,
        two=True,
        note="On the newest quarter of the span, by a model that had not seen it.",
    )


def _calibration_panel(artefact: ModelArtefact) -> Panel | None:
    table = artefact.metrics.get("calibration")
    if not table:
        return None
    labels = [f"{number}" for number in range(1, len(table) + 1)]
    series = [
        Series("Expected frauds per 1,000", [round(1000 * row["expected"]) for row in table]),
        Series("Observed frauds per 1,000", [round(1000 * row["observed"]) for row in table]),
    ]
    title = "Calibration: expected and observed, by tenth of the scores"
    data = {"bars": bars(labels, series), "title": title, "note": "From the lowest scores to the highest"}
    return Panel(title=title, template="fraud/calibration.html", data=data)


def _gate_panel(gate: GateRun | None) -> Panel | None:
    if gate is None:
        return None
    columns = (
        Column(title="Check", cell=lambda line: line["check"].replace("_", " ").capitalize()),
        Column(title="Found", cell=lambda line: line["found"]),
        Column(title="Asked", cell=lambda line: line["asked"], hide="s"),
        Column(
            title="Outcome",
            cell=lambda line: Badge("Passed", "ok") if line["passed"] else Badge("Failed", "bad"),
        ),
    )
    return table_panel("Promotion gate", columns=columns, rows=gate.results)


def _service_panel(artefact: ModelArtefact) -> Panel:
    serving = (ModelStatus.CHAMPION, ModelStatus.CHALLENGER, ModelStatus.SHADOW)
    rows = ModelArtefact.objects.filter(stream=artefact.stream, status__in=serving).order_by("status", "pk")
    columns = (
        Column(title="Model", cell=lambda m: Main(m.learner.capitalize(), m.public_id, mono=True)),
        Column(title="Standing", cell=_model_badge),
        Column(title="Average precision", cell=lambda m: _metric(m, "average_precision"), right=True),
        Column(title="Of the top 100", cell=lambda m: _metric(m, "precision_at_100"), right=True),
    )
    return table_panel(
        "In service on this stream",
        columns=columns,
        rows=list(rows),
        empty=("No model serves", "Rules decide alone."),
    )


def _origin_panel(artefact: ModelArtefact) -> Panel:
    run = artefact.run
    facts: list[tuple[str, object]] = [
        ("Learnt from", f"{run.counts.get('rows', 0):,} movements, {run.counts.get('frauds', 0):,} frauds"),
        ("From", When(run.span_from)),
        ("To", When(run.span_to)),
        ("Labels known by", When(run.as_of)),
        ("Features", f"{artefact.feature_set} ({len(artefact.metadata.get('features', []))})"),
        ("SHA-256", Code(artefact.digest)),
        ("Asked for by", artefact.requested_by),
        ("Approved by", artefact.approved_by),
        ("Put live", When(artefact.promoted_at)),
        ("Retired", When(artefact.retired_at)),
    ]
    return facts_panel("Origin", facts, side=True)


@action(
    name="roll-back-model",
    model=ModelArtefact,
    permission="fraud.roll_back_model",
    label="Roll back",
    title=lambda model: f"Go back to the champion before {model.public_id}?",
    text="The previous champion decides from the next payment on.",
    reasons=_ROLL_BACK_REASONS,
    available=lambda model: model.status == ModelStatus.CHAMPION,
    done="The previous model decides again.",
    danger=True,
    icon="history",
)
def _roll_back(call: ActionCall, model: ModelArtefact) -> None:
    modelling.roll_back(stream=model.stream, reason_code=call.reason, note=call.note, now=call.now)


@action(
    name="challenge-with-model",
    model=ModelArtefact,
    permission="fraud.promote_model",
    label="Let it challenge",
    title=lambda model: f"Let {model.public_id} score beside the champion?",
    text="It scores every payment and decides none. Its predecessor of the same kind retires.",
    reasons=_PROMOTE_REASONS,
    available=lambda model: model.status in (ModelStatus.CANDIDATE, ModelStatus.SHADOW),
    done="It scores beside the champion now.",
    icon="activity",
)
def _challenge(call: ActionCall, model: ModelArtefact) -> None:
    modelling.promote(
        artefact_id=model.pk,
        to=ModelStatus.CHALLENGER,
        requested_by=call.actor.ref,
        approved_by="",
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


@register(Decision)
class DecisionAdmin(ModelAdmin):
    """Decisions, newest first."""

    path, title, group, icon, nav_order = "fraud-decisions", "Fraud decisions", "Work", "shield", 60
    summary = "What was decided about each payment and card, and why"
    list_order = ("-pk",)
    related = ("model", "policy")
    search_by = ("public_id", "source_id", "customer")
    search_hint = "Decision, payment or customer id"
    filters = (
        Choice("action", "Action", tuple(Action.choices)),
        DateSpan("at", "Time", lookup="decided_at"),
    )
    columns = (
        Column(title="Decision", cell=lambda d: Main(d.source_id, d.public_id, mono=True)),
        Column(title="Action", cell=lambda d: _action_badge(d.action), width="m"),
        Column(title="Probability", cell=lambda d: _percent(d.probability), width="s", right=True),
        Column(
            title="Amount", cell=lambda d: Amount(Money(d.amount_minor, d.currency)), width="m", right=True
        ),
        Column(
            title="Degraded", cell=lambda d: Badge("Yes", "warn") if d.degraded else "", width="s", hide="m"
        ),
        Column(title="Time", cell=lambda d: When(d.decided_at), width="m", right=True, hide="s"),
    )

    def object_title(self, obj: Any) -> str:
        """Return what was decided on."""
        return str(obj.source_id)

    def badges(self, obj: Any) -> list[object]:
        """Return the action, and each rung of the ladder it stood on."""
        return [
            _action_badge(obj.action),
            *(Badge(Degraded(rung).label[:40], "warn") for rung in obj.degraded),
        ]

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return reasons, rule hits, what each model said, and the decision's facts."""
        del request
        return [_reasons_panel(obj), _hits_panel(obj), _scores_panel(obj), _decision_panel(obj)]


def _action_badge(code: str) -> Badge:
    return Badge(Action(code).label, _ACTION_TONES.get(code, ""))


def _reasons_panel(decision: Decision) -> Panel:
    columns = (
        Column(title="Reason", cell=lambda r: Main(r["family"], r["text"])),
        Column(title="Value", cell=lambda r: "" if r["value"] is None else f"{r['value']:,.3g}", right=True),
        Column(title="Share of the score", cell=lambda r: f"{r['share']:+.3f}", right=True),
    )
    return table_panel(
        "Reasons",
        columns=columns,
        rows=decision.reasons,
        empty=("No model scored this", "Rules and limits decided alone."),
        note="Shares in log-odds; together they are the score. Positive speaks for fraud.",
    )


def _hits_panel(decision: Decision) -> Panel:
    hits = RuleHit.objects.filter(decision_id=decision.pk).select_related("rule_version").order_by("pk")
    columns = (
        Column(title="Rule", cell=lambda h: Main(h.rule_version.code, f"version {h.rule_version.version}")),
        Column(title="Asks for", cell=lambda h: _action_badge(h.action)),
        Column(title="Saw", cell=lambda h: ", ".join(f"{k} = {v:g}" for k, v in h.values.items()), hide="s"),
        Column(title="State", cell=lambda h: Badge("Live", "ok") if h.live else Badge("Shadow")),
    )
    return table_panel("Rule hits", columns=columns, rows=list(hits), empty=("No rule hit", ""))


def _scores_panel(decision: Decision) -> Panel:
    scores = ModelScore.objects.filter(decision_id=decision.pk).select_related("artefact").order_by("pk")
    columns = (
        Column(
            title="Model",
            cell=lambda s: Main(s.artefact.learner.capitalize(), s.artefact.public_id, mono=True),
        ),
        Column(title="Role", cell=lambda s: s.role.capitalize()),
        Column(title="Raw score", cell=lambda s: f"{s.score:.4f}", right=True),
    )
    return table_panel(
        "What each model said", columns=columns, rows=list(scores), empty=("No model scored", "")
    )


def _decision_panel(decision: Decision) -> Panel:
    facts: list[tuple[str, object]] = [
        ("Probability of fraud", _percent(decision.probability)),
        ("Amount", Amount(Money(decision.amount_minor, decision.currency))),
        ("Customer", Code(decision.customer)),
        ("Product", decision.get_product_display()),
        ("Model", str(decision.model or "")),
        ("Policy", str(decision.policy or "")),
        ("Took", f"{decision.elapsed_us / 1000:.1f} ms"),
        ("Decided", When(decision.decided_at)),
    ]
    return facts_panel("Decision", facts, side=True)


@register(TrainingRun)
class TrainingRunAdmin(ModelAdmin):
    """Trainings, newest first."""

    path, title, group, icon, nav_order = "fraud-trainings", "Fraud trainings", "Control", "refresh-cw", 61
    summary = "What was learnt from, and what came out"
    list_order = ("-pk",)
    filters = (Choice("state", "State", tuple(RunState.choices)),)
    columns = (
        Column(title="Training", cell=lambda r: Main(r.learner.capitalize(), r.public_id, mono=True)),
        Column(
            title="State",
            cell=lambda r: Badge(RunState(r.state).label, _RUN_TONES.get(r.state, "")),
            width="s",
        ),
        Column(title="Rows", cell=lambda r: f"{r.counts.get('rows', 0):,}", width="s", right=True, hide="s"),
        Column(
            title="Frauds", cell=lambda r: f"{r.counts.get('frauds', 0):,}", width="s", right=True, hide="s"
        ),
        Column(title="Asked for", cell=lambda r: When(r.created_at), width="m", right=True),
    )

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return what was asked for and how it ended."""
        del request
        facts: list[tuple[str, object]] = [
            ("From", When(obj.span_from)),
            ("To", When(obj.span_to)),
            ("Labels known by", When(obj.as_of)),
            ("Features", obj.feature_set),
            ("Rows digest", Code(obj.data_digest)),
            ("Failure", obj.failure),
            ("Finished", When(obj.finished_at)),
        ]
        return [facts_panel("Training", facts)]


@register(RuleVersion)
class RuleVersionAdmin(ModelAdmin):
    """Rules in all their versions."""

    path, title, group, icon, nav_order = "fraud-rules", "Fraud rules", "Control", "scale", 62
    summary = "What raises a decision whatever the model says"
    list_order = ("code", "-version", "pk")
    detail = False
    columns = (
        Column(title="Rule", cell=lambda r: Main(r.code, f"version {r.version}")),
        Column(title="Status", cell=lambda r: Badge(r.get_status_display()), width="m"),
        Column(title="Parameters", cell=lambda r: ", ".join(f"{k} = {v:g}" for k, v in r.parameters.items())),
        Column(title="Since", cell=lambda r: When(r.created_at), width="m", right=True),
    )
