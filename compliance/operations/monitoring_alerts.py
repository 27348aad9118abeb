"""Alerts: what scenarios find is brought into the rows, so that any split of the stream ends in the same alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from compliance.choices_monitoring import CLOSED_STATES, AlertStatus, DismissReason
from compliance.models.cases import CaseAlert
from compliance.models.monitoring import Alert, AlertEvidence
from compliance.operations import cases
from compliance.queries_monitoring import LiveScenario
from compliance.scenario_base import Episode
from flowlet.audit import trail
from flowlet.identity.models import Customer


@dataclass(slots=True)
class Known:
    """An alert as it stands in the tables, with the ids of its evidence."""

    alert: Alert
    evidence: set[int]
    decided: bool


@dataclass(slots=True)
class Changes:
    """What came out of looking at one or more customers."""

    new: int = 0
    grown: int = 0
    gone: int = 0
    touched: list[Alert] = field(default_factory=list)


def known_alerts(customer_ids: Sequence[int]) -> dict[tuple[int, str], list[Known]]:
    """Return the alerts of scenarios by (customer, scenario), oldest first, without those that were dropped."""
    rows = (
        Alert.objects.filter(customer_id__in=customer_ids, scenario_version__isnull=False)
        .exclude(status=AlertStatus.DISMISSED)
        .order_by("first_at", "pk")
    )
    alerts = {row.pk: row for row in rows}
    evidence: dict[int, set[int]] = {pk: set() for pk in alerts}
    for alert_id, activity_id in AlertEvidence.objects.filter(alert_id__in=alerts).values_list(
        "alert_id", "activity_id"
    ):
        evidence[alert_id].add(activity_id)
    closed = CaseAlert.objects.filter(alert_id__in=alerts, case__state__in=CLOSED_STATES)
    decided = set(closed.values_list("alert_id", flat=True))
    found: dict[tuple[int, str], list[Known]] = {}
    for row in alerts.values():
        found.setdefault((row.customer_id, row.source), []).append(
            Known(row, evidence[row.pk], row.pk in decided)
        )
    return found


def reconcile(
    *,
    customer: Customer,
    live: LiveScenario,
    found: Sequence[Episode],
    known: Sequence[Known],
    now: datetime,
    changes: Changes,
) -> None:
    """
    Make the open alerts of one customer and scenario equal to the episodes found; what people decided stays.

    An episode takes the oldest open alert whose movements all belong to it; further ones that it joins are merged
    into that. Evidence is only ever added: an alert that rests on more than its episode gives way to a new one.
    Movements that came after a decision on the same episode open an alert that follows the decided one.
    """
    decided = {activity for one in known if one.decided for activity in one.evidence}
    free = [one for one in known if not one.decided]
    matches: list[tuple[Episode, Known | None]] = []
    for episode in found:
        ids = {move.id for move in episode.moves}
        mine = [one for one in free if one.evidence <= ids]
        free = [one for one in free if not one.evidence <= ids]
        for other in mine[1:]:
            _drop(other.alert, DismissReason.MERGED, now, changes)
        matches.append((episode, mine[0] if mine else None))
    # Before anything is opened: a dropped alert gives its name up.
    for one in free:
        _drop(one.alert, DismissReason.GONE, now, changes)
    for episode, match in matches:
        fresh = Episode(tuple(move for move in episode.moves if move.id not in decided))
        if match is not None and fresh.moves:
            _grow(match, fresh, live, now, changes)
        elif fresh.moves:
            _open(customer, live, fresh, _decided_before(episode, known), now, changes)


def _decided_before(episode: Episode, known: Sequence[Known]) -> Alert | None:
    """Return the alert on the same episode that people decided, if there is one."""
    ids = {move.id for move in episode.moves}
    return next((one.alert for one in known if one.decided and one.evidence & ids), None)


def episode_key(source: str, customer: Customer, episode: Episode) -> str:
    """Return what names an episode: it depends on rows only, not on when or how they came."""
    return f"{source}:{customer.public_id}:{episode.first.key}"


def _open(
    customer: Customer,
    live: LiveScenario,
    episode: Episode,
    follows: Alert | None,
    now: datetime,
    changes: Changes,
) -> None:
    alert = Alert.objects.create(
        **_content(live, episode),
        episode_key=episode_key(live.code, customer, episode),
        customer=customer,
        source=live.code,
        severity=live.scenario.severity,
        follows=follows,
        raised_at=now,
    )
    _add_evidence(alert, episode, set())
    trail.record(
        action="alert.raise",
        object_type="alert",
        object_id=alert.public_id,
        changes={"scenario": [None, live.code], "version": [None, live.version.public_id]},
    )
    changes.new += 1
    cases.put_alert(alert=alert, now=now)


def _grow(known: Known, episode: Episode, live: LiveScenario, now: datetime, changes: Changes) -> None:
    alert, before = known.alert, known.alert.reason
    added = _add_evidence(alert, episode, known.evidence)
    key = episode_key(live.code, alert.customer, episode)
    if not added and (alert.episode_key, alert.reason) == (
        key,
        live.scenario.sentence(episode.moves, live.parameters),
    ):
        return
    _update(alert, live, episode, episode_key=key)
    if added or before != alert.reason:
        changes.grown += 1
        cases.note_growth(alert=alert, added=added, now=now)


def _content(live: LiveScenario, episode: Episode) -> dict[str, object]:
    return {
        "scenario_version": live.version,
        "reason": live.scenario.sentence(episode.moves, live.parameters),
        "first_at": episode.first.at,
        "latest_at": episode.latest_at,
        "amount_minor": episode.amount_minor,
    }


def _update(alert: Alert, live: LiveScenario, episode: Episode, **more: object) -> None:
    values = {**_content(live, episode), **more}
    for name, value in values.items():
        setattr(alert, name, value)
    alert.save(update_fields=list(values))


def _add_evidence(alert: Alert, episode: Episode, known: set[int]) -> int:
    rows = [AlertEvidence(alert=alert, activity_id=move.id) for move in episode.moves if move.id not in known]
    AlertEvidence.objects.bulk_create(rows)
    return len(rows)


def _drop(alert: Alert, reason: DismissReason, now: datetime, changes: Changes) -> None:
    alert.status, alert.dismiss_reason = AlertStatus.DISMISSED, reason
    alert.episode_key = f"{alert.episode_key}:{alert.public_id}"
    alert.save(update_fields=["status", "dismiss_reason", "episode_key"])
    trail.record(
        action="alert.drop",
        object_type="alert",
        object_id=alert.public_id,
        reason_code=reason,
    )
    changes.gone += 1
    cases.note_drop(alert=alert, now=now)
