"""Codes before money moves, and messages after it has: over real HTTP to the carrier, once for each cause."""

from datetime import timedelta

import pytest
from django.test import Client

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.events.relay import relay
from flowlet.gateway.tests.factories import Api, bearer, make_client
from flowlet.identity.models import Customer
from flowlet.identity.operations import create_customer
from flowlet.integrations.breaker import breaker_for
from flowlet.integrations.simulation.faults import Plan
from flowlet.notifications.choices import MessageKind
from flowlet.notifications.codes import LIFE, send_planned
from flowlet.notifications.models import Challenge, Message
from flowlet.notifications.operations import opt_out, send_due
from flowlet.notifications.settings import change_settings
from fraud.choices import Action
from payments.deciding import cancel_unconfirmed
from payments.judging import Verdict
from payments.models import Payment
from payments.operations import create_payment
from payments.tests.outside import begin as begin_top_up
from payments.tests.outside import work
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import holds, make_wallet

pytestmark = pytest.mark.django_db
PAYER_PHONE, PAYEE_PHONE = "+4915112345678", "+4915187654321"


def person(partner, given, phone):
    return create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name=given,
        family_name="Sandvik",
        country="NO",
        phone=phone,
        now=clock.now(),
    )


@pytest.fixture
def payer(partner):
    return make_wallet(person(partner, "Mirela", PAYER_PHONE), balance=100_000)


@pytest.fixture
def payee(partner):
    return make_wallet(person(partner, "Bo", PAYEE_PHONE))


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


@pytest.fixture
def wanted(partner):
    """The partner wants messages, and codes from 100.00 EUR on."""
    change_settings(partner_id=partner.pk, payment_messages=True, code_from={"EUR": 10_000}, now=clock.now())


def body(payer, payee, minor=20_000):
    return {
        "payer_wallet": payer.public_id,
        "payee_wallet": payee.public_id,
        "amount": minor,
        "currency": "EUR",
    }


def pay(payer, payee, minor=20_000, fraud_check=lambda *_: Verdict(Action.STEP_UP)):
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(minor, "EUR"),
        fraud_check=fraud_check,
        now=clock.now(),
    )


def pass_on(seconds=0):
    """Let the relay and the worker that sends codes take their turns."""
    at = clock.now() + timedelta(seconds=seconds)
    relay(now=at)
    return send_planned(now=at)


def twilio(vendors):
    return vendors.vendors["twilio"]


def code_of(vendors):
    """Return the code that the carrier sent last."""
    return list(twilio(vendors).books()["codes"].values())[-1]


def wrong(code):
    return str((int(code) + 1) % 10 ** len(code)).zfill(len(code))


def fault(vendors, do, path="*Verifications", method="POST"):
    vendors.faults.plans = [
        Plan.read({"match": {"vendor": "twilio", "path": path, "method": method}, "do": do, "seconds": 3})
    ]


def test_an_amount_from_the_partners_threshold_on_waits_for_a_code_and_then_moves(
    api, wanted, payer, payee, vendors
):
    made = api.post("payments", body(payer, payee), key="k-1")
    waiting = holds(payer), holds(payee)
    early = api.post(f"payments/{made.json()['id']}/confirm", {"code": "123456"})
    pass_on()
    confirmed = api.post(f"payments/{made.json()['id']}/confirm", {"code": code_of(vendors)})
    again = api.post(f"payments/{made.json()['id']}/confirm", {"code": code_of(vendors)})

    assert (made.status_code, made.json()["status"], waiting) == (201, "requires_action", (100_000, 0))
    assert (early.status_code, early.json()["code"]) == (409, "code_on_its_way")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "completed")
    assert (holds(payer), holds(payee)) == (80_000, 20_000)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert [one["to"] for one in twilio(vendors).books()["verifications"].values()] == [PAYER_PHONE]


def test_below_the_threshold_and_in_other_currencies_no_code_is_asked_for(api, wanted, payer, payee, vendors):
    made = api.post("payments", body(payer, payee, 9_999), key="k-1")

    assert made.json()["status"] == "completed"
    assert pass_on() == 0


def test_fraud_can_ask_for_a_code_whatever_the_amount(payer, payee, vendors):
    payment = pay(payer, payee, 100)
    pass_on()

    assert payment.status == "REQUIRES_ACTION"
    assert Challenge.objects.get().status == "SENT"


def test_wrong_codes_are_counted_and_the_sixth_try_is_refused_even_if_right(api, payer, payee, vendors):
    payment = pay(payer, payee)
    pass_on()
    right = code_of(vendors)

    answers = [
        api.post(f"payments/{payment.public_id}/confirm", {"code": wrong(right)}).json() for _ in range(5)
    ]
    sixth = api.post(f"payments/{payment.public_id}/confirm", {"code": right})

    assert [one["code"] for one in answers] == ["wrong_code"] * 5
    assert [one["detail"].split(";")[1].split()[0] for one in answers] == ["4", "3", "2", "1", "0"]
    assert (sixth.status_code, sixth.json()["code"]) == (429, "too_many_codes")
    payment.refresh_from_db()
    assert (payment.status, holds(payee)) == ("REQUIRES_ACTION", 0)


