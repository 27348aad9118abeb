"""Spending over the API adds up to the statement."""

from datetime import date, timedelta

import pytest

from analytics.tests.factories import catch_up, pay
from flowlet.gateway.tests.factories import Api, make_client
from ledger.statements.builder import build_statement
from wallets.queries import names_of_accounts
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db
SPAN = "from=2026-11-01&to=2026-11-30&currency=EUR"


@pytest.fixture
def anna(partner):
    return make_customer(partner, "Anna Berg")


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


@pytest.fixture
def played(partner, anna):
    mine, savings = make_wallet(anna, balance=50_000), make_wallet(anna, purpose="SAVINGS")
    shop = make_wallet(make_customer(partner, "Jonas Falk"), balance=1_000)
    pay(mine, shop, 1_200)
    pay(mine, shop, 800, at=NOW + timedelta(days=30))
    pay(shop, mine, 200)
    pay(mine, savings, 5_000)
    catch_up()
    return mine, savings, shop


def test_spending_adds_up_to_the_statements_of_all_wallets(api, anna, played):
    mine, savings, shop = played

    told = api.get(f"customers/{anna.public_id}/spending?{SPAN}&group=counterparty").json()

    assert (told["spent_minor"], told["received_minor"], told["own_minor"]) == (1_200, 50_200, 0)
    change = 0
    for wallet in (mine, savings):
        statement = build_statement(
            account_id=wallet.account_id,
            first=date(2026, 11, 1),
            last=date(2026, 11, 30),
            reference="x",
            owner="x",
            names=names_of_accounts,
        )
        change += statement.closing - statement.opening
    assert told["net_minor"] == change == 49_000
    assert sum(group["amount_minor"] for group in told["groups"]) + told["own_minor"] == change
    by_key = {group["key"]: group for group in told["groups"]}
    assert by_key[shop.customer.public_id]["label"] == "Jonas Falk"
    assert (by_key[shop.customer.public_id]["spent_minor"], by_key[shop.customer.public_id]["count"]) == (
        1_200,
        2,
    )


def test_months_and_kinds_add_up_alike(api, anna, played):
    path = f"customers/{anna.public_id}/spending?from=2026-11-01&to=2026-12-31&currency=EUR"

    months, kinds = (api.get(f"{path}&group={group}").json() for group in ("month", "kind"))

    assert [(g["key"], g["spent_minor"]) for g in months["groups"]] == [("2026-11", 1_200), ("2026-12", 800)]
    assert {g["key"] for g in kinds["groups"]} == {"p2p", "deposit"}
    assert sum(g["amount_minor"] for g in kinds["groups"]) == months["net_minor"] == 48_200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-11-30&to=2026-11-01&currency=EUR", 400),
        ("from=1990-11-30&to=2026-11-01&currency=EUR", 400),
        ("from=2026-11-01&to=2026-11-30", 400),
        (f"{SPAN}&group=colour", 400),
    ],
)
def test_bad_spans_and_groups_are_refused(api, anna, query, status):
    assert api.get(f"customers/{anna.public_id}/spending?{query}").status_code == status


def test_another_partner_and_a_client_without_the_scope_see_nothing(anna, partner, other_partner):
    foreign, narrow = Api(make_client(other_partner)), Api(make_client(partner, ["wallets:read"]))

    assert foreign.get(f"customers/{anna.public_id}/spending?{SPAN}").status_code == 404
    assert narrow.get(f"customers/{anna.public_id}/spending?{SPAN}").status_code == 403
