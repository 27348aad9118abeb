"""Holds of partners: placed, changed, captured in parts, released, expired; and what refuses them."""

from datetime import timedelta

import pytest

from flowlet.audit.models import AuditRecord
from flowlet.core import clock
from flowlet.core.errors import InvalidInput
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.events.relay import relay
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.operations import place_restriction
from ledger.errors import HoldFinal, HoldTooSmall
from ledger.models.accounts import Account
from ledger.operations.holds import expire_holds, place_hold
from ledger.queries.balances import get_balance
from ledger.queries.verification import verify
from wallets.errors import HoldElsewhere, KeyUsedBefore, LimitExceeded, MoneyOutBlocked, WalletFrozen
from wallets.models import LimitRule, LimitUse
from wallets.operations.holds import (
    capture_partner_hold,
    change_partner_hold,
    place_partner_hold,
    release_partner_hold,
)
from wallets.operations.wallets import freeze_wallet
from wallets.receivers import receive
from wallets.tests.factories import NOW, at_once, holds, make_wallet

EUR = "EUR"


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


@pytest.fixture
def wallet(customer):
    return make_wallet(customer, balance=10_000)


def place(wallet, minor=4_000, key="k", **given):
    return place_partner_hold(
        wallet_id=wallet.pk, amount=Money(minor, EUR), idempotency_key=key, **{"now": NOW, **given}
    )


def capture(hold, minor=None, key="c", **given):
    amount = None if minor is None else Money(minor, EUR)
    return capture_partner_hold(hold_id=hold.pk, amount=amount, idempotency_key=key, **{"now": NOW, **given})


def told(hold):
    rows = Event.objects.filter(object_id=hold if isinstance(hold, str) else hold.public_id).order_by(
        "sequence"
    )
    return list(rows.values_list("sequence", "type"))


def partners_funds(wallet):
    account = Account.objects.get(chart_account__code="PARTNER_FUNDS", partner_id=wallet.partner_id)
    return get_balance(account.pk).posted.minor


@pytest.mark.django_db
def test_a_partner_places_changes_captures_in_parts_and_reads_what_happened(api, wallet):
    path = f"wallets/{wallet.public_id}"
    body = {"amount": 4_000, "currency": EUR, "expires_in": 3_600, "reference": "order-1042"}

    # When a hold is placed twice under one key, grows, shrinks and is captured in two parts
    placed = api.post(f"{path}/holds", body, key="p")
    again = api.post(f"{path}/holds", body, key="p")
    hold = f"holds/{placed.json()['id']}"
    grown = api.post(f"{hold}/increase", {"amount": 1_000}, key="i")
    shrunk = api.post(f"{hold}/decrease", {"amount": 500}, key="i")
    part = api.post(f"{hold}/capture", {"amount": 1_500, "final": False, "description": "Box 1"}, key="c1")
    twice = api.post(f"{hold}/capture", {"amount": 1_500, "final": False, "description": "Box 1"}, key="c1")
    rest = api.post(f"{hold}/capture", {"amount": 2_000}, key="c2")

    # Then each answer says what is open, the rest is free, and the money lies with the partner
    assert [a.status_code for a in (placed, again, grown, shrunk, part, twice, rest)] == [201, 201] + [
        200
    ] * 5
    assert (again.headers["Idempotent-Replayed"], again.content) == ("true", placed.content)
    assert (placed.headers["Location"], placed.json()["cause"]) == (f"/api/v1/{hold}", "order-1042")
    assert placed.json()["placed_by_you"] is True
    assert [a.json()["open"] for a in (placed, grown, shrunk)] == [4_000, 5_000, 4_500]
    assert twice.json() == part.json()
    assert (part.json()["amount"], part.json()["hold"]["open"], part.json()["hold"]["status"]) == (
        1_500,
        3_000,
        "active",
    )
    assert (rest.json()["hold"]["open"], rest.json()["hold"]["status"]) == (0, "captured")
    assert api.get(hold).json() == rest.json()["hold"]
    assert [row["id"] for row in api.get(f"{path}/holds?idempotency_key=p").json()["data"]] == [
        placed.json()["id"]
    ]
    balances = api.get(f"{path}/balances").json()
    assert (balances["posted"], balances["held"], balances["available"]) == (6_500, 0, 6_500)
    entries = api.get(f"{path}/transactions").json()["data"]
    assert [(e["amount"], e["kind"], e["description"]) for e in entries[:2]] == [
        (-2_000, "hold_capture", "Payment to the provider"),
        (-1_500, "hold_capture", "Box 1"),
    ]
    assert partners_funds(wallet) == 3_500
    # And the partner's events of it are numbered without gaps
    assert told(placed.json()["id"]) == [
        (1, "hold.placed"),
        (2, "hold.changed"),
        (3, "hold.changed"),
        (4, "hold.captured"),
        (5, "hold.captured"),
    ]
    seen = api.get(f"events?object={placed.json()['id']}").json()["data"]
    assert {event["type"] for event in seen} == {"hold.placed", "hold.changed", "hold.captured"}
    actions = AuditRecord.objects.filter(object_id=placed.json()["id"]).values_list("action", flat=True)
    assert set(actions) == {"hold.place", "hold.change", "hold.capture"}
    assert verify().clean


