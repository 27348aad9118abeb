"""Fraud decisions in the back office: what was decided about each payment and card, and why."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest

from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Code, Main, Tone, When, words
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.lists import Column
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.site import register
from flowlet.backoffice.timeline import say
from flowlet.core.money import Money
from fraud.choices import Action, Degraded, Product
from fraud.features.definitions import FEATURES
from fraud.models import Decision, ModelScore, RuleHit, RuleVersion
from fraud.rules.registry import RULES

_ACTION_TONES: dict[str, Tone] = {
    Action.ALLOW: "ok",
    Action.STEP_UP: "info",
    Action.REVIEW: "warn",
    Action.DECLINE: "bad",
}


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def subject_of(decision: Decision) -> str:
    """Return what was decided on, in words."""
    return "Card payment" if decision.product == Product.CARD else "Payment"


def _ladder(decision: Decision) -> str:
    return ", ".join(Degraded(rung).label for rung in decision.degraded)


def rule_title(version: RuleVersion) -> str:
    """Return the rule in words; its code when the release no longer has it."""
    return RULES.get(version.code).title if version.code in RULES else version.code


def values_text(values: Mapping[str, float | str]) -> str:
    """Return what a rule saw, in words."""
    return ", ".join(
        f"{_seen_title(name)}: {value if isinstance(value, str) else format(value, ',g')}"
        for name, value in values.items()
    )


def _seen_title(name: str) -> str:
    return FEATURES.get(name).title if name in FEATURES else words(name)


# What a rule is set to; amounts are minor units of the house's own currency.
_SETTINGS: dict[str, Callable[[float], str]] = {
    "age_days_max": lambda value: f"account up to {value:g} days old",
    "amount_minor_min": lambda value: f"from {value / 100:,.2f} in the house's currency",
    "days_max": lambda value: f"within {value:g} days of the change",
    "payers_min": lambda value: f"from {value:g} payers",
    "percentile_min": lambda value: f"more unusual than {value:.1%} of movements",
    "repeats_min": lambda value: f"from {value:g} times",
    "share_min": lambda value: f"from {value:.0%} of the balance",
    "small_count_min": lambda value: f"from {value:g} small amounts",
}


def settings_text(parameters: Mapping[str, float]) -> str:
    """Return what a rule is set to, in words."""
    told = ", ".join(
        _SETTINGS[name](value) if name in _SETTINGS else f"{words(name).lower()} {value:,g}"
        for name, value in parameters.items()
    )
    return told[:1].upper() + told[1:]


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
        Column(title="Decided on", cell=lambda d: Main(subject_of(d), d.source_id, mono=True)),
        Column(title="Action", cell=lambda d: _action_badge(d.action), width="m"),
        Column(title="Probability", cell=lambda d: _percent(d.probability), width="s", right=True),
        Column(
            title="Amount", cell=lambda d: Amount(Money(d.amount_minor, d.currency)), width="m", right=True
        ),
        Column(title="Judged with less", cell=_ladder, width="l", hide="m"),
        Column(title="Time", cell=lambda d: When(d.decided_at), width="m", right=True, hide="s"),
    )

    def object_title(self, obj: Any) -> str:
        """Return what was decided on."""
        return f"{subject_of(obj)}, {Money(obj.amount_minor, obj.currency).format()}"

    def object_summary(self, obj: Any) -> str:
        """Return the ids of what was decided on and of the decision."""
        return f"{obj.source_id} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the action, and each rung of the ladder it stood on."""
        return [
            _action_badge(obj.action),
            *(Badge(Degraded(rung).label, "warn") for rung in obj.degraded),
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
        Column(
            title="Rule",
            cell=lambda h: Main(rule_title(h.rule_version), f"Version {h.rule_version.version}"),
        ),
        Column(title="Saw", cell=lambda h: values_text(h.values), hide="s"),
        Column(title="Asks for", cell=lambda h: _action_badge(h.action), width="m"),
        Column(title="Counts", cell=lambda h: "Yes" if h.live else "No, on trial", width="s"),
    )
    return table_panel(
        "Rules that spoke up",
        columns=columns,
        rows=list(hits),
        empty=("No rule spoke up", "None of the rules saw its pattern in this payment."),
        empty_icon="circle-check",
    )


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
        "What each model said",
        columns=columns,
        rows=list(scores),
        empty=("No model scored", "None was in service when this was decided."),
    )


def _decision_panel(decision: Decision) -> Panel:
    facts: list[tuple[str, object]] = [
        ("Probability of fraud", _percent(decision.probability)),
        ("Amount", Amount(Money(decision.amount_minor, decision.currency))),
        ("Customer", Code(decision.customer)),
        ("Product", decision.get_product_display()),
        ("Model", str(decision.model or "")),
        ("Policy", f"Version {decision.policy.version}" if decision.policy else ""),
        ("Took", f"{decision.elapsed_us / 1000:.1f} ms"),
        ("Decided", When(decision.decided_at)),
    ]
    return facts_panel("Decision", facts, side=True)


say("fraud_label.record", "What became of it recorded", "flag")
say("fraud_history.import", "Past of the fraud check imported", "database")
say("fraud_model.train", "Model training asked for", "refresh-cw", refused="Model training failed")
say("fraud_model.trained", "Model trained", "database", "ok")
say("fraud_model.move", "Standing of a model changed", "database", "info")
