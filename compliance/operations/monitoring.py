"""Running the scenarios over what is new, and alerts that other rooms raise."""

import time
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from compliance.choices_monitoring import Severity
from compliance.models.monitoring import Activity, Alert, DirtyWindow, ScenarioRun
from compliance.operations import cases
from compliance.operations.locking import lock_customers
from compliance.operations.monitoring_alerts import Changes, known_alerts, reconcile
from compliance.queries_monitoring import LiveScenario, live_scenarios, watched_customers
from compliance.scenario_base import episodes
from flowlet.audit import trail
from flowlet.core.locks import lock
from flowlet.identity.models import Customer

_WINDOWS_MAX, _BATCHES_MAX = 2_000, 200


def run_scenarios(*, now: datetime) -> list[ScenarioRun]:
    """
    Evaluate every window that is dirty by every live scenario; one run and one transaction for each batch.

    Whole windows of whole customers: alerts depend on the movements only, not on how their stream was cut. Safe side
    by side: windows are taken with SKIP LOCKED and deleted with writing the alerts, customers are worked on one run
    at a time.
    """
    runs = []
    for _ in range(_BATCHES_MAX):
        run = _run_batch(now)
        if run is None:
            break
        runs.append(run)
    return runs


@transaction.atomic
def _run_batch(now: datetime) -> ScenarioRun | None:
    started = time.perf_counter()
    windows = list(lock(DirtyWindow.objects.all(), skip_locked=True)[:_WINDOWS_MAX])
    if not windows:
        return None
    customer_ids = sorted({window.customer_id for window in windows})
    lock_customers(customer_ids)
    live = live_scenarios()
    changes = _evaluate(customer_ids, live, now)
    DirtyWindow.objects.filter(pk__in=[window.pk for window in windows]).delete()
    seen = Activity.objects.filter(customer_id__in=customer_ids)
    run: ScenarioRun = ScenarioRun.objects.create(
        started_at=now,
        window_from=min(window.from_at for window in windows),
        window_to=seen.aggregate(latest=Max("at"))["latest"] or now,
        versions=[one.version.public_id for one in live],
        customers=len(customer_ids),
        activities=seen.count(),
        unpriced=seen.filter(reporting_minor__isnull=True).count(),
        alerts_new=changes.new,
        alerts_grown=changes.grown,
        alerts_gone=changes.gone,
        elapsed_ms=round((time.perf_counter() - started) * 1_000),
    )
    return run


def _evaluate(customer_ids: Sequence[int], live: Sequence[LiveScenario], now: datetime) -> Changes:
    changes = Changes()
    watched, known = watched_customers(customer_ids), known_alerts(customer_ids)
    for customer in Customer.objects.filter(pk__in=customer_ids).order_by("pk"):
        for one in live:
            reconcile(
                customer=customer,
                live=one,
                found=episodes(one.scenario, watched[customer.pk], one.parameters),
                known=known.get((customer.pk, one.code), ()),
                now=now,
                changes=changes,
            )
    return changes


@transaction.atomic
def open_alert(
    *,
    customer_id: int,
    source: str,
    source_key: str,
    reason: str,
    now: datetime,
    severity: Severity = Severity.MEDIUM,
    amount_minor: int = 0,
) -> Alert:
    """
    Raise an alert that no scenario found, such as fraud's, and put it into the customer's case.

    The same source and key again return the first alert. `reason` is a plain sentence for an officer, `amount_minor`
    is in US cents.
    """
    lock_customers([customer_id])
    alert, fresh = Alert.objects.get_or_create(
        episode_key=f"{source}:{source_key}",
        defaults={
            "customer_id": customer_id,
            "source": source,
            "severity": severity,
            "reason": reason,
            "first_at": now,
            "latest_at": now,
            "amount_minor": amount_minor,
            "raised_at": now,
        },
    )
    if fresh:
        trail.record(
            action="alert.raise",
            object_type="alert",
            object_id=alert.public_id,
            changes={"source": [None, source]},
        )
        cases.put_alert(alert=alert, now=now)
    return alert
