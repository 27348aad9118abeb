"""The button that proposes other parameters: one for each scenario, with its own bounded fields."""

from collections.abc import Sequence
from dataclasses import fields

from django import forms

from compliance.choices_monitoring import ScenarioStatus
from compliance.models.monitoring import ScenarioVersion
from compliance.operations.monitoring_versions import propose_version
from compliance.queries_monitoring import source_title
from compliance.scenario_base import SCENARIOS, Scenario
from flowlet.backoffice.actions import ActionCall, action
from flowlet.backoffice.cells import words

_REASONS: Sequence[tuple[str, str]] = (
    ("TOO_MANY_ALERTS", "Too many alerts about everyday money"),
    ("MISSED_PATTERN", "A pattern was missed"),
    ("LAW_CHANGED", "Law or guidance has changed"),
    ("ROLL_BACK", "Back to earlier parameters"),
)


def form_for(scenario: Scenario) -> type[forms.Form]:
    """Return a form with one optional field for each parameter of a scenario; empty keeps the value in force."""
    made = {
        one.name: forms.IntegerField(
            label=words(one.name),
            required=False,
            min_value=one.metadata["low"],
            max_value=one.metadata["high"],
            help_text=f"{one.metadata['says']} {one.metadata['low']:,} to {one.metadata['high']:,} {one.metadata['unit']}.",
            widget=forms.NumberInput(attrs={"class": "input"}),
        )
        for one in fields(scenario.parameters)
    }
    return type("ParameterForm", (forms.Form,), made)


def _propose(call: ActionCall, version: ScenarioVersion) -> None:
    propose_version(
        scenario=version.scenario,
        parameters={name: value for name, value in call.data.items() if value is not None},
        user_id=call.person.user.pk,
        reason_code=call.reason,
        note=call.note,
        now=call.now,
    )


def _offer(code: str, scenario: Scenario) -> None:
    action(
        name=f"scenario.propose_{code}",
        model=ScenarioVersion,
        permission="compliance.propose_scenario",
        label="Propose change",
        title=f"Change “{source_title(code)}”?",
        text="Fill in what should change. A second person must approve; then every customer is looked at again.",
        reasons=_REASONS,
        note="required",
        form=form_for(scenario),
        available=lambda version: version.scenario == code and version.status == ScenarioStatus.LIVE,
        icon="settings",
        done="Proposed; a second person must approve.",
    )(_propose)


for _code, _scenario in SCENARIOS.items():
    _offer(_code, _scenario)
