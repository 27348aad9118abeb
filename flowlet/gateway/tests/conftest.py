"""Fixtures of the gateway's tests."""

from typing import Any

import pytest

from flowlet.gateway import limits
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Partner

PERSON = {"kind": "person", "given_name": "Mirela", "family_name": "Sandvik", "country": "NO"}


@pytest.fixture
def api(partner: Partner) -> Api:
    return Api(make_client(partner))


@pytest.fixture
def foreign_api(other_partner: Partner) -> Api:
    return Api(make_client(other_partner))


@pytest.fixture
def redis_lost(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A limiter of its own, pointed at a port where nothing listens: the real one is left as it is.
    settings.CACHES = {
        **settings.CACHES,
        "limits": {**settings.CACHES["limits"], "LOCATION": "redis://127.0.0.1:1/0"},
    }
    monkeypatch.setattr(limits, "LIMITER", limits.Limiter())