@pytest.mark.django_db
def test_a_released_hold_gives_its_money_back_once(api, wallet):
    hold = place(wallet, now=clock.now())

    first = api.post(f"holds/{hold.public_id}/release", {})
    again = api.post(f"holds/{hold.public_id}/release", {})
    late = api.post(f"holds/{hold.public_id}/capture", {}, key="late")

    assert (first.status_code, first.json()["status"], first.json()["open"]) == (200, "released", 0)
    assert (again.status_code, again.json()) == (200, first.json())
    assert (late.status_code, late.json()["code"], late.json()["open_minor"]) == (409, "hold_final", 0)
    assert get_balance(wallet.account_id).available.minor == 10_000
    assert [kind for _, kind in told(hold)] == ["hold.placed", "hold.released"]


@pytest.mark.django_db
def test_what_is_too_much_is_refused_with_what_there_is(api, wallet):
    hold = place(wallet, now=clock.now())
    path = f"holds/{hold.public_id}"

    small = api.post(f"{path}/capture", {"amount": 4_001}, key="c")
    shrunk = api.post(f"{path}/decrease", {"amount": 4_001}, key="d")
    grown = api.post(f"{path}/increase", {"amount": 6_001}, key="i")
    placed = api.post(f"wallets/{wallet.public_id}/holds", {"amount": 6_001, "currency": EUR}, key="p")

    for answer in (small, shrunk):
        assert (answer.status_code, answer.json()["code"], answer.json()["open_minor"]) == (
            409,
            "hold_too_small",
            4_000,
        )
    for answer in (grown, placed):
        assert (answer.status_code, answer.json()["code"]) == (422, "insufficient_funds")
        assert (answer.json()["available_minor"], answer.json()["requested_minor"]) == (6_000, 6_001)
    assert LimitUse.objects.filter(kind="OUT").count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"amount": 0, "currency": EUR}, "/amount"),
        ({"amount": 1.5, "currency": EUR}, "/amount"),
        ({"amount": 10**13, "currency": EUR}, "/amount"),
        ({"amount": 1}, "/currency"),
        ({"amount": 1, "currency": EUR, "expires_in": 59}, "/expires_in"),
        (
            {"amount": 1, "currency": EUR, "expires_in": 60, "expires_at": "2030-01-01T00:00:00Z"},
            "/expires_in",
        ),
        ({"amount": 1, "currency": EUR, "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"amount": 1, "currency": EUR, "reference": "Mirela Sandvik"}, "/reference"),
        ({"amount": 1, "currency": EUR, "to_wallet": "wal_x"}, "/to_wallet"),
    ],
)
def test_a_malformed_hold_is_a_400_that_points_at_the_field(api, customer, body, pointer):
    wallet = make_wallet(customer)

    answer = api.post(f"wallets/{wallet.public_id}/holds", body, key="p")

    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.django_db
def test_another_partners_hold_looks_like_a_missing_one(wallet, other_partner):
    hold, stranger = place(wallet), Api(make_client(other_partner))

    answers = [stranger.get(f"holds/{hold.public_id}")]
    for verb in ("increase", "decrease", "capture", "release"):
        body = {"amount": 1} if verb in ("increase", "decrease") else {}
        answers.append(stranger.post(f"holds/{hold.public_id}/{verb}", body, key=verb))
    answers.append(
        stranger.post(f"wallets/{wallet.public_id}/holds", {"amount": 1, "currency": EUR}, key="p")
    )

    assert [answer.status_code for answer in answers] == [404] * 6
    assert get_balance(wallet.account_id).held.minor == 4_000


@pytest.mark.django_db
def test_a_hold_of_a_payment_or_card_is_read_but_not_touched(api, wallet):
    view = place_hold(
        account_id=wallet.account_id,
        amount=Money(700, EUR),
        source="payment",
        source_key="pay_1",
        expires_at=None,
        now=NOW,
    )

    shown = api.get(f"holds/{view.public_id}").json()
    answers = [
        api.post(f"holds/{view.public_id}/{verb}", body, key=verb)
        for verb, body in (("increase", {"amount": 1}), ("capture", {}), ("release", {}))
    ]

    assert (shown["cause"], shown["placed_by_you"]) == ("pay_1", False)
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(409, "hold_elsewhere")}
    assert "pay_1" in answers[0].json()["detail"]
    assert get_balance(wallet.account_id).held.minor == 700
    with pytest.raises(HoldElsewhere):
        release_partner_hold(hold_id=view.hold_id, now=NOW)


