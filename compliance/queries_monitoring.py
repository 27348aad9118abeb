"""Reads of monitoring."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from compliance.choices_monitoring import Channel, ScenarioStatus
from compliance.models.monitoring import Activity, Alert, ScenarioVersion
from compliance.scenario_base import SCENARIOS, Move, Parameters, Scenario, Watched, read
from flowlet.core.errors import NotFound
from flowlet.identity.choices import CustomerKind
from flowlet.identity.models import Customer


@dataclass(frozen=True, slots=True)
class LiveScenario:
    """A scenario with the version that is in force."""

    code: str
    scenario: Scenario
    version: ScenarioVersion
    parameters: Parameters


def live_scenarios() -> list[LiveScenario]:
    """Return what is in force, by code; a version whose code this release no longer has is left out."""
    rows = ScenarioVersion.objects.filter(status=ScenarioStatus.LIVE).order_by("scenario")
    return [
        LiveScenario(row.scenario, scenario, row, read(scenario, row.parameters))
        for row in rows
        if row.scenario in SCENARIOS
        for scenario in (SCENARIOS.get(row.scenario),)
    ]


def standing_activities() -> QuerySet[Activity]:
    """Return the movements that count: no reversal, and not reversed."""
    undone = Activity.objects.filter(reverses_id=OuterRef("transaction_id"))
    return Activity.objects.filter(~Exists(undone), reverses__isnull=True)


def watched_customers(customer_ids: Sequence[int]) -> dict[int, Watched]:
    """Return what scenarios see of some customers; two queries."""
    moves = _moves(customer_ids)
    customers = Customer.objects.filter(pk__in=customer_ids).order_by("pk")
    return {
        customer.pk: Watched(
            business=customer.kind == CustomerKind.BUSINESS,
            home=frozenset(code for code in (customer.country, customer.nationality) if code),
            since=customer.created_at,
            moves=tuple(moves.get(customer.pk, ())),
        )
        for customer in customers
    }


def _moves(customer_ids: Sequence[int]) -> Mapping[int, list[Move]]:
    columns = (
        *("customer_id", "id", "transaction__public_id", "at", "side", "channel", "reporting_minor"),
        *("counterparty_key", "counterparty_country", "counterparty_id"),
    )
    rows = (
        standing_activities()
        .filter(customer_id__in=customer_ids, reporting_minor__gt=0)
        .order_by("customer_id", "at", "transaction__public_id", "side")
    )
    found: dict[int, list[Move]] = defaultdict(list)
    for customer_id, *values, key, country, other in rows.values_list(*columns).iterator():
        number, txn, at, side, channel, minor = values
        own = other == customer_id or (channel == Channel.BANK and other is None)
        found[customer_id].append(Move(number, txn, at, side, channel, minor, key, country, own))
    return found


def get_alert(public_id: str) -> Alert:
    """
    Return one alert.

    :raises NotFound: if there is none of that id
    """
    alert = Alert.objects.select_related("customer").filter(public_id=public_id).first()
    if alert is None:
        raise NotFound
    return alert


def source_title(code: str) -> str:
    """Return the scenario's title; other sources (fraud) read as their name."""
    return SCENARIOS.get(code).title if code in SCENARIOS else code.replace("_", " ").capitalize()
