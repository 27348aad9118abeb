"""Versions of scenarios: the first of each comes with the release, every other one is approved by a second person."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max
from django.urls import reverse

from compliance.choices_monitoring import ScenarioStatus
from compliance.errors_monitoring import NothingChanged, VersionNotDraft
from compliance.models.monitoring import ScenarioVersion
from compliance.scenario_base import SCENARIOS, defaults, read
from flowlet.audit import trail
from flowlet.backoffice.approvals.operations import request_approval
from flowlet.backoffice.approvals.registry import APPROVALS, ApprovalKind
from flowlet.backoffice.models import Approval
from flowlet.core.errors import NotFound
from flowlet.core.locks import lock
from flowlet.identity.models import User

ACTION = "compliance.activate_scenario"


def install_scenarios(*, now: datetime) -> None:
    """Put version 1 of every scenario that this release brings in force, unless a version is there; safe to repeat."""
    ScenarioVersion.objects.bulk_create(
        [
            ScenarioVersion(
                scenario=code,
                number=1,
                status=ScenarioStatus.LIVE,
                parameters=defaults(scenario),
                reason="Delivered with the release",
                made_by="Release",
                made_at=now,
                live_at=now,
            )
            for code, scenario in SCENARIOS.items()
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def propose_version(
    *,
    scenario: str,
    parameters: Mapping[str, int],
    user_id: int,
    reason_code: str,
    note: str,
    now: datetime,
) -> ScenarioVersion:
    """
    Draft other parameters for a scenario and ask a second person to put them in force.

    What is not named keeps its value in force.

    :raises NotFound: if no version of that scenario is in force
    :raises ParameterOutOfBounds: if a value is no whole number within its bounds
    :raises NothingChanged: if all values are those in force
    :raises NotYourApproval: if the person may not propose
    """
    # Proposals for one scenario come one after the other: the number counts on.
    live = lock(ScenarioVersion.objects.filter(scenario=scenario, status=ScenarioStatus.LIVE)).first()
    if live is None:
        raise NotFound
    values = asdict(read(SCENARIOS.get(scenario), {**live.parameters, **parameters}))
    if values == live.parameters:
        raise NothingChanged
    newest = ScenarioVersion.objects.filter(scenario=scenario).aggregate(number=Max("number"))["number"]
    user = User.objects.get(pk=user_id)
    version = ScenarioVersion.objects.create(
        scenario=scenario,
        number=newest + 1,
        parameters=values,
        reason=note[:200],
        made_by=user.full_name or user.email,
        made_at=now,
    )
    version.approval = request_approval(
        action=ACTION,
        object_type="scenario_version",
        object_id=version.public_id,
        payload={name: value for name, value in values.items() if value != live.parameters.get(name)},
        maker_id=user_id,
        reason_code=reason_code,
        note=note,
        now=now,
    )
    version.save(update_fields=["approval"])
    trail.record(
        action="scenario.propose",
        object_type="scenario_version",
        object_id=version.public_id,
        changes={name: [live.parameters.get(name), value] for name, value in values.items()},
        reason_code=reason_code,
        note=note,
    )
    return version


def activate_version(*, approval: Approval, now: datetime) -> ScenarioVersion:
    """
    Put an approved draft in force, retire the version before it, and mark everybody for another look.

    :raises VersionNotDraft: if it is in force or retired already
    """
    row = ScenarioVersion.objects.get(public_id=approval.object_id)
    versions = {one.pk: one for one in lock(ScenarioVersion.objects.filter(scenario=row.scenario))}
    version = versions[row.pk]
    if version.status != ScenarioStatus.DRAFT:
        raise VersionNotDraft
    for earlier in versions.values():
        if earlier.status == ScenarioStatus.LIVE:
            earlier.status, earlier.retired_at = ScenarioStatus.RETIRED, now
            earlier.save(update_fields=["status", "retired_at"])
    version.status, version.live_at = ScenarioStatus.LIVE, now
    version.save(update_fields=["status", "live_at"])
    mark_everybody()
    trail.record(
        action="scenario.activate",
        object_type="scenario_version",
        object_id=version.public_id,
        changes={"status": [ScenarioStatus.DRAFT, version.status]},
        reason_code=approval.reason_code,
    )
    return version


def mark_everybody() -> int:
    """Ask for another look at every customer who moved money; return how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO compliance_dirtywindow (customer_id, from_at) "
            "SELECT customer_id, min(at) FROM compliance_activity GROUP BY customer_id"
        )
        return int(cursor.rowcount)


def _evidence(object_id: str) -> Mapping[str, object]:
    version = ScenarioVersion.objects.get(public_id=object_id)
    live = ScenarioVersion.objects.filter(scenario=version.scenario, status=ScenarioStatus.LIVE).first()
    before = live.parameters if live else {}
    return {
        "scenario": SCENARIOS.get(version.scenario).title,
        "replaces": live.public_id if live else "",
        "parameters": [
            f"{name.replace('_', ' ')}: {before.get(name, 'none')} → {value}"
            for name, value in sorted(version.parameters.items())
            if before.get(name) != value
        ],
    }


def _execute(approval: Approval, now: datetime) -> object:
    return activate_version(approval=approval, now=now)


def version_href(object_id: str) -> str:
    """Return the address of a version's page."""
    return reverse("admin:compliance_scenarioversion_change", args=[object_id])


APPROVALS.register(ACTION)(
    ApprovalKind(
        title="Change the parameters of a scenario",
        permission="compliance.approve_scenario",
        maker_permission="compliance.propose_scenario",
        evidence=_evidence,
        execute=_execute,
        object_href=version_href,
        hours=72,
    )
)
