"""First versions of coded rules, policies and feature sets, put in place by each migration run; safe to repeat."""

from datetime import datetime
from typing import Any

from django.apps import AppConfig
from django.db import transaction

from flowlet.core import clock
from fraud.choices import Product, RuleKind, VersionStatus
from fraud.features.sets import SETS, set_digest
from fraud.models import FeatureSet, PolicyVersion, RuleVersion
from fraud.rules import registry

_APPROVAL = "release"  # the code review of the release that brings them

registry.load()


@transaction.atomic
def install(*, now: datetime) -> None:
    """Store what this release brings and the database lacks; versions that stand already are not touched."""
    FeatureSet.objects.bulk_create(
        [
            FeatureSet(code=code, features=list(features), digest=set_digest(code), created_at=now)
            for code, features in SETS.items()
        ],
        ignore_conflicts=True,
    )
    RuleVersion.objects.bulk_create(
        [
            RuleVersion(
                code=code,
                version=1,
                kind=RuleKind.CODED,
                parameters=registry.defaults_of(rule),
                status=VersionStatus.LIVE,
                approval=_APPROVAL,
                created_at=now,
            )
            for code, rule in registry.RULES.items()
        ],
        ignore_conflicts=True,
    )
    PolicyVersion.objects.bulk_create(
        [
            PolicyVersion(
                product=product,
                version=1,
                costs={},
                status=VersionStatus.LIVE,
                approval=_APPROVAL,
                created_at=now,
            )
            for product in Product
        ],
        ignore_conflicts=True,
    )


def after_migrate(sender: AppConfig, **_: Any) -> None:  # noqa: ARG001 - the signal's signature
    """Install once the tables stand (receiver of `post_migrate`)."""
    install(now=clock.now())
