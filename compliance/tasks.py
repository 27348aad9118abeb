"""Celery entry points of compliance."""

from datetime import timedelta

from celery import shared_task

from compliance.operations import reports_cash
from compliance.operations.monitoring import run_scenarios
from compliance.operations.monitoring_feed import feed_activities
from flowlet.audit.trail import Actor, acting
from flowlet.core.clock import now

_SWEPT = timedelta(days=3)


@shared_task(name="compliance.run_scenarios")
def run(**_: object) -> int:
    """Evaluate what is dirty and return how many customers were looked at."""
    with acting(Actor("SYSTEM", "job:compliance.run_scenarios")):
        return sum(one.customers for one in run_scenarios(now=now()))


@shared_task(name="compliance.sweep_activities")
def sweep(**_: object) -> int:
    """Feed what the events of the latest days missed and return how many activities that were: zero on a good day."""
    with acting(Actor("SYSTEM", "job:compliance.sweep_activities")):
        return feed_activities(since=now() - _SWEPT)


@shared_task(name="compliance.build_currency_reports")
def build_currency_reports(**_: object) -> int:
    """Make the reports of yesterday's cash; safe to run twice, a person and day has one."""
    with acting(Actor("SYSTEM", "job:compliance.build_currency_reports")):
        return reports_cash.build_reports(now=now())
