"""Payments over the API: keys, refusals that stick, every kind of bad input."""

import json
import threading

import pytest

from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.operations import place_restriction
from payments.models import Payment
from wallets.tests.factories import NOW, at_once, holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


@pytest.fixture
def pair(partner, customer):
    return make_wallet(customer, balance=10_000), make_wallet(make_customer(partner, "Ola Nilsen"))


def body(pair, **changes):
    payer, payee = pair
    usual = {
        "payer_wallet": payer.public_id,
        "payee_wallet": payee.public_id,
        "amount": 2_500,
        "currency": "EUR",
    }
    return {**usual, **changes}


def test_a_payment_is_made_read_and_listed(api, pair):
    made = api.post("payments", body(pair, description="Rent"), key="k-1")

    assert made.status_code == 201, made.content
    answer = made.json()
    assert (answer["status"], answer["iso_status"], answer["amount"]) == ("completed", "ACSC", 2_500)
    assert made.headers["Location"] == f"/api/v1/payments/{answer['id']}"
    assert api.get(f"payments/{answer['id']}").json() == answer
    assert api.get("payments").json()["data"] == [answer]
    assert [holds(wallet) for wallet in pair] == [7_500, 2_500]


def test_the_same_key_replays_the_same_bytes_and_another_body_is_refused(api, pair):
    first = api.post("payments", body(pair), key="k-1")

    again = api.post("payments", body(pair), key="k-1")
    other = api.post("payments", body(pair, amount=1), key="k-1")

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Payment.objects.count() == 1


def test_a_refusal_sticks_to_its_key_and_names_the_payment(api, pair):
    refused = api.post("payments", body(pair, amount=10_001), key="k-1")
    again = api.post("payments", body(pair, amount=10_001), key="k-1")

    problem = refused.json()
    payment = Payment.objects.get()
    assert (refused.status_code, problem["code"], problem["object"]) == (
        422,
        "insufficient_funds",
        payment.public_id,
    )
    assert (again.status_code, again.content) == (422, refused.content)
    shown = api.get(f"payments/{payment.public_id}").json()
    assert (shown["status"], shown["failure"]["code"]) == ("refused", "insufficient_funds")


def test_a_screened_payer_reads_neutral_words(api, pair):
    place_restriction(
        customer_id=pair[0].customer_id,
        kind="NO_OUT",
        source="SCREENING",
        reason_code="POSSIBLE_MATCH",
        now=NOW,
    )

    refused = api.post("payments", body(pair), key="k-1")

    assert refused.json()["code"] == "under_review"
    assert not any(
        word in refused.content.decode().lower() for word in ("sanction", "match", "screen", "hit")
    )


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"amount": 0}, "/amount", "too_small"),
        ({"amount": -1}, "/amount", "too_small"),
        ({"amount": 1.5}, "/amount", "not_an_integer"),
        ({"amount": 100.0}, "/amount", "not_an_integer"),
        ({"amount": "100"}, "/amount", "not_an_integer"),
        ({"amount": True}, "/amount", "not_an_integer"),
        ({"amount": None}, "/amount", "null"),
        ({"amount": 10**12 + 1}, "/amount", "too_large"),
        ({"currency": "EURO"}, "/currency", "unknown_currency"),
        ({"currency": "eur"}, "/currency", "unknown_currency"),
        ({"currency": 978}, "/currency", "not_a_string"),
        ({"payer_wallet": "cus_01K8Z5M3W4J7T2R9QX6V0BND1C"}, "/payer_wallet", "invalid_id"),
        ({"payee_wallet": {"id": 1}}, "/payee_wallet", "not_a_string"),
        ({"description": "x" * 141}, "/description", "max_length"),
        ({"description": "a\u202eb"}, "/description", "control_character"),
        ({"fee": 1}, "/fee", "unknown_field"),
        ({"partner_id": 2}, "/partner_id", "unknown_field"),
    ],
)
def test_each_fault_in_the_body_is_pointed_at_and_stores_nothing(api, pair, change, pointer, code):
    refused = api.post("payments", body(pair, **change), key="k-1")

    assert refused.status_code == 400
    assert (pointer, code) in {(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]}
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"amount":1e400}',
        b'{"amount":1' + b"0" * 40 + b"}",
        b'{"amount":1,"amount":2}',
        b"\xff",
    ],
)
def test_a_body_that_is_no_object_is_refused(api, raw):
    refused = api.post_raw("payments", raw)

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_missing_key_is_refused(api, pair):
    refused = api.post("payments", body(pair))

    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_missing")


