"""Messages and codes: one for each cause, never twice, what people and carriers said is kept to."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from flowlet.core import clock
from flowlet.core.errors import NotFound
from flowlet.core.messages import DeliveryReport, DeliveryState
from flowlet.identity import operations as identity
from flowlet.integrations.events import process_due
from flowlet.integrations.simulation.faults import Plan
from flowlet.notifications import codes, operations, queries, texts
from flowlet.notifications.choices import Channel, MessageKind
from flowlet.notifications.errors import CodeNotSent, CodeUsedUp, NoPhoneNumber, TooManyCodes
from flowlet.notifications.models import Message, Template
from flowlet.notifications.operations import RETRY_S, SILENT_S, opt_in, opt_out, queue_sms, send_due

PHONE = "+4915112345678"
VALUES = {"partner": "Northwind Pay", "amount": "12.50 EUR", "reference": "pay_1"}
# These tests send for real (to the simulator), between commits.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def person(partner, now):
    return _person(partner, PHONE, now)


def _person(partner, phone, now):
    return identity.create_customer(
        partner_id=partner.pk,
        kind="PERSON",
        given_name="Mirela",
        family_name="Sandvik",
        country="NO",
        phone=phone,
        now=now,
    )


def _queue(person, now, *, cause="payment.completed:pay_1", template="payment_sent", **more):
    return queue_sms(customer_id=person.pk, cause=cause, template=template, values=VALUES, now=now, **more)


def _fault(vendors, do, path="*/Messages.json", method="POST"):
    vendors.faults.plans = [Plan.read({"match": {"path": path, "method": method}, "do": do, "seconds": 5})]


def test_a_message_is_sent_and_its_delivery_comes_back(vendors, person, now, client):
    message = _queue(person, now)

    send_due(now=now)
    sent = Message.objects.get()
    vendors.world.advance(1)
    vendors.run_due()
    for delivery in vendors.outbox.pending:
        body, headers = vendors.vendors["twilio"].signed(delivery, 0)
        kind = headers.pop("Content-Type")
        path = delivery.url.removeprefix("http://testserver")
        assert client.post(path, data=body, content_type=kind, headers=headers).status_code == 200
    process_due(now=clock.now())

    assert (sent.status, message.status) == ("SENT", "QUEUED")
    done = Message.objects.get()
    assert (done.status, done.vendor_reference) == ("DELIVERED", sent.vendor_reference)
    assert [one["body"] for one in vendors.vendors["twilio"].messages.values()] == [
        "Northwind Pay: you sent 12.50 EUR. Reference pay_1."
    ]


def test_one_cause_gives_one_message(vendors, person, now):
    first, second = _queue(person, now), _queue(person, now)

    send_due(now=now)
    send_due(now=now + timedelta(days=1))

    assert first.pk == second.pk
    assert len(vendors.vendors["twilio"].messages) == 1


def test_number_and_words_are_encrypted_at_rest(person, now):
    _queue(person, now)

    with connection.cursor() as cursor:
        cursor.execute('SELECT "to", text FROM notifications_message')
        stored = b"".join(bytes(value) for value in cursor.fetchone())

    assert PHONE.encode() not in stored
    assert b"Northwind" not in stored


@pytest.mark.parametrize("fault", ["cut_after_effect", "error_after_effect", "garbage"])
def test_an_unknown_message_is_looked_up_and_not_sent_again(vendors, person, now, fault):
    _queue(person, now)
    _fault(vendors, fault)
    send_due(now=now)
    unknown = Message.objects.get().status
    vendors.faults.plans = []

    send_due(now=now + timedelta(seconds=RETRY_S[0]))

    assert unknown == "UNKNOWN"
    assert Message.objects.get().status in ("SENT", "DELIVERED")
    assert len(vendors.vendors["twilio"].messages) == 1


def test_a_message_that_was_certainly_not_sent_goes_out_later(vendors, person, now):
    _queue(person, now)
    _fault(vendors, "too_many")
    send_due(now=now)
    waiting = Message.objects.get()
    vendors.faults.plans = []

    send_due(now=now + timedelta(seconds=RETRY_S[0]))

    assert (waiting.status, waiting.reason) == ("QUEUED", "too_many_requests")
    assert Message.objects.get().status == "SENT"
    assert len(vendors.vendors["twilio"].messages) == 1


def test_a_message_nobody_can_find_ends_as_failed_and_is_never_sent_again(vendors, person, now):
    _queue(person, now)
    _fault(vendors, "cut_before_effect")
    at = now
    send_due(now=at)
    vendors.faults.plans = []
    for wait in RETRY_S:
        at += timedelta(seconds=wait)
        send_due(now=at)

    message = Message.objects.get()

    assert (message.status, message.reason) == ("FAILED", "not_found")
    assert vendors.vendors["twilio"].messages == {}


def test_a_worker_that_died_while_sending_leaves_an_unknown_message(vendors, person, now):
    _queue(person, now)
    with connection.cursor() as cursor:
        later = now + timedelta(seconds=SILENT_S)
        cursor.execute(operations._CLAIM, {"now": now, "later": later, "limit": 10})

    send_due(now=now + timedelta(seconds=SILENT_S))

    assert Message.objects.get().status == "UNKNOWN"
    assert vendors.vendors["twilio"].messages == {}


def test_an_invalid_number_fails_with_its_reason(vendors, partner, now):
    _queue(_person(partner, "+15005550001", now), now)

    send_due(now=now)

    message = Message.objects.get()
    assert (message.status, message.reason) == ("FAILED", "invalid_number")


def test_a_carriers_stop_is_kept_for_security_messages_too(vendors, partner, now):
    person = _person(partner, "+15005550004", now)
    _queue(person, now)
    send_due(now=now)

    later = _queue(person, now, cause="card.frozen:crd_1", template="card_frozen")

    assert Message.objects.get(cause="payment.completed:pay_1").status == "SUPPRESSED"
    assert (later.status, later.reason) == ("SUPPRESSED", "opted_out")


def test_a_person_can_opt_out_but_security_messages_still_come(person, now):
    opt_out(customer_id=person.pk, kind=MessageKind.SERVICE, now=now)
    service = _queue(person, now)
    security = _queue(person, now, cause="card.frozen:crd_1", template="card_frozen")
    opt_in(customer_id=person.pk, kind=MessageKind.SERVICE)
    afterwards = _queue(person, now, cause="payment.completed:pay_2")

    assert [one.status for one in (service, security, afterwards)] == ["SUPPRESSED", "QUEUED", "QUEUED"]


def test_nobody_gets_more_than_ten_messages_an_hour(person, now):
    messages = [_queue(person, now, cause=f"payment.completed:pay_{n}") for n in range(11)]
    security = _queue(person, now, cause="card.frozen:crd_1", template="card_frozen")
    next_hour = _queue(person, now + timedelta(hours=2), cause="payment.completed:pay_99")

    assert [one.status for one in messages] == ["QUEUED"] * 10 + ["SUPPRESSED"]
    assert messages[-1].reason == "too_many_this_hour"
    assert (security.status, next_hour.status) == ("QUEUED", "QUEUED")


def test_without_a_number_the_message_is_kept_as_suppressed(customer, now):
    message = _queue(customer, now)

    assert (message.status, message.reason) == ("SUPPRESSED", "no_phone_number")


@pytest.mark.parametrize("order", [("SENT", "DELIVERED"), ("DELIVERED", "SENT"), ("DELIVERED", "DELIVERED")])
def test_reports_in_any_order_end_in_the_same_state(vendors, person, now, order):
    message = _queue(person, now)
    send_due(now=now)

    for status in order:
        operations.receive_report(DeliveryReport(message.public_id, DeliveryState(status, "SM1")), now)

    assert Message.objects.get().status == "DELIVERED"
    assert not operations.receive_report(DeliveryReport("msg_nothing", DeliveryState("SENT", "SM1")), now)


def test_words_come_in_the_language_or_in_english_and_newer_versions_win(person, now):
    german = _queue(person, now, language="de")
    unknown = _queue(person, now, cause="payment.completed:pay_2", language="fi")
    Template.objects.create(
        code="payment_sent",
        language="en",
        channel=Channel.SMS,
        version=1,
        text="$partner: gone.",
        created_at=now,
    )
    newer = _queue(person, now, cause="payment.completed:pay_3")

    assert german.text.startswith("Northwind Pay: Sie haben 12.50 EUR gesendet.")
    assert (unknown.language, unknown.template_version) == ("en", 0)
    assert (newer.text, newer.template_version) == ("Northwind Pay: gone.", 1)


def test_words_with_a_hole_are_not_sent(person, now):
    with pytest.raises(KeyError):
        queue_sms(customer_id=person.pk, cause="x", template="payment_sent", values={}, now=now)
    with pytest.raises(KeyError):
        queries.get_text(code="nothing", language="en", channel=Channel.SMS)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
    ],
)
def test_the_length_of_a_text_is_counted_as_carriers_count(text, parts):
    assert texts.sms_parts(text) == parts


def test_the_right_code_approves_once_and_for_its_purpose_only(vendors, person, now):
    challenge = codes.start_code(customer_id=person.pk, purpose="payment.confirm:pay_1", now=now)
    right = vendors.vendors["twilio"].codes[challenge.vendor_reference]
    wrong = "000000" if right != "000000" else "111111"

    answers = [
        codes.check_code(customer_id=person.pk, challenge=challenge.public_id, code=code, now=now)
        for code in (wrong, right)
    ]

    assert answers == [False, True]
    assert codes.is_approved(customer_id=person.pk, purpose="payment.confirm:pay_1", now=now)
    assert not codes.is_approved(customer_id=person.pk, purpose="payment.confirm:pay_2", now=now)
    later = now + timedelta(minutes=10)
    assert not codes.is_approved(customer_id=person.pk, purpose="payment.confirm:pay_1", now=later)
    with pytest.raises(CodeUsedUp):
        codes.check_code(customer_id=person.pk, challenge=challenge.public_id, code=right, now=now)


def test_five_wrong_codes_end_it_even_for_the_right_one(vendors, person, now):
    challenge = codes.start_code(customer_id=person.pk, purpose="x", now=now)
    right = vendors.vendors["twilio"].codes[challenge.vendor_reference]
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        codes.check_code(customer_id=person.pk, challenge=challenge.public_id, code=wrong, now=now)

    with pytest.raises(TooManyCodes):
        codes.check_code(customer_id=person.pk, challenge=challenge.public_id, code=right, now=now)


def test_codes_expire_and_are_nobody_elses(vendors, person, customer, now):
    challenge = codes.start_code(customer_id=person.pk, purpose="x", now=now)

    with pytest.raises(CodeUsedUp):
        codes.check_code(
            customer_id=person.pk, challenge=challenge.public_id, code="1", now=now + timedelta(minutes=10)
        )
    with pytest.raises(NotFound):
        codes.check_code(customer_id=customer.pk, challenge=challenge.public_id, code="1", now=now)


def test_codes_are_refused_without_a_number_and_after_five_in_an_hour(vendors, person, customer, now):
    with pytest.raises(NoPhoneNumber):
        codes.start_code(customer_id=customer.pk, purpose="x", now=now)
    for _ in range(5):
        codes.start_code(customer_id=person.pk, purpose="x", now=now)
    with pytest.raises(TooManyCodes):
        codes.start_code(customer_id=person.pk, purpose="x", now=now)


def test_a_code_of_which_we_do_not_know_whether_it_went_out_is_not_good(vendors, person, now):
    _fault(vendors, "cut_after_effect", path="*/Verifications")

    with pytest.raises(CodeNotSent):
        codes.start_code(customer_id=person.pk, purpose="x", now=now)
