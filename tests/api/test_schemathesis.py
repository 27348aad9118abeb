"""Every route of the OpenAPI document under generated requests, good and bad, against the real WSGI application."""

import os
import re
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

from cards.tests.factories import make_card, pay
from flowlet.assistant.operations import open_chat
from flowlet.core.money import Money
from flowlet.gateway.tests.factories import bearer, make_client
from flowlet.identity.models import Partner
from flowlet.integrations import links
from flowlet.integrations.plaid.client import create_sandbox_public_token
from flowlet.integrations.simulation.server import Simulation
from flowlet.wsgi import application
from payments.operations import create_payment
from wallets.tests.factories import NOW, make_customer, make_wallet

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
LISTS = ("customers", "wallets", "bank_accounts", "deposits", "withdrawals", "payments", "events")
LISTS += ("cards", "card_authorizations", "bank_links", "assistant/chats")
ID = re.compile(r"([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}")
# Enough for every run; a long one asks for more.
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "10"))
schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
schema.config.update(base_url="http://localhost")


@pytest.fixture
def access(partner: Partner, vendors: Simulation, settings: Any) -> dict[str, str]:
    """Return a token of a partner that has one object of each kind; vendors are simulated."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, (10**6, 10**6))
    payer = make_wallet(make_customer(partner), balance=5000)
    token = create_sandbox_public_token(institution="ins_109508", owner="Mirela Sandvik").value or ""
    links.finish_link(customer_id=payer.customer_id, public_token=token, now=NOW)
    open_chat(customer_id=payer.customer_id, now=NOW)
    payee = make_wallet(make_customer(partner, "Hedda Lund"))
    create_payment(
        partner_id=partner.pk,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(5, "EUR"),
        description="",
        idempotency_key=None,
        now=NOW,
    )
    pay(make_card(make_customer(partner, "Ola Nilsen")), 5)
    return bearer(make_client(partner))


@pytest.fixture
def known(access: dict[str, str]) -> dict[str, list[str]]:
    """Return ids that exist, by their prefix."""
    rows = [
        row["id"] for name in LISTS for row in Client().get(f"/api/v1/{name}", headers=access).json()["data"]
    ]
    found: dict[str, list[str]] = {}
    for each in rows:
        found.setdefault(each.partition("_")[0], []).append(each)
    return found


def _aim(case: schemathesis.Case, known: dict[str, list[str]]) -> None:
    """Put ids that exist where a good request has invented ones, so that it comes as far as the database."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    prefixes = {
        "customers": "cus",
        "wallets": "wal",
        "bank_accounts": "ba",
        "deposits": "dep",
        "events": "evt",
    }
    prefixes |= {"payments": "pay", "withdrawals": "wdr", "cards": "crd", "card_authorizations": "cau"}
    prefixes |= {"bank_links": "blk", "assistant": "cht"}
    resource = case.path.removeprefix("/api/v1/").partition("/")[0]
    for name in case.path_parameters or {}:
        prefix = "cau" if name == "authorization_id" else prefixes.get(resource, "")
        case.path_parameters[name] = known.get(prefix, ["none"])[0]
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            match = ID.fullmatch(value) if isinstance(value, str) else None
            if match and match[1] in known:
                # Two fields of one body get two objects where there are two.
                case.body[name] = known[match[1]][name.startswith("payee") % len(known[match[1]])]


@pytest.mark.django_db(transaction=True)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_house(
    case: schemathesis.Case, access: dict[str, str], known: dict[str, list[str]]
) -> None:
    _aim(case, known)
    response = case.call(headers=access)

    case.validate_response(response, checks=CHECKS)
