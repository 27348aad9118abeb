"""Reads of cases, and the facts that a report is drafted from."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from compliance.choices_monitoring import OPEN_STATES, AlertStatus, CaseOutcome, CaseReason, Severity
from compliance.models.cases import Case, CaseEvent
from compliance.models.monitoring import Activity, Alert
from compliance.queries_monitoring import source_title
from flowlet.core.errors import NotFound
from flowlet.core.money import Money
from flowlet.identity.models import Customer


@dataclass(frozen=True, slots=True)
class AlertFact:
    """One alert of a case: which scenario, what it says, and over which time."""

    public_id: str
    scenario: str
    title: str
    sentence: str
    severity: str
    first_at: datetime
    latest_at: datetime
    usd_minor: int


@dataclass(frozen=True, slots=True)
class ActivityFact:
    """One movement in evidence; `usd_minor` is None where no rate was known."""

    transaction: str
    at: datetime
    side: str
    kind: str
    channel: str
    amount: Money
    usd_minor: int | None
    counterparty_name: str
    counterparty_key: str
    counterparty_country: str
    wallet: str


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """
    All that a report may say about a case.

    `totals` holds what came in and what went out in evidence by currency; movements are oldest first, none twice.
    """

    case: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    customer: Customer
    alerts: tuple[AlertFact, ...]
    activities: tuple[ActivityFact, ...]
    totals: Mapping[str, tuple[Money, Money]]
    first_at: datetime | None
    latest_at: datetime | None


def get_case(public_id: str) -> Case:
    """
    Return one case with its customer.

    :raises NotFound: if there is none of that id
    """
    rows = Case.objects.select_related("customer__partner", "assignee", "approval__maker")
    case = rows.filter(public_id=public_id).first()
    if case is None:
        raise NotFound
    return case


def list_open_cases() -> QuerySet[Case]:
    """Return what waits for a decision, first due first."""
    return Case.objects.filter(state__in=OPEN_STATES).order_by("due_at", "pk")


def list_alerts_of(case: Case) -> QuerySet[Alert]:
    """Return the alerts that a case answers, in the order they came."""
    return Alert.objects.filter(case_link__case=case).order_by("case_link__added_at", "pk")


def list_evidence_of(case: Case) -> QuerySet[Activity]:
    """Return the movements that a case's standing alerts rest on, oldest first, none twice."""
    # A subquery, not a join: a movement may be evidence of two alerts.
    standing = list_alerts_of(case).exclude(status=AlertStatus.DISMISSED).order_by()
    evidence = standing.values("evidence__activity_id")
    return (
        Activity.objects.filter(pk__in=evidence)
        .select_related("counterparty", "wallet", "transaction")
        .order_by("at", "pk")
    )


def list_events_of(case: Case) -> QuerySet[CaseEvent]:
    """Return the timeline, newest first."""
    return CaseEvent.objects.filter(case=case).select_related("actor").order_by("-at", "-pk")


def get_case_facts(case_public_id: str) -> CaseFacts:
    """
    Return what is known about a case; four queries.

    :raises NotFound: if there is none of that id
    """
    case = get_case(case_public_id)
    alerts = tuple(
        _alert_fact(alert) for alert in list_alerts_of(case) if alert.status != AlertStatus.DISMISSED
    )
    activities = tuple(_activity_fact(row) for row in list_evidence_of(case))
    return CaseFacts(
        case=case.public_id,
        state=case.state,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        customer=case.customer,
        alerts=alerts,
        activities=activities,
        totals=_totals(activities),
        first_at=activities[0].at if activities else None,
        latest_at=activities[-1].at if activities else None,
    )


def _alert_fact(alert: Alert) -> AlertFact:
    return AlertFact(
        public_id=alert.public_id,
        scenario=alert.source,
        title=source_title(alert.source),
        sentence=alert.reason,
        severity=alert.severity,
        first_at=alert.first_at,
        latest_at=alert.latest_at,
        usd_minor=alert.amount_minor,
    )


def _activity_fact(row: Activity) -> ActivityFact:
    return ActivityFact(
        transaction=row.transaction.public_id,
        at=row.at,
        side=row.side,
        kind=row.kind,
        channel=row.channel,
        amount=Money(row.amount_minor, row.currency),
        usd_minor=row.reporting_minor,
        counterparty_name=row.counterparty.name if row.counterparty else "",
        counterparty_key=row.counterparty_key,
        counterparty_country=row.counterparty_country,
        wallet=row.wallet.public_id,
    )


def _totals(activities: tuple[ActivityFact, ...]) -> Mapping[str, tuple[Money, Money]]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in activities:
        sums[one.amount.currency][one.side == "OUT"] += one.amount.minor
    return {code: (Money(came, code), Money(went, code)) for code, (came, went) in sorted(sums.items())}


def case_evidence(case_public_id: str) -> dict[str, object]:
    """
    Return what a second person is bound to: numbers and digests of alerts, movements and entries.

    No words of the alerts: requests lie outside the wall, and whoever checks one reads them on the case's page.

    :raises NotFound: if there is none of that id
    """
    case = get_case(case_public_id)
    alerts = list_alerts_of(case).exclude(status=AlertStatus.DISMISSED)
    sentences = [f"{alert.public_id} {alert.severity} {alert.reason}" for alert in alerts]
    movements = list_evidence_of(case).values_list("transaction__public_id", "side")
    lines = [f"{key} {side}" for key, side in movements]
    return {
        "alerts": len(sentences),
        "alerts_digest": _digest(sentences),
        "movements": len(lines),
        "movements_digest": _digest(lines),
        "entries_of_people": CaseEvent.objects.filter(case=case, actor__isnull=False).count(),
        "severity": Severity(case.severity).label,
    }


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def outcome_text(case: Case) -> str:
    """Return outcome and reason in words, '' while nothing is proposed."""
    if not case.proposed_outcome:
        return ""
    return f"{CaseOutcome(case.proposed_outcome).label}: {CaseReason(case.proposed_reason).label.lower()}"
