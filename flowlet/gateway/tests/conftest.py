"""Fixtures of the gateway's tests."""

import pytest

from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Partner

PERSON = {"kind": "person", "given_name": "Mirela", "family_name": "Sandvik", "country": "NO"}


@pytest.fixture
def api(partner: Partner) -> Api:
    return Api(make_client(partner))


@pytest.fixture
def foreign_api(other_partner: Partner) -> Api:
    return Api(make_client(other_partner))
