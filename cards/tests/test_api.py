"""Cards by API: what a partner's engineer and the network's adapter see."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from cards.models.authorizations import CardAuthorization
from cards.models.vault import VaultEntry
from cards.operations.freezing import freeze_card
from cards.policies import luhn_digit
from cards.tests.factories import NOW, make_card
from flowlet.core import clock
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Customer, Partner
from ledger.queries.verification import verify

pytestmark = pytest.mark.django_db
BODY = {
    "network_reference": "481516234211",
    "amount": 2_599,
    "currency": "EUR",
    "merchant": {"name": "Corner Books", "mcc": "5942", "country": "DE"},
}


@pytest.fixture
def api(partner: Partner) -> Api:
    return Api(make_client(partner))


def test_a_card_lives_from_issue_to_close(api: Api, customer: Customer) -> None:
    wallet = make_card(customer).wallet
    issued = api.post("cards", {"wallet": wallet.public_id, "kind": "physical"}, key="a")
    again = api.post("cards", {"wallet": wallet.public_id, "kind": "physical"}, key="a")
    card = issued.json()["id"]

    steps = [
        api.post(f"cards/{card}/activate"),
        api.post(f"cards/{card}/freeze", {"reason": "lost"}),
        api.post(f"cards/{card}/unfreeze", {"reason": "found again"}),
        api.post(f"cards/{card}/close", {"reason": "damaged"}),
    ]

    assert issued.status_code == 201
    assert again.json() == issued.json()
    assert [step.json()["status"] for step in steps] == ["active", "frozen", "active", "closed"]
    twice = api.post(f"cards/{card}/close", {"reason": "lost"})
    assert (twice.status_code, twice.json()["code"]) == (409, "card_closed")


def test_an_authorisation_is_answered_shown_explained_and_cleared(api: Api, customer: Customer) -> None:
    card = make_card(customer)
    asked = api.post("card_authorizations", {**BODY, "card": card.public_id})
    repeat = api.post("card_authorizations", {**BODY, "card": card.public_id})
    clash = api.post("card_authorizations", {**BODY, "card": card.public_id, "amount": 1})
    row = asked.json()

    checks = api.get(f"cards/{card.public_id}/decisions/{row['id']}").json()
    cleared = api.post(
        "clearings",
        {
            "card": card.public_id,
            "reference": "arn",
            "network_reference": BODY["network_reference"],
            "amount": 2_599,
            "currency": "EUR",
        },
    )

    assert (asked.status_code, row["outcome"], row["network_code"]) == (201, "approved", "00")
    assert repeat.json()["id"] == row["id"]
    assert (clash.status_code, clash.json()["code"]) == (409, "duplicate_reference")
    assert "94" in clash.json()["next"][0]["text"]
    assert {check["name"] for check in checks["checks"]} >= {"status", "expiry", "freezes", "funds", "fraud"}
    assert cleared.status_code == 201
    assert api.get(f"card_authorizations/{row['id']}").json()["state"] == "cleared"
    assert [one["id"] for one in api.get("card_transactions").json()["data"]] == [cleared.json()["id"]]
    assert verify().clean


def test_a_decline_says_what_the_cardholder_may_hear_and_not_whose_freeze_it_is(
    api: Api, customer: Customer
) -> None:
    card = make_card(customer)
    freeze_card(card_id=card.pk, source="COMPLIANCE", reason_code="COURT_ORDER", now=NOW)  # type: ignore[arg-type]

    row = api.post("card_authorizations", {**BODY, "card": card.public_id})
    checks = api.get(f"cards/{card.public_id}/decisions/{row.json()['id']}")

    assert row.status_code == 201
    assert row.json()["decline"] == {
        "code": "card_frozen",
        "reasons": ["card_frozen"],
        "cardholder_text": "The card is frozen.",
    }
    assert "ompliance" not in checks.content.decode() + row.content.decode()
    lifted = api.post(f"cards/{card.public_id}/unfreeze", {"reason": "x"})
    assert (lifted.status_code, lifted.json()["code"]) == (403, "not_permitted")


def test_limits_are_set_as_a_whole_and_show_what_is_left(api: Api, customer: Customer) -> None:
    card = make_card(customer)
    api.put(f"cards/{card.public_id}/limits", {"day": 5_000, "blocked_mccs": ["7995"]})
    api.post("card_authorizations", {**BODY, "card": card.public_id})

    shown = api.get(f"cards/{card.public_id}/limits").json()
    wrong = api.put(f"cards/{card.public_id}/limits", {"day": -1})

    day = next(limit for limit in shown["limits"] if limit["name"] == "day")
    assert (day["limit"], day["used"], day["left"]) == (5_000, 2_599, 2_401)
    assert shown["blocked_mccs"] == ["7995"]
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/day")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount": -1}, "/amount"),
        ({"amount": 1.5}, "/amount"),
        ({"currency": "XXX"}, "/currency"),
        ({"merchant": {"name": "x", "mcc": "59", "country": "DE"}}, "/merchant/mcc"),
        ({"merchant": {"name": "x", "mcc": "5942", "country": "ZZ"}}, "/merchant/country"),
        ({"channel": "telepathy"}, "/channel"),
        ({"pan": "4111111111111111"}, "/pan"),
    ],
)
def test_bad_messages_are_refused_with_a_pointer(
    api: Api, customer: Customer, change: dict[str, object], pointer: str
) -> None:
    answer = api.post("card_authorizations", {**BODY, "card": make_card(customer).public_id, **change})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not CardAuthorization.objects.exists()


def test_unknown_and_foreign_cards_look_alike_and_are_14_to_the_network(
    api: Api, customer: Customer, other_partner: Partner
) -> None:
    foreign = Api(make_client(other_partner))
    card = make_card(customer)

    for answer in (
        foreign.post("card_authorizations", {**BODY, "card": card.public_id}),
        api.post("card_authorizations", {**BODY, "card": "crd_01K8Z5M3W4J7T2R9QX6V0BND1C"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_card")
        assert "14" in answer.json()["next"][0]["text"]
    assert foreign.get(f"cards/{card.public_id}").status_code == 404


def test_without_the_network_scope_nobody_authorises(partner: Partner, customer: Customer) -> None:
    api = Api(make_client(partner, scopes=("cards:read", "cards:write")))

    answer = api.post("card_authorizations", {**BODY, "card": make_card(customer).public_id})

    assert answer.status_code == 403


def test_no_answer_event_or_trail_holds_a_card_number(api: Api, customer: Customer) -> None:
    card = make_card(customer)
    number = VaultEntry.objects.get(public_id=card.token).pan
    texts = [
        api.get("cards").content.decode(),
        api.post("card_authorizations", {**BODY, "card": card.token}).content.decode(),
        *(str(event.data) for event in Event.objects.all()),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT changes::text || object_id || actor FROM audit_auditrecord")
        texts += [row[0] for row in cursor.fetchall()]

    for text in texts:
        assert number not in text
        for digits in re.findall(r"\d{13,19}", text):
            assert luhn_digit(digits[:-1]) != digits[-1] or not digits.startswith("9999")


def test_the_list_narrows_by_wallet_and_shows_expired_cards(
    api: Api, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, other = make_card(customer), make_card(customer)

    found = api.get(f"cards?wallet={card.wallet.public_id}").json()["data"]

    assert [one["id"] for one in found] == [card.public_id]
    assert other.public_id != card.public_id
    later = clock.now() + timedelta(days=366 * 5)
    monkeypatch.setattr("cards.api.views.now", lambda: later)
    assert api.get(f"cards?wallet={card.wallet.public_id}").json()["data"][0]["status"] == "expired"


def test_a_promise_is_reversed_and_expired_once_over_the_api(api: Api, customer: Customer) -> None:
    card = make_card(customer)
    one = api.post("card_authorizations", {**BODY, "card": card.public_id}).json()["id"]
    other = api.post("card_authorizations", {**BODY, "card": card.token, "network_reference": "2"}).json()[
        "id"
    ]

    part = api.post(f"card_authorizations/{one}/reverse", {"reference": "r1", "amount": 599})
    repeat = api.post(f"card_authorizations/{one}/reverse", {"reference": "r1", "amount": 599})
    whole = api.post(f"card_authorizations/{one}/reverse", {"reference": "r2"})
    late = api.post(f"card_authorizations/{one}/reverse", {"reference": "r3"})
    ended = api.post(f"card_authorizations/{other}/expire")
    twice = api.post(f"card_authorizations/{other}/expire")

    assert (part.json()["authorized"], repeat.json()["authorized"]) == (2_000, 2_000)
    assert (whole.json()["state"], ended.json()["state"]) == ("reversed", "expired")
    assert {(answer.status_code, answer.json()["code"]) for answer in (late, twice)} == {
        (409, "authorization_not_open")
    }
    assert [row["id"] for row in api.get("card_authorizations?state=expired").json()["data"]] == [other]


def test_a_clearing_is_booked_once_and_another_amount_is_a_duplicate(api: Api, customer: Customer) -> None:
    card = make_card(customer)
    body = {"card": card.public_id, "reference": "arn-1", "amount": 700, "currency": "EUR"}

    first = api.post("clearings", body)
    again = api.post("clearings", body)
    clash = api.post("clearings", {**body, "amount": 701})
    other = api.post("clearings", {**body, "reference": "arn-2", "currency": "USD"})

    assert (first.status_code, first.json()) == (201, again.json())
    assert (clash.status_code, clash.json()["code"]) == (409, "duplicate_reference")
    assert (other.status_code, other.json()["code"]) == (422, "currency_mismatch")
    assert len(api.get(f"card_transactions?card={card.public_id}").json()["data"]) == 1


def test_everything_of_another_partner_is_missing(
    api: Api, customer: Customer, other_partner: Partner
) -> None:
    card = make_card(customer)
    row = api.post("card_authorizations", {**BODY, "card": card.public_id}).json()["id"]
    stranger = Api(make_client(other_partner))

    answers = [
        stranger.get(f"cards/{card.public_id}/limits"),
        stranger.put(f"cards/{card.public_id}/limits", {}),
        stranger.get(f"cards/{card.public_id}/decisions/{row}"),
        stranger.get(f"card_authorizations/{row}"),
        *(
            stranger.post(f"cards/{card.public_id}/{verb}", body)
            for verb, body in (
                ("activate", {}),
                ("freeze", {}),
                ("unfreeze", {}),
                ("close", {"reason": "lost"}),
            )
        ),
        stranger.post(f"card_authorizations/{row}/reverse", {"reference": "x"}),
        stranger.post(f"card_authorizations/{row}/expire"),
        stranger.post("cards", {"wallet": card.wallet.public_id, "kind": "virtual"}, key="k"),
        stranger.post("clearings", {"card": card.token, "reference": "a", "amount": 1, "currency": "EUR"}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    for name in ("cards", "card_authorizations", "card_transactions"):
        assert stranger.get(name).json()["data"] == []


@pytest.mark.parametrize("at", ["1999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_time_far_from_now_is_refused(api: Api, customer: Customer, at: str) -> None:
    card = make_card(customer)

    asked = api.post("card_authorizations", {**BODY, "card": card.public_id, "network_time": at})
    told = api.post(
        "clearings",
        {"card": card.public_id, "reference": "a", "amount": 1, "currency": "EUR", "network_time": at},
    )

    for answer in (asked, told):
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/network_time")
