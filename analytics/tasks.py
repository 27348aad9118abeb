"""Celery entry points of analytics."""

from celery import shared_task

from analytics.operations.points import send_points
from analytics.operations.reconciling import reconcile_facts
from analytics.operations.refreshing import refresh_slices
from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now


@shared_task(name="analytics.refresh_slices")
def refresh(**_: object) -> int:
    """Work out again what events have touched."""
    return refresh_slices(now=now())


@shared_task(name="analytics.reconcile_facts")
def reconcile(**_: object) -> int:
    """Compare the facts with the books."""
    with acting(Actor("SYSTEM", "job:analytics.reconcile_facts")):
        return reconcile_facts(now=now())


@shared_task(name="analytics.send_points")
def send(**_: object) -> int:
    """Send waiting points to InfluxDB, if there is one."""
    return send_points(now=now())
