"""Quotes and exchanges over the API: what partners see, what they do not, and what they are told to do next."""

import pytest
from django.db import connection

from flowlet.core.ids import new_id
from flowlet.gateway.tests.factories import Api, make_client
from ledger.tests.factories import make_rate
from wallets.tests.factories import make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def dollars(customer):
    """A wallet with 500.00 EUR, an empty one in USD, and the rate of the worked example."""
    make_rate("EUR", "USD", "1.1000")
    return make_wallet(customer, "EUR", balance=50_000), make_wallet(customer, "USD")


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def _body(seller, buyer, amount=10_000, currency="EUR"):
    wallets = {"sell_wallet": seller.public_id, "buy_wallet": buyer.public_id}
    return {**wallets, "amount": amount, "currency": currency}


@pytest.fixture
def quoted(api, dollars):
    """The two wallets, and a quote over the API."""
    return *dollars, api.post("quotes", _body(*dollars), key="q").json()


def test_a_partner_quotes_and_exchanges(api, quoted):
    quote = quoted[2]
    made = api.post("exchanges", {"quote": quote["id"]}, key="x")

    assert made.status_code == 201, made.content
    assert (quote["mid"], quote["rate"], quote["spread_bp"], quote["status"]) == ("1.1", "1.089", 100, "open")
    assert (made.json()["sell_amount"], made.json()["buy_amount"]) == (10_000, 10_890)
    assert api.post("exchanges", {"quote": quote["id"]}, key="x").json() == made.json()
    assert api.get(f"exchanges/{made.json()['id']}").json() == made.json()
    assert api.get(f"quotes/{quote['id']}").json()["status"] == "used"
    listed = api.get(f"exchanges?customer={made.json()['customer']}").json()["data"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    again = api.post("exchanges", {"quote": quote["id"]}, key="y")
    assert (again.status_code, again.json()["code"]) == (422, "quote_used")
    assert again.json()["next"][0]["action"] == "request_quote", again.json()["next"]


def test_an_expired_quote_says_what_to_do_next(api, quoted):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE wallets_quote SET created_at = created_at - interval '1 h', expires_at = expires_at - interval '1 h'"
        )
        cursor.execute("SET session_replication_role = DEFAULT")

    refused = api.post("exchanges", {"quote": quoted[2]["id"]}, key="x")

    assert (refused.status_code, refused.json()["code"]) == (422, "quote_expired")
    assert api.get(f"quotes/{quoted[2]['id']}").json()["status"] == "expired"


def test_another_partner_sees_no_quote_no_exchange_and_no_wallet(api, quoted, other_partner):
    seller, buyer, quote = quoted
    made = api.post("exchanges", {"quote": quote["id"]}, key="x").json()
    stranger = Api(make_client(other_partner))

    answers = [
        stranger.get(f"quotes/{quote['id']}"),
        stranger.get(f"exchanges/{made['id']}"),
        stranger.post("exchanges", {"quote": quote["id"]}, key="x"),
        stranger.post("quotes", _body(seller, buyer), key="q"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert stranger.get("exchanges").json()["data"] == []


def test_faults_of_a_body_are_pointed_at(api, dollars):
    seller, buyer = dollars
    same = api.post("quotes", _body(seller, seller), key="a")
    unknown = api.post("quotes", {**_body(seller, buyer), "buy_wallet": new_id("wal")}, key="b")
    zero = api.post("quotes", _body(seller, buyer, 0), key="c")

    assert [
        (answer.status_code, answer.json()["errors"][0]["pointer"]) for answer in (same, unknown, zero)
    ] == [
        (400, "/buy_wallet"),
        (404, "/buy_wallet"),
        (400, "/amount"),
    ]