def test_a_code_is_sent_again_on_request_and_only_one_request_counts_while_it_is_on_its_way(
    api, payer, payee, vendors
):
    payment = pay(payer, payee)
    pass_on()
    sent = [api.post(f"payments/{payment.public_id}/codes", key=f"c-{number}") for number in range(2)]
    on_its_way = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})
    pass_on(1)

    done = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})

    assert ([one.status_code for one in sent], Challenge.objects.count()) == ([202, 202], 2)
    assert on_its_way.json()["code"] == "code_on_its_way"
    assert done.json()["status"] == "completed"


def test_codes_cannot_be_asked_for_without_end(api, payer, payee, vendors):
    payment = pay(payer, payee)
    answers = []
    for number in range(6):
        pass_on(number)
        answers.append(api.post(f"payments/{payment.public_id}/codes", key=f"c-{number}").status_code)

    assert answers == [202, 202, 202, 202, 429, 429]
    assert Challenge.objects.filter(status="SENT").count() == 5


def test_a_code_expires_and_so_does_the_payment(api, payer, payee, vendors):
    payment = pay(payer, payee)
    pass_on()
    Challenge.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    late = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})
    ended = cancel_unconfirmed(now=clock.now() + timedelta(minutes=16))

    payment.refresh_from_db()
    assert (late.status_code, late.json()["code"], ended) == (422, "code_used_up", 1)
    assert (payment.status, payment.refusal_code, holds(payee)) == ("CANCELED", "not_confirmed", 0)


def test_a_payer_without_a_number_is_told_so(api, payer, payee, vendors):
    Customer.objects.filter(pk=payer.customer_id).update(phone=None, phone_index=None)
    payment = pay(payer, payee)
    pass_on()

    answer = api.post(f"payments/{payment.public_id}/confirm", {"code": "123456"})
    again = api.post(f"payments/{payment.public_id}/codes")

    assert (answer.status_code, answer.json()["code"]) == (422, "no_phone_number")
    assert again.json()["code"] == "no_phone_number"


def test_a_carrier_that_is_away_sends_the_code_when_it_is_back(payer, payee, vendors):
    pay(payer, payee)
    fault(vendors, "too_many")
    pass_on()
    waiting = Challenge.objects.get().status
    vendors.faults.plans = []

    pass_on(6)

    assert (waiting, Challenge.objects.get().status) == ("PLANNED", "SENT")
    assert len(twilio(vendors).books()["verifications"]) == 1


@pytest.mark.parametrize("do", ["hang_after_effect", "cut_after_effect", "error_after_effect", "garbage"])
def test_a_code_of_which_nobody_knows_whether_it_left_ends_and_a_new_one_can_be_asked_for(
    api, payer, payee, vendors, do
):
    payment = pay(payer, payee)
    fault(vendors, do)
    pass_on()
    vendors.faults.plans = []
    breaker_for("twilio").reset()

    unsure = api.post(f"payments/{payment.public_id}/confirm", {"code": "123456"})
    api.post(f"payments/{payment.public_id}/codes")
    pass_on(1)
    answer = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})

    assert (unsure.status_code, unsure.json()["code"]) == (422, "code_not_sent")
    assert answer.json()["status"] == "completed"


def test_a_worker_that_dies_while_it_sends_does_not_send_twice(payer, payee, vendors):
    pay(payer, payee)
    relay(now=clock.now())
    Challenge.objects.update(status="STARTING", next_step_at=clock.now() + timedelta(seconds=60))

    taken = [send_planned(now=clock.now() + timedelta(seconds=seconds)) for seconds in (59, 61, 200)]

    assert taken == [0, 1, 0]
    assert (Challenge.objects.get().status, Challenge.objects.get().reason) == ("FAILED", "unknown")
    assert twilio(vendors).books()["verifications"] == {}


def test_a_check_that_cannot_be_made_leaves_the_code_good(api, payer, payee, vendors):
    payment = pay(payer, payee)
    pass_on()
    fault(vendors, "cut_before_effect", "*VerificationCheck")
    away = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})
    vendors.faults.plans = []

    back = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})

    assert (away.status_code, away.json()["code"]) == (503, "code_not_checked")
    assert back.json()["status"] == "completed"


def test_a_right_code_whose_worker_died_before_the_money_moved_need_not_be_given_again(
    api, payer, payee, vendors
):
    payment = pay(payer, payee)
    pass_on()
    Challenge.objects.update(status="APPROVED", approved_at=clock.now())

    answer = api.post(f"payments/{payment.public_id}/confirm", {"code": "0000"})

    assert answer.json()["status"] == "completed"


def test_money_that_may_not_move_any_more_does_not_move_for_a_right_code(api, payer, payee, vendors):
    payment = pay(payer, payee)
    pass_on()
    freeze_wallet(wallet_id=payer.pk, reason_code="FRAUD", note="", now=clock.now())

    answer = api.post(f"payments/{payment.public_id}/confirm", {"code": code_of(vendors)})

    assert (answer.status_code, answer.json()["code"]) == (422, "wallet_frozen")
    assert answer.json()["object"] == payment.public_id
    payment.refresh_from_db()
    assert (payment.status, holds(payee)) == ("FAILED", 0)


