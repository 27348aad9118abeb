"""Top-ups over real HTTP against a vendor that accepts, declines, hangs, repeats itself and is imitated."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from flowlet.backoffice.tests.conftest import log_in
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.operations import place_restriction
from flowlet.integrations.breaker import breaker_for
from flowlet.integrations.models import VendorEvent
from flowlet.integrations.simulation.faults import Plan
from payments.admin_today import payment_href, payments_href
from payments.models import Payment, PaymentAttempt
from payments.tests.outside import (
    VISA,
    begin,
    clearing,
    later,
    process,
    tell,
    top_up,
    vendor_events,
    work,
)
from wallets.errors import KeyUsedBefore
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import holds, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(customer):
    return make_wallet(customer)


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def collected(vendors):
    return [row["amount"] for row in vendors.vendors["stripe"].books()["movements"].values()]


def told(payment):
    rows = Event.objects.filter(object_id=payment.public_id).order_by("pk")
    return list(rows.values_list("type", flat=True))


def hang(vendors, do="hang_after_effect"):
    vendors.faults.plans = [
        Plan(do, {"vendor": "stripe", "method": "POST", "path": "/v1/payment_intents", "nth": [1]}, 3)
    ]


def test_a_top_up_is_begun_collected_booked_and_shown(api, wallet, vendors):
    body = {"wallet": wallet.public_id, "payment_method": VISA, "amount": 5_000, "currency": "EUR"}

    made = api.post("top_ups", body, key="k-1")
    again = api.post("top_ups", body, key="k-1")
    before = collected(vendors)
    work()

    assert (made.status_code, made.json()["status"], before) == (201, "processing", [])
    assert again.content == made.content
    shown = api.get(f"payments/{made.json()['id']}").json()
    assert (shown["type"], shown["status"], shown["payer_wallet"]) == ("top_up", "completed", None)
    assert (collected(vendors), holds(wallet), clearing()) == ([5_000], 5_000, 5_000)
    attempt = api.get(f"payments/{shown['id']}/attempts").json()["data"][0]
    assert (attempt["state"], attempt["number"]) == ("done", 1)
    assert attempt["vendor_reference"].startswith("pi_")
    assert told(Payment.objects.get()) == ["payment.processing", "payment.completed"]


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required"),
        ("pm_card_of_nobody", "card_declined"),
    ],
)
def test_a_card_that_says_no_fails_the_payment_and_moves_nothing(wallet, vendors, card, code):
    payment = top_up(wallet, card=card)

    assert (payment.status, payment.refusal_code) == ("FAILED", code)
    assert (collected(vendors), holds(wallet), clearing()) == ([], 0, 0)
    assert told(payment) == ["payment.processing", "payment.failed"]


def test_a_vendor_that_hangs_after_the_effect_leaves_it_unknown_then_it_is_found_and_booked_once(
    wallet, vendors
):
    hang(vendors)

    unknown = top_up(wallet)
    in_between = holds(wallet)
    for seconds in (20, 120, 600):
        work(seconds)

    assert (unknown.status, in_between) == ("OUTCOME_UNKNOWN", 0)
    unknown.refresh_from_db()
    assert (unknown.status, holds(wallet), clearing()) == ("COMPLETED", 5_000, 5_000)
    assert collected(vendors) == [5_000]
    assert told(unknown) == ["payment.processing", "payment.outcome_unknown", "payment.completed"]


def test_a_vendor_that_hangs_before_the_effect_is_asked_again_under_the_same_reference(wallet, vendors):
    hang(vendors, "hang_before_effect")

    unknown = top_up(wallet)
    early = PaymentAttempt.objects.get()
    work(20)
    still = PaymentAttempt.objects.get()
    work(120)
    work(200)

    assert (unknown.status, early.state, still.state) == ("OUTCOME_UNKNOWN", "UNKNOWN", "UNKNOWN")
    unknown.refresh_from_db()
    assert (unknown.status, holds(wallet), collected(vendors)) == ("COMPLETED", 5_000, [5_000])
    assert unknown.attempts.count() == 1


def test_a_worker_that_dies_after_sending_is_found_by_the_next(wallet, vendors):
    payment = begin(wallet)
    PaymentAttempt.objects.update(state="SENT", sent_at=later(), next_check_at=later(60))

    work(59)
    waiting = PaymentAttempt.objects.get().state
    work(61)
    work(100)

    payment.refresh_from_db()
    assert (waiting, payment.status, collected(vendors)) == ("SENT", "COMPLETED", [5_000])


def test_a_vendor_that_cannot_be_reached_is_called_when_it_is_back(wallet, vendors, settings):
    address = settings.VENDORS["stripe"]["base_url"]
    settings.VENDORS["stripe"]["base_url"] = "http://127.0.0.1:1"

    away = top_up(wallet)
    settings.VENDORS["stripe"]["base_url"] = address
    work(20)

    assert (away.status, PaymentAttempt.objects.get().sent_at is not None) == ("PROCESSING", True)
    away.refresh_from_db()
    assert (away.status, collected(vendors)) == ("COMPLETED", [5_000])


def test_what_could_never_be_sent_fails_after_twenty_hours(wallet, vendors, settings):
    settings.VENDORS["stripe"]["base_url"] = "http://127.0.0.1:1"

    payment = begin(wallet)
    work(20 * 3600 + 60)

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code, holds(wallet)) == ("FAILED", "not_sent", 0)


def test_a_webhook_settles_what_is_unknown_and_a_second_one_changes_nothing(wallet, vendors):
    hang(vendors)
    payment = top_up(wallet)
    (body,) = vendor_events(vendors, "payment_intent.succeeded")

    answers = [tell(body), tell(body)]
    process()
    process()

    payment.refresh_from_db()
    assert (answers, payment.status) == ([200, 200], "COMPLETED")
    assert (VendorEvent.objects.get().status, holds(wallet), clearing()) == ("PROCESSED", 5_000, 5_000)
    assert told(payment).count("payment.completed") == 1


def test_a_forged_webhook_changes_nothing(wallet, vendors):
    hang(vendors)
    payment = top_up(wallet)
    (body,) = vendor_events(vendors, "payment_intent.succeeded")

    answers = [tell(body, secret="whsec_other"), tell(body, age=400)]
    process()

    payment.refresh_from_db()
    assert all(status >= 400 for status in answers)
    assert (payment.status, holds(wallet), VendorEvent.objects.count()) == ("OUTCOME_UNKNOWN", 0, 0)


def test_a_signed_webhook_that_lies_is_not_believed_but_looked_up(wallet, vendors):
    payment = top_up(wallet, card="pm_card_visa_chargeDeclined")
    (body,) = vendor_events(vendors, "payment_intent.payment_failed")

    tell(body.replace(b"payment_intent.payment_failed", b"payment_intent.succeeded"))
    process()

    payment.refresh_from_db()
    assert (payment.status, holds(wallet), clearing()) == ("FAILED", 0, 0)


def test_money_for_a_wallet_frozen_meanwhile_is_parked_not_lost(wallet, vendors):
    payment = begin(wallet)
    freeze_wallet(wallet_id=wallet.pk, reason_code="FRAUD", note="", now=later())

    work()

    payment.refresh_from_db()
    assert (payment.status, payment.parked, holds(wallet), clearing()) == ("COMPLETED", True, 0, 5_000)


def test_a_restricted_customer_is_refused_in_neutral_words_and_nothing_is_collected(api, wallet, vendors):
    place_restriction(
        customer_id=wallet.customer_id, kind="NO_IN", source="OPS", reason_code="REVIEW", now=later()
    )
    body = {"wallet": wallet.public_id, "payment_method": VISA, "amount": 5_000, "currency": "EUR"}

    answer = api.post("top_ups", body, key="k-1")
    work()

    assert (answer.status_code, answer.json()["code"]) == (422, "under_review")
    assert Payment.objects.get().status == "REFUSED"
    assert collected(vendors) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"amount": 0}, 400),
        ({"amount": 10.5}, 400),
        ({"amount": "5000"}, 400),
        ({"currency": "USD"}, 422),
        ({"currency": "XXQ"}, 400),
        ({"payment_method": ""}, 400),
        ({"wallet": "wal_01K8Z5M3W4J7T2R9QX6V0BND1C"}, 404),
        ({"rail": "internal"}, 400),
    ],
)
def test_bad_input_is_refused_and_nothing_is_begun(api, wallet, vendors, changes, status):
    body = {"wallet": wallet.public_id, "payment_method": VISA, "amount": 5_000, "currency": "EUR", **changes}

    answer = api.post("top_ups", body, key="k-1")

    assert answer.status_code == status, answer.content
    assert (Payment.objects.count(), collected(vendors)) == (0, [])


def test_a_foreign_wallet_does_not_exist(other_partner, wallet):
    stranger = Api(make_client(other_partner))
    body = {"wallet": wallet.public_id, "payment_method": VISA, "amount": 5_000, "currency": "EUR"}

    assert stranger.post("top_ups", body, key="k-1").status_code == 404


def test_one_key_is_one_top_up(wallet, vendors):
    first = begin(wallet, key="once")

    assert begin(wallet, key="once").pk == first.pk
    with pytest.raises(KeyUsedBefore):
        begin(wallet, minor=1, key="once")
    with pytest.raises(KeyUsedBefore):
        begin(wallet, card="pm_card_amex", key="once")


def test_raw_sql_cannot_move_a_state_backwards_or_change_what_was_asked(wallet, vendors):
    top_up(wallet)
    top_up(wallet, card="pm_card_visa_chargeDeclined")
    attacks = [
        "UPDATE payments_payment SET status = 'PROCESSING', transaction_id = NULL, completed_at = NULL WHERE status = 'COMPLETED'",
        "UPDATE payments_payment SET status = 'PROCESSING', refusal_code = '' WHERE status = 'FAILED'",
        "UPDATE payments_payment SET amount_minor = amount_minor + 1",
        "UPDATE payments_payment SET refunding_minor = amount_minor + 1 WHERE status = 'COMPLETED'",
        "UPDATE payments_payment SET refunded_minor = -1 WHERE status = 'COMPLETED'",
        "UPDATE payments_payment SET refunding_minor = 1 WHERE status = 'FAILED'",
        "UPDATE payments_paymentattempt SET state = 'DONE' WHERE state = 'REFUSED'",
        "UPDATE payments_paymentattempt SET state = 'UNKNOWN' WHERE state = 'DONE'",
        "UPDATE payments_paymentattempt SET our_reference = 'other' WHERE state = 'DONE'",
        "DELETE FROM payments_paymentattempt",
    ]

    for attack in attacks:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)


def test_the_back_office_shows_calls_and_the_unknown_queue(
    ops, wallet, vendors, django_assert_max_num_queries
):
    done = top_up(wallet)
    hang(vendors)
    unknown = top_up(wallet)
    browser = log_in(ops)

    queue = browser.get(payments_href(view="unknown")).content.decode()
    with django_assert_max_num_queries(16):
        page = browser.get(payment_href(done)).content.decode()
    customer = browser.get(reverse("admin:identity_customer_change", args=[wallet.customer.public_id]))
    found = browser.get(payments_href(q=done.public_id)).content.decode()

    assert unknown.public_id in queue
    assert done.public_id not in queue
    assert done.attempts.get().vendor_reference in page
    assert "From Card" in customer.content.decode()
    assert "Card → Mirela Sandvik" in found


def test_attempts_have_no_key_to_ask_for(api, wallet, vendors):
    payment = top_up(wallet)

    answer = api.get(f"payments/{payment.public_id}/attempts?idempotency_key=k-1")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/idempotency_key")


def test_whatever_goes_wrong_on_the_way_our_books_end_as_the_vendors(wallet, vendors):
    faults = ["hang_after_effect", "cut_before_effect", "cut_after_effect", "error_after_effect", "garbage"]
    paths = {"vendor": "stripe", "method": "POST", "path": "/v1/payment_intents"}
    vendors.faults.plans = [
        Plan(fault, {**paths, "nth": [2 + index]}, 2) for index, fault in enumerate(faults)
    ]

    made = [begin(wallet, 1_000 + number) for number in range(12)]
    for minute in range(0, 40, 2):
        breaker_for("stripe").reset()  # it counts real seconds, of which none pass here
        work(minute * 60)

    assert {row.status for row in Payment.objects.all()} == {"COMPLETED"}
    assert len(collected(vendors)) == len(made)
    assert holds(wallet) == clearing() == sum(collected(vendors))