def test_one_wallet_on_both_sides_is_refused(api, pair):
    refused = api.post("payments", body((pair[0], pair[0])), key="k-1")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/payee_wallet"


def test_another_currency_than_the_wallets_is_refused(api, pair):
    refused = api.post("payments", body(pair, currency="USD"), key="k-1")

    assert (refused.status_code, refused.json()["code"]) == (422, "currency_mismatch")
    assert not Payment.objects.exists()


def test_foreign_and_missing_objects_look_alike(api, pair, other_partner):
    foreign = make_wallet(make_customer(other_partner, "Eli Moen"), balance=5_000)
    missing = "wal_01K8Z5M3W4J7T2R9QX6V0BND1C"
    theirs = Api(make_client(other_partner))
    made = api.post("payments", body(pair), key="k-0").json()["id"]

    answers = [
        api.post("payments", body(pair, payer_wallet=wallet), key=f"k-{number}")
        for number, wallet in enumerate((foreign.public_id, missing), 1)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json()["errors"] == answers[1].json()["errors"]
    assert theirs.get(f"payments/{made}").status_code == theirs.get("payments/pay_none").status_code == 404
    assert theirs.get("payments").json()["data"] == []


def test_scopes_are_asked_for(partner, pair):
    reader = Api(make_client(partner, scopes=["payments:read"]))

    refused = reader.post("payments", body(pair), key="k-1")

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert reader.get("payments").status_code == 200


def test_the_list_is_filtered_and_paged(api, pair):
    ids = [api.post("payments", body(pair, amount=1_000 + n), key=f"k-{n}").json()["id"] for n in range(5)]
    api.post("payments", body(pair, amount=99_999), key="k-refused")

    first = api.get("payments?limit=2&status=completed").json()
    second = api.get(f"payments?limit=2&status=completed&cursor={first['next']}").json()

    assert [row["id"] for row in first["data"] + second["data"]] == ids[:0:-1]
    assert [row["id"] for row in api.get("payments?idempotency_key=k-3").json()["data"]] == [ids[3]]
    assert len(api.get(f"payments?wallet={pair[1].public_id}").json()["data"]) == 6
    assert api.get("payments?currency=USD").json()["data"] == []
    assert api.get("payments?created[lt]=2020-01-01T00:00:00Z").json()["data"] == []


@pytest.mark.parametrize(
    "query", ["status=lost", "wallet=x", "currency=XX", "limit=0", "limit=x", "cursor=zzz", "x=1"]
)
def test_a_bad_filter_is_refused(api, query):
    assert api.get(f"payments?{query}").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_fifty_requests_with_one_key_make_one_payment(partner, api):
    pair = [make_wallet(make_customer(partner, name), balance=1_000) for name in ("A B", "C D")]
    api.post("payments", body(pair, amount=1), key="warm-up")
    start = threading.Barrier(25)

    def work(_):
        start.wait()
        return Api(api.client).post("payments", body(pair, amount=100), key="once")

    answers = at_once(work, 50, workers=25)

    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409, 429}
    assert made
    assert len({answer.content for answer in made}) == 1
    assert Payment.objects.filter(amount_minor=100).count() == 1
    assert holds(pair[0]) == 1_000 - 101


def test_the_document_describes_payments(api):
    document = json.loads(api.http.get("/api/v1/openapi.json").content)

    operation = document["paths"]["/api/v1/payments"]["post"]
    assert operation["requestBody"]["required"] is True
    assert {"201", "400", "404", "422"} <= set(operation["responses"])