def test_another_partner_confirms_nothing_and_bad_codes_are_refused(
    api, other_partner, payer, payee, vendors
):
    payment = pay(payer, payee)
    pass_on()
    stranger = Api(make_client(other_partner))
    path = f"payments/{payment.public_id}/confirm"

    assert stranger.post(path, {"code": code_of(vendors)}).status_code == 404
    assert stranger.post(f"payments/{payment.public_id}/codes").status_code == 404
    for bad in ({}, {"code": ""}, {"code": 123456}, {"code": "1" * 11}, {"code": "123456", "more": 1}):
        assert api.post(path, bad).status_code == 400
    payment.refresh_from_db()
    assert payment.status == "REQUIRES_ACTION"


# --- messages ---------------------------------------------------------------------------------------------------------


def texts(vendors):
    return sorted((one["to"], one["body"]) for one in twilio(vendors).messages.values())


def test_both_sides_are_written_to_once_when_a_payment_is_completed(wanted, payer, payee, vendors):
    payment = pay(payer, payee, 1_250, fraud_check=None)
    at = clock.now()

    relay(now=at)
    relay(now=at)
    send_due(now=at)

    assert texts(vendors) == [
        (PAYER_PHONE, f"Northwind Pay: you sent 12.50 EUR. Reference {payment.public_id}."),
        (PAYEE_PHONE, f"Northwind Pay: you received 12.50 EUR. Reference {payment.public_id}."),
    ]
    assert Message.objects.count() == 2


def test_a_top_up_is_told_to_its_owner(wanted, payee, vendors):
    payment = begin_top_up(payee, 5_000)
    work()
    relay(now=clock.now())
    send_due(now=clock.now())

    text = f"Northwind Pay: 50.00 EUR was added to your wallet. Reference {payment.public_id}."
    assert texts(vendors) == [(PAYEE_PHONE, text)]


def test_nobody_is_written_to_unless_the_partner_wants_it(payer, payee, vendors):
    pay(payer, payee, 1_250, fraud_check=None)

    relay(now=clock.now())

    assert Message.objects.count() == 0


def test_who_has_no_number_or_wants_no_message_gets_none(wanted, payer, payee, vendors):
    Customer.objects.filter(pk=payer.customer_id).update(phone=None, phone_index=None)
    opt_out(customer_id=payee.customer_id, kind=MessageKind.SERVICE, now=clock.now())
    pay(payer, payee, 1_250, fraud_check=None)

    relay(now=clock.now())
    send_due(now=clock.now())

    assert [(one.status, one.reason) for one in Message.objects.all()] == [("SUPPRESSED", "opted_out")]
    assert texts(vendors) == []


def test_history_and_what_was_refused_is_not_written_about(wanted, payer, payee, vendors):
    pay(payer, payee, 1_250, fraud_check=None)
    pay(payer, payee, 999_999, fraud_check=None)

    relay(now=clock.now() + timedelta(hours=2))

    assert Payment.objects.filter(status="REFUSED").count() == 1
    assert Message.objects.count() == 0


# --- settings ---------------------------------------------------------------------------------------------------------


def put(api, data):
    return Client().put(
        "/api/v1/message_settings", data=data, content_type="application/json", headers=bearer(api.client)
    )


def test_settings_are_off_until_set_and_replaced_as_a_whole(api, other_partner):
    before = api.get("message_settings").json()
    first = put(api, {"payment_messages": True, "code_from": {"EUR": 10_000, "JPY": 0}})
    second = put(api, {"payment_messages": False, "code_from": {"USD": 5}})

    assert (before["payment_messages"], before["code_from"]) == (False, {})
    assert first.json()["code_from"] == {"EUR": 10_000, "JPY": 0}
    assert second.json() == api.get("message_settings").json()
    assert (second.json()["payment_messages"], second.json()["code_from"]) == (False, {"USD": 5})
    assert Api(make_client(other_partner)).get("message_settings").json()["code_from"] == {}


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"payment_messages": True},
        {"payment_messages": "true", "code_from": {}},
        {"payment_messages": 1, "code_from": {}},
        {"payment_messages": True, "code_from": []},
        {"payment_messages": True, "code_from": {"XXQ": 1}},
        {"payment_messages": True, "code_from": {"EUR": -1}},
        {"payment_messages": True, "code_from": {"EUR": 1.5}},
        {"payment_messages": True, "code_from": {"EUR": True}},
        {"payment_messages": True, "code_from": {"EUR": 10**13}},
    ],
)
def test_bad_settings_are_refused(api, bad):
    assert put(api, bad).status_code == 400


def test_settings_need_their_scope(partner):
    reader = Api(make_client(partner, ["settings:read"]))

    assert reader.get("message_settings").status_code == 200
    assert put(reader, {"payment_messages": True, "code_from": {}}).status_code == 403


def test_a_codes_life_is_shorter_than_the_payments(payer, payee):
    payment = pay(payer, payee)

    assert cancel_unconfirmed(now=payment.created_at + LIFE) == 0