@pytest.mark.django_db
def test_a_hold_ends_with_its_time_and_its_partner_is_told_once(wallet):
    hold, end = place(wallet, expires_at=NOW + timedelta(minutes=5)), NOW + timedelta(minutes=5)

    for late in (
        lambda: capture(hold, now=end),
        lambda: release_partner_hold(hold_id=hold.pk, now=end),
        lambda: change_partner_hold(hold_id=hold.pk, delta=Money(1, EUR), idempotency_key="i", now=end),
    ):
        with pytest.raises(HoldFinal):
            late()
    place_hold(
        account_id=wallet.account_id,
        amount=Money(50, EUR),
        source="card_authorization",
        source_key="auth_1",
        expires_at=end,
        now=NOW,
    )
    assert expire_holds(now=end) == 2
    relay(now=end)
    for event in Event.objects.filter(type="ledger.hold_changed"):
        receive(event, end)  # at least once means perhaps twice

    assert [kind for _, kind in told(hold)] == ["hold.placed", "hold.expired"]
    event = Event.objects.get(type="hold.expired")
    assert (event.partner_id, event.data["amount"], event.data["open"], event.data["status"]) == (
        wallet.partner_id,
        4_000,
        0,
        "expired",
    )
    assert get_balance(wallet.account_id).available.minor == 10_000


@pytest.mark.django_db
def test_a_hold_lasts_a_week_unless_told_and_ninety_days_at_most(wallet):
    assert place(wallet).expires_at == NOW + timedelta(days=7)
    assert place(wallet, key="long", expires_at=NOW + timedelta(days=90)).pk
    for wrong in (NOW, NOW + timedelta(days=90, seconds=1)):
        with pytest.raises(InvalidInput):
            place(wallet, key="wrong", expires_at=wrong)


@pytest.mark.django_db
def test_a_key_stands_for_one_hold_and_one_capture(wallet):
    hold = place(wallet, reference="a")

    assert place(wallet, reference="a").pk == hold.pk
    for other in ({"minor": 3_999, "reference": "a"}, {"reference": "b"}):
        with pytest.raises(KeyUsedBefore):
            place(wallet, **other)
    first = capture(hold, 1_000, final=False)
    assert capture(hold, 1_000, final=False) == first
    with pytest.raises(KeyUsedBefore):
        capture(hold, 1_001, final=False)
    assert (holds(wallet), LimitUse.objects.get(kind="OUT", interval="DAY").amount_minor) == (9_000, 1_000)


@pytest.mark.django_db
def test_a_freeze_or_restriction_stops_placing_growing_and_capturing_but_not_releasing(wallet):
    hold = place(wallet)
    place_restriction(
        customer_id=wallet.customer_id, kind="NO_OUT", source="OPS", reason_code="CHECK", now=NOW
    )

    for act in (
        lambda: place(wallet, key="other"),
        lambda: capture(hold),
        lambda: change_partner_hold(hold_id=hold.pk, delta=Money(1, EUR), idempotency_key="i", now=NOW),
    ):
        with pytest.raises(MoneyOutBlocked):
            act()
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)
    with pytest.raises(WalletFrozen):
        capture(hold)

    assert release_partner_hold(hold_id=hold.pk, now=NOW).state.status == "RELEASED"
    assert holds(wallet) == 10_000


@pytest.mark.django_db
def test_a_capture_counts_against_the_limit_of_money_out(wallet):
    LimitRule.objects.filter(kind="OUT", interval="DAY", currency=EUR).update(amount_minor=2_500)
    hold = place(wallet)

    capture(hold, 2_000, key="one", final=False)
    with pytest.raises(LimitExceeded):
        capture(hold, 501, key="two", final=False)
    capture(hold, 500, key="three", final=False)

    hold.state.refresh_from_db()
    assert (holds(wallet), hold.state.open_minor) == (7_500, 1_500)


@pytest.mark.django_db(transaction=True)
def test_of_many_captures_at_once_no_more_is_taken_than_is_open(wallet):
    hold = place(wallet)

    answers = at_once(lambda n: capture(hold, 1_000, key=f"c{n}", final=False), 8, workers=4)

    assert sum(isinstance(answer, HoldTooSmall | HoldFinal) for answer in answers) == 4
    assert (holds(wallet), partners_funds(wallet)) == (6_000, 4_000)
