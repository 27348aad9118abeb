"""Alerts and scenarios: what was raised and on what, how each scenario is set, and how its latest runs went."""

from dataclasses import fields
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from compliance.admin_cases import dollars_cell, other_side, severity_badge, signed_amount
from compliance.choices_monitoring import AlertStatus, ScenarioStatus, Severity
from compliance.models.monitoring import Activity, Alert, ScenarioRun, ScenarioVersion
from compliance.operations.cases_deciding import case_href
from compliance.queries_monitoring import source_title
from compliance.rates import SOURCE
from compliance.scenario_base import SCENARIOS, dollars
from flowlet.backoffice.admin import ModelAdmin
from flowlet.backoffice.cells import Amount, Badge, Link, Main, Tone, When, words
from flowlet.backoffice.filters import Choice, DateSpan
from flowlet.backoffice.frame import Button
from flowlet.backoffice.lists import Column, View
from flowlet.backoffice.models import ApprovalStatus
from flowlet.backoffice.pages.approvals import approval_href
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import person_of
from flowlet.backoffice.site import register
from flowlet.core.money import Money

_ALERT_TONES: dict[str, Tone] = {AlertStatus.NEW: "info", AlertStatus.IN_CASE: "wait"}
_VERSION_TONES: dict[str, Tone] = {ScenarioStatus.LIVE: "ok", ScenarioStatus.DRAFT: "wait"}
_RUNS_SHOWN = 10


def _alert_badge(alert: Alert) -> Badge:
    return Badge(alert.get_status_display(), _ALERT_TONES.get(alert.status, ""))


