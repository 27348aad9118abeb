"""The first version of the risk model, put in place by each migration run; safe to repeat."""

from typing import Any

from django.apps import AppConfig

from compliance.models.kyc import RiskModelVersion
from compliance.risk import FIRST_PARAMETERS
from flowlet.core import clock


def after_migrate(sender: AppConfig, **_: Any) -> None:  # noqa: ARG001 - the signal's signature
    """Install version 1 where there is none (receiver of `post_migrate`)."""
    RiskModelVersion.objects.get_or_create(
        version=1,
        defaults={
            "parameters": FIRST_PARAMETERS,
            "is_live": True,
            "approval": "release",  # the code review of the release that brings it
            "created_at": clock.now(),
        },
    )
