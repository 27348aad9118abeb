"""Every client against every fault, over real HTTP: what the call came to, and what the vendor's books say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from flowlet.core.errors import InvariantBroken
from flowlet.core.messages import Sms
from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.integrations.models import VendorCall
from flowlet.integrations.openai import client as openai
from flowlet.integrations.plaid import client as plaid
from flowlet.integrations.plaid import transfers
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.stripe import client as stripe
from flowlet.integrations.twilio.client import CodeSender, SmsSender

pytestmark = pytest.mark.django_db
SMS = Sms("+4915112345678", "Your payment was made.", "msg_1")


@dataclass(frozen=True)
class Case:
    vendor: str
    path: str
    prepare: Callable[[], Callable[[], Answer]]
    good: Outcome
    effects: Callable[[dict], int]
    find: Callable[[], Answer] | None = None


def _since() -> datetime:
    return datetime.now(tz=UTC) - timedelta(minutes=5)


def _pay() -> Callable[[], Answer]:
    return lambda: stripe.create_intent(
        amount=Money(2500, "EUR"), our_reference="pay_1", payment_method="pm_card_visa"
    )


def _give_back() -> Callable[[], Answer]:
    intent = _pay()().reference
    return lambda: stripe.create_refund(intent=intent, amount=Money(500, "EUR"), our_reference="ref_1")


def _linked() -> tuple[str, str]:
    public = plaid.create_sandbox_public_token(institution="ins_109508").value
    token = plaid.exchange_public_token(public_token=public, our_reference="lnk_1").value.access_token
    return token, plaid.get_accounts(access_token=token).value[0].id


def _transfer() -> Callable[[], Answer]:
    token, account = _linked()
    approved = transfers.authorize_transfer(
        access_token=token,
        account_id=account,
        direction="debit",
        amount=Money(10_000, "USD"),
        legal_name="Alberta Charleson",
        our_reference="pay_2",
    )
    return lambda: transfers.create_transfer(
        access_token=token,
        account_id=account,
        authorization=approved.reference,
        description="TOPUP",
        our_reference="pay_2",
    )


CASES = {
    "stripe payment": Case(
        "stripe",
        "/v1/payment_intents",
        _pay,
        Outcome.DONE,
        lambda books: len(books["stripe"]["movements"]),
        lambda: stripe.find_intent(our_reference="pay_1", since=_since()),
    ),
    "stripe refund": Case(
        "stripe",
        "/v1/refunds",
        _give_back,
        Outcome.DONE,
        lambda books: len(books["stripe"]["refunds"]),
        None,
    ),
    "plaid transfer": Case(
        "plaid",
        "/transfer/create",
        _transfer,
        Outcome.ACCEPTED,
        lambda books: len(books["plaid"]["transfers"]),
        lambda: transfers.find_transfer(our_reference="pay_2", since=_since()),
    ),
    "twilio message": Case(
        "twilio",
        "*/Messages.json",
        lambda: lambda: SmsSender().send(SMS),
        Outcome.ACCEPTED,
        lambda books: len(books["twilio"]["messages"]),
        lambda: SmsSender().find(SMS, since=_since()),
    ),
    "twilio code": Case(
        "twilio",
        "*/Verifications",
        lambda: lambda: CodeSender().start(to=SMS.to, language="en", our_reference="stp_1"),
        Outcome.ACCEPTED,
        lambda books: len(books["twilio"]["codes"]),
        None,
    ),
    "openai answer": Case(
        "openai",
        "/responses",
        lambda: lambda: openai.complete(instructions="Be short.", prompt="Hello", our_reference="ask_1"),
        Outcome.DONE,
        lambda books: len(books["openai"]["responses"]),
        None,
    ),
}
# What we say; whether it has happened there.
FAULTS = {
    "delay": (None, "", True),
    "hang_before_effect": (Outcome.UNKNOWN, "timed_out", False),
    "hang_after_effect": (Outcome.UNKNOWN, "timed_out", True),
    "cut_before_effect": (Outcome.UNKNOWN, "connection_lost", False),
    "cut_after_effect": (Outcome.UNKNOWN, "connection_lost", True),
    "error_before_effect": (Outcome.UNKNOWN, "vendor_fault", False),
    "error_after_effect": (Outcome.UNKNOWN, "vendor_fault", True),
    "too_many": (Outcome.NOT_SENT, "too_many_requests", False),
    "garbage": (Outcome.UNKNOWN, "unreadable", True),
}


def _books(vendors) -> dict:
    return {name: vendor.books() for name, vendor in vendors.vendors.items()}


def _strike(vendors, case: Case, fault: str) -> None:
    match = {"vendor": case.vendor, "method": "POST", "path": case.path}
    seconds = 0.05 if fault == "delay" else 5
    vendors.faults.plans = [Plan.read({"match": match, "do": fault, "seconds": seconds})]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_named_for_what_it_is_and_the_books_agree(vendors, settings, name, fault):
    case, (outcome, code, happened) = CASES[name], FAULTS[fault]
    act = case.prepare()
    before = case.effects(_books(vendors))
    _strike(vendors, case, fault)
    if fault.startswith("hang"):
        settings.VENDORS[case.vendor]["read_timeout_s"] = 0.6

    answer = act()

    assert answer.outcome is (outcome or case.good)
    assert answer.code == code
    effects = case.effects(_books(vendors)) - before
    if case.vendor == "openai" and fault != "delay":
        assert effects in (0, 2)  # asked twice, by design
    else:
        assert effects == int(happened)
    if case.find:
        vendors.faults.plans = []
        found = case.find()
        if happened:
            # By now a message may have been delivered.
            assert found.outcome in (case.good, Outcome.DONE)
        else:
            assert (found.outcome, found.code) == (Outcome.NOT_SENT, "not_found")


@pytest.mark.parametrize("name", CASES)
def test_a_closed_door_means_that_nothing_was_sent(vendors, settings, name):
    case = CASES[name]
    act = case.prepare()
    settings.VENDORS[case.vendor]["base_url"] = "http://127.0.0.1:9"

    answer = act()

    assert (answer.outcome, answer.code, answer.alarm) == (Outcome.NOT_SENT, "no_connection", False)


@pytest.mark.parametrize("name", CASES)
def test_refused_keys_raise_an_alarm_and_nothing_was_sent(vendors, settings, name):
    case = CASES[name]
    act = case.prepare()
    settings.VENDORS[case.vendor]["key"] = "wrong"
    if case.vendor == "twilio":
        settings.VENDORS["twilio"]["account"] = "AC" + "0" * 32

    answer = act()

    assert (answer.outcome, answer.code, answer.alarm) == (Outcome.NOT_SENT, "keys_refused", True)


@pytest.mark.parametrize("name", CASES)
def test_without_a_key_nobody_is_called(vendors, settings, name):
    case = CASES[name]
    act = case.prepare()
    settings.VENDORS[case.vendor]["key"] = ""

    answer = act()

    assert (answer.outcome, answer.code) == (Outcome.NOT_SENT, "not_configured")


@pytest.mark.parametrize(
    "fault", ["hang_before_effect", "cut_before_effect", "error_before_effect", "too_many", "garbage"]
)
def test_a_look_up_that_fails_never_says_that_nothing_was_sent(vendors, fault):
    _pay()()
    vendors.faults.plans = [
        Plan.read({"match": {"method": "GET", "path": "/v1/payment_intents"}, "do": fault, "seconds": 5})
    ]

    answer = stripe.find_intent(our_reference="pay_1", since=_since())

    assert answer.outcome is Outcome.UNKNOWN


def test_a_look_up_through_a_closed_door_is_unknown(vendors, settings):
    settings.VENDORS["stripe"]["base_url"] = "http://127.0.0.1:9"

    answer = stripe.find_intent(our_reference="pay_1", since=_since())

    assert answer.outcome is Outcome.UNKNOWN


def test_each_call_leaves_one_line_without_bodies(vendors):
    _pay()()

    line = VendorCall.objects.get()

    assert (line.vendor, line.operation, line.our_reference) == ("stripe", "payment_intent.create", "pay_1")
    assert line.outcome == "DONE"
    assert line.vendor_request_id.startswith("req_")
    assert line.vendor_reference.startswith("pi_")


@pytest.mark.django_db(transaction=True)
def test_no_vendor_is_called_inside_a_transaction(vendors):
    with pytest.raises(InvariantBroken), transaction.atomic():
        _pay()()

    assert vendors.vendors["stripe"].intents == {}