@register(Alert)
class AlertAdmin(ModelAdmin):
    """What monitoring and fraud raised, newest first."""

    path, title, group, icon, nav_order = "alerts", "Alerts", "Compliance", "flag", 14
    summary = "What scenarios found; each is answered by a case"
    related = ("customer__partner",)
    list_order = ("-raised_at", "-pk")
    search_by = ("public_id", "customer__public_id", "customer__name__icontains")
    search_hint = "Customer, or alr_ id"
    views = (
        View(key="standing", title="Standing", condition=~Q(status=AlertStatus.DISMISSED)),
        View(key="dropped", title="Dropped", condition=Q(status=AlertStatus.DISMISSED), counted=False),
        View(key="all", title="All", counted=False),
    )
    filters = (
        Choice(
            "scenario",
            "Scenario",
            tuple((code, one.title) for code, one in SCENARIOS.items()),
            lookup="source",
        ),
        Choice("severity", "Severity", tuple(Severity.choices)),
        DateSpan("raised", "Raised", lookup="raised_at"),
    )
    columns = (
        Column(title="Customer", cell=lambda alert: Main(alert.customer.name, alert.public_id, mono=True)),
        Column(title="Scenario", cell=lambda alert: source_title(alert.source), width="xl"),
        Column(title="Severity", cell=lambda alert: severity_badge(alert.severity), width="s"),
        Column(
            title="Amount",
            cell=lambda alert: Amount(Money(alert.amount_minor, "USD")),
            width="m",
            right=True,
            hide="s",
        ),
        Column(title="State", cell=_alert_badge, width="m"),
        Column(title="Raised", cell=lambda alert: When(alert.raised_at), width="m", right=True, hide="m"),
    )
    empty = ("No alerts", "Scenarios look at new movements every five minutes.")

    def object_title(self, obj: Any) -> str:
        """Return what was found."""
        return source_title(obj.source)

    def object_summary(self, obj: Any) -> str:
        """Return whom it is about, and the id."""
        return f"{obj.customer.name} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the state and the severity."""
        return [_alert_badge(obj), severity_badge(obj.severity)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the case."""
        link = getattr(obj, "case_link", None)
        may = person_of(request).may("compliance.view_case")
        return (
            [Button(label="Case", href=case_href(link.case.public_id), icon="briefcase")]
            if link and may
            else []
        )

    def find(self, request: HttpRequest, object_id: str) -> Any:
        """Return the alert with its case."""
        self_related = super().find(request, object_id)
        return (
            Alert.objects.select_related("customer__partner", "scenario_version", "case_link__case")
            .filter(pk=self_related.pk)
            .get()
        )

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the sentence, the movements, and where it comes from."""
        del request
        return [
            facts_panel("What was found", [(source_title(obj.source), obj.reason)]),
            _evidence_panel(obj),
            _origin_panel(obj),
        ]


def _evidence_panel(alert: Alert) -> Panel:
    ids = alert.evidence.values("activity_id")
    rows = Activity.objects.filter(pk__in=ids).select_related("counterparty").order_by("at", "pk")[:200]
    return table_panel(
        "Movements in evidence",
        columns=(
            Column(title="When", cell=lambda row: When(row.at), width="m"),
            Column(title="Other side", cell=other_side),
            Column(title="Amount", cell=signed_amount, width="m", right=True),
            Column(title="US dollars", cell=dollars_cell, width="m", right=True, hide="m"),
        ),
        rows=list(rows),
        empty=("No movements", "This alert was raised by hand or by fraud."),
        note=SOURCE,
    )


def _origin_panel(alert: Alert) -> Panel:
    version = alert.scenario_version
    return facts_panel(
        "Origin",
        [
            (
                "Scenario",
                Link(f"{source_title(version.scenario)}, version {version.number}", _version_href(version))
                if version
                else words(alert.source),
            ),
            ("First movement", When(alert.first_at)),
            ("Latest movement", When(alert.latest_at)),
            ("Raised", When(alert.raised_at)),
            ("Dropped because", alert.get_dismiss_reason_display()),
        ],
        side=True,
    )


def _version_href(version: ScenarioVersion) -> str:
    return reverse("admin:compliance_scenarioversion_change", args=[version.public_id])


def _version_badge(version: ScenarioVersion) -> Badge:
    return Badge(version.get_status_display(), _VERSION_TONES.get(version.status, ""))


def _scenario_cell(version: ScenarioVersion) -> Main:
    summary = SCENARIOS.get(version.scenario).summary if version.scenario in SCENARIOS else "No longer known"
    return Main(source_title(version.scenario), summary)


@register(ScenarioVersion)
class ScenarioAdmin(ModelAdmin):
    """Scenarios with their parameters, those in force first."""

    path, title, group, icon, nav_order = "scenarios", "Scenarios", "Compliance", "activity", 40
    summary = "What monitoring looks for; other parameters go in force when a second person approves"
    related = ("approval",)
    list_order = ("scenario", "-number")
    views = (
        View(key="live", title="In force", condition=Q(status=ScenarioStatus.LIVE)),
        View(key="draft", title="Drafts", condition=Q(status=ScenarioStatus.DRAFT)),
        View(key="all", title="All", counted=False),
    )
    columns = (
        Column(title="Scenario", cell=_scenario_cell),
        Column(title="Version", cell=lambda version: f"v{version.number}", width="s"),
        Column(title="Status", cell=_version_badge, width="s"),
        Column(
            title="In force since",
            cell=lambda version: When(version.live_at),
            width="m",
            right=True,
            hide="s",
        ),
    )
    empty = ("No drafts", "Propose other parameters on the page of a scenario in force.")

    def object_title(self, obj: Any) -> str:
        """Return the scenario's title."""
        return source_title(obj.scenario)

    def object_summary(self, obj: Any) -> str:
        """Return version and id."""
        return f"Version {obj.number} · {obj.public_id}"

    def badges(self, obj: Any) -> list[object]:
        """Return the status."""
        return [_version_badge(obj)]

    def buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """Return the way to the request that waits."""
        pending = obj.approval is not None and obj.approval.status == ApprovalStatus.PENDING
        may = person_of(request).may("backoffice.view_approval")
        return (
            [Button(label="Approval", href=approval_href(obj.approval), icon="users")]
            if pending and may
            else []
        )

    def panels(self, request: HttpRequest, obj: Any) -> list[Panel]:
        """Return the parameters explained, the latest runs, and where the version comes from."""
        del request
        return [_parameters_panel(obj), _runs_panel(obj), _about_panel(obj)]


def _parameters_panel(version: ScenarioVersion) -> Panel:
    known = fields(SCENARIOS.get(version.scenario).parameters) if version.scenario in SCENARIOS else ()
    return facts_panel(
        "Parameters",
        [(words(one.name), _explained(one, version.parameters.get(one.name, one.default))) for one in known],
    )


def _explained(one: Any, value: int) -> str:
    """Return a parameter's value, what it does, and its bounds, in plain sentences."""
    unit, low, high = (one.metadata[name] for name in ("unit", "low", "high"))
    bounds = f"{dollars(low)} to {dollars(high)}" if unit == "US cents" else f"{low:,} to {high:,} {unit}"
    return f"{_quantity(value, unit)}. {one.metadata['says']} It may be {bounds}."


def _quantity(value: int, unit: str) -> str:
    return dollars(value) if unit == "US cents" else f"{value:,} {unit}"


def _runs_panel(version: ScenarioVersion) -> Panel:
    runs = ScenarioRun.objects.filter(versions__contains=[version.public_id]).order_by("-started_at", "-pk")
    return table_panel(
        "Latest runs of all scenarios",
        columns=(
            Column(title="Started", cell=lambda run: When(run.started_at), width="m"),
            Column(title="Customers", cell=lambda run: f"{run.customers:,}", right=True),
            Column(title="Movements", cell=lambda run: f"{run.activities:,}", right=True),
            Column(title="Without a rate", cell=lambda run: f"{run.unpriced:,}", right=True, hide="m"),
            Column(title="New alerts", cell=lambda run: f"{run.alerts_new:,}", right=True),
            Column(title="Took", cell=lambda run: f"{run.elapsed_ms:,} ms", right=True, hide="s"),
        ),
        rows=list(runs[:_RUNS_SHOWN]),
        empty=("No run yet", "Monitoring runs every five minutes when something moved."),
    )


def _about_panel(version: ScenarioVersion) -> Panel:
    about: list[tuple[str, object]] = []
    if version.scenario in SCENARIOS:
        scenario = SCENARIOS.get(version.scenario)
        about = [
            ("Looks for", scenario.summary),
            ("Source", scenario.source),
            ("Severity", severity_badge(scenario.severity)),
            ("One episode", f"Findings less than {scenario.gap_days} days apart"),
        ]
    return facts_panel(
        "About",
        [
            *about,
            ("Made by", version.made_by),
            ("Why", version.reason),
            ("In force since", When(version.live_at)),
            ("Until", When(version.retired_at)),
        ],
        side=True,
    )
