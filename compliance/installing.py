"""First versions of scenarios, put in place by each migration run; safe to repeat."""

from typing import Any

from django.apps import AppConfig

from compliance.operations.monitoring_versions import install_scenarios
from flowlet.core import clock


def after_migrate(sender: AppConfig, **_: Any) -> None:  # noqa: ARG001 - the signal's signature
    """Install once the tables stand (receiver of `post_migrate`)."""
    install_scenarios(now=clock.now())
