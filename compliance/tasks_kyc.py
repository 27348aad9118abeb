"""Celery entry points of identification."""

from typing import Any

from celery import shared_task

from compliance.operations import kyc_checks
from flowlet.audit.trail import Actor, acting
from flowlet.core import clock


@shared_task(name="compliance.check_identities")
def check_identities(**_: Any) -> None:
    """Run identity checks that could not run before."""
    with acting(Actor("SYSTEM", "job:check_identities", "Identity checks")):
        kyc_checks.check_due(now=clock.now())
