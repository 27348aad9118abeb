"""Every route of the OpenAPI document under generated requests, good and bad, against the real WSGI application."""

import os
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from flowlet.gateway.tests.factories import bearer, make_client
from flowlet.identity.models import Customer, Partner
from flowlet.wsgi import application

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# Enough for every run; a long one asks for more.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "10"))
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
schema.config.update(base_url="http://localhost")


@pytest.fixture
def access(partner: Partner, customer: Customer, settings: Any) -> dict[str, str]:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (10**6, 10**6))
    return bearer(make_client(partner))


def _aim(case: schemathesis.Case, access: dict[str, str]) -> None:
    """Put an id that exists where a good request has an invented one: the first one of the list above it."""
    resource = case.path.partition("/{")[0]
    if (
        case.path_parameters
        and case.meta is not None
        and case.meta.generation.mode is GenerationMode.POSITIVE
    ):
        rows = Client().get(resource, headers=access).json().get("data") or [{}]
        name = next(iter(case.path_parameters))
        case.path_parameters[name] = rows[0].get("id", case.path_parameters[name])


@pytest.mark.django_db(transaction=True)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_house(case: schemathesis.Case, access: dict[str, str]) -> None:
    _aim(case, access)
    response = case.call(headers=access)

    case.validate_response(response, checks=CHECKS)
