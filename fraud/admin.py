"""Fraud in the back office: models with metrics, promotion and roll-back, trainings, rules; decisions next door."""

from typing import Any

from django.http import HttpRequest

from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Badge, Code, Main, Tone, When
from flowlet.backoffice.charts import Series, bars
from flowlet.backoffice.filters import Choice, Text
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from fraud.admin_decisions import rule_title, settings_text
from fraud.choices import ModelStatus, RunState, VersionStatus
from fraud.models import GateRun, ModelArtefact, RuleVersion, TrainingRun
from fraud.operations import modelling
from fraud.operations.crowning import ask_for_champion, may_be_crowned

_MODEL_TONES: dict[str, Tone] = {
    ModelStatus.CHAMPION: "ok",
    ModelStatus.CHALLENGER: "info",
    ModelStatus.SHADOW: "wait",
}
_RUN_TONES: dict[str, Tone] = {RunState.DONE: "ok", RunState.FAILED: "bad", RunState.RUNNING: "info"}
_RULE_TONES: dict[str, Tone] = {VersionStatus.LIVE: "ok", VersionStatus.SHADOW: "wait"}
_ROLL_BACK_REASONS = (
    ("FALSE_ALARMS", "Too many good customers stopped"),
    ("MISSED_FRAUD", "Fraud passes that was caught before"),
    ("DRIFT", "The population has changed"),
    ("FAULT", "The model is faulty"),
)
_CROWN_REASONS = (
    ("BETTER", "It ranks better than the champion"),
    ("FRESHER", "It knows newer fraud"),
    ("FIRST", "There is no champion yet"),
)
_PROMOTE_REASONS = (
    ("COMPARE", "To be compared with the champion"),
    ("SECOND_OPINION", "Rules use its score"),
)


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
    empty = (
        "No model yet",
        "Train again… on the page of a finished training starts one.",
    )

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
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


@action(
    name="crown-model",
    model=ModelArtefact,
    permission="fraud.promote_model",
    label="Ask to let it decide",
    title=lambda model: f"Ask a colleague to let {model.public_id} decide?",
    text="A second person sees its gate and figures. When they agree, it scores and decides every payment and card.",
    reasons=_CROWN_REASONS,
    note="required",
    available=may_be_crowned,
    done="The request waits for a second person.",
    primary=True,
    icon="user-round-check",
)
def _crown(call: ActionCall, model: ModelArtefact) -> None:
    ask_for_champion(
        artefact_id=model.pk,
        maker_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


@register(TrainingRun)
class TrainingRunAdmin(ModelAdmin):
    """Trainings, newest first."""

    path, title, group, icon, nav_order = "fraud-trainings", "Fraud trainings", "Control", "refresh-cw", 61
    summary = "What was learnt from, and what came out"
    list_order = ("-pk",)
    filters = (Choice("state", "State", tuple(RunState.choices)),)
    empty = ("No training yet", "The training worker writes here what it learnt from and what came out.")
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


@action(
    name="train-again",
    model=TrainingRun,
    permission="fraud.train_model",
    label="Train again",
    title=lambda run: f"Train another {run.learner} model with the labels known today?",
    text="It starts within a minute. The new model is a candidate and decides nothing.",
    reason=False,
    available=lambda run: run.state in (RunState.DONE, RunState.FAILED),
    done="The training waits and starts within a minute.",
    icon="refresh-cw",
)
def _train_again(call: ActionCall, run: TrainingRun) -> None:
    modelling.train(
        learner=run.learner,
        stream=run.stream,
        feature_set=run.feature_set,
        parameters=run.parameters,
        now=call.now,
    )


@register(RuleVersion)
class RuleVersionAdmin(ModelAdmin):
    """Rules in all their versions."""

    path, title, group, icon, nav_order = "fraud-rules", "Fraud rules", "Control", "scale", 62
    summary = "What raises a decision whatever the model says"
    list_order = ("code", "-version", "pk")
    detail = False
    columns = (
        Column(title="Rule", cell=lambda r: Main(rule_title(r), f"Version {r.version}")),
        Column(
            title="Status",
            cell=lambda r: Badge(r.get_status_display(), _RULE_TONES.get(r.status, "")),
            width="m",
        ),
        Column(
            title="Parameters",
            cell=lambda r: settings_text(r.parameters),
        ),
        Column(title="Since", cell=lambda r: When(r.created_at), width="m", right=True),
    )
