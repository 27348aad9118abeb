"""Refunds over real HTTP: never more than was collected, whoever asks at once; what fails comes back."""

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.integrations.simulation.faults import Plan
from payments.errors import NotRefundable, RefundTooLarge, TooManyRefunds
from payments.models import Payment, Refund
from payments.operations import create_payment
from payments.tests.outside import (
    begin,
    clearing,
    give_back,
    later,
    process,
    tell,
    top_up,
    vendor_events,
    work,
)
from wallets.errors import KeyUsedBefore
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import at_once, holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(customer):
    return make_wallet(customer)


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def given_back(vendors):
    return [row["amount"] for row in vendors.vendors["stripe"].books()["refunds"].values()]


def told(refund):
    rows = Event.objects.filter(object_id=refund.public_id).order_by("pk")
    return list(rows.values_list("type", flat=True))


def test_a_top_up_is_given_back_in_part_then_whole(api, wallet, vendors):
    payment = top_up(wallet)

    part = api.post(f"payments/{payment.public_id}/refunds", {"amount": 2_000, "reason": "Twice"}, key="r-1")
    begun = holds(wallet)
    work()
    rest = api.post(f"payments/{payment.public_id}/refunds", {}, key="r-2")
    work()

    assert (part.status_code, part.json()["status"], part.json()["remaining_refundable"]) == (
        201,
        "pending",
        3_000,
    )
    assert (begun, rest.json()["amount"]) == (3_000, 3_000)
    assert (holds(wallet), clearing(), sorted(given_back(vendors))) == (0, 0, [2_000, 3_000])
    shown = api.get(f"payments/{payment.public_id}").json()
    assert (shown["status"], shown["refunded"], shown["refunding"]) == ("completed", 5_000, 0)
    listed = api.get(f"payments/{payment.public_id}/refunds").json()["data"]
    assert [(row["amount"], row["status"]) for row in listed] == [(3_000, "succeeded"), (2_000, "succeeded")]
    assert told(Refund.objects.earliest("pk")) == ["refund.created", "refund.succeeded"]


def test_too_much_is_refused_with_what_is_left(api, wallet, vendors):
    payment = top_up(wallet)
    give_back(payment, 4_000)

    answer = api.post(f"payments/{payment.public_id}/refunds", {"amount": 1_001}, key="r-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "refund_too_large")
    assert "10.00" in answer.json()["detail"]
    assert (Refund.objects.count(), holds(wallet)) == (1, 1_000)


def test_only_a_completed_top_up_is_refundable(partner, wallet, vendors):
    with pytest.raises(NotRefundable):
        give_back(begin(wallet), 1)
    payer = make_wallet(make_customer(partner, "Ola Nilsen"), balance=100)
    between = create_payment(
        partner_id=partner.pk,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=wallet.public_id,
        amount=Money(100, "EUR"),
        now=later(),
    )
    declined = top_up(make_wallet(payer.customer, purpose="SAVINGS"), card="pm_card_visa_chargeDeclined")

    for payment in (between, declined):
        with pytest.raises(NotRefundable):
            give_back(payment, 1)


def test_money_that_was_spent_cannot_be_given_back(partner, wallet, vendors):
    payment = top_up(wallet)
    other = make_wallet(make_customer(partner, "Ola Nilsen"))
    create_payment(
        partner_id=partner.pk,
        payer_wallet_id=wallet.public_id,
        payee_wallet_id=other.public_id,
        amount=payment.amount,
        now=later(),
    )

    with pytest.raises(AppError) as refusal:
        give_back(payment, 5_000)

    payment.refresh_from_db()
    assert (refusal.value.code, payment.refunding_minor, Refund.objects.count()) == (
        "insufficient_funds",
        0,
        0,
    )


def test_a_frozen_wallet_gives_nothing_back(wallet, vendors):
    payment = top_up(wallet)
    freeze_wallet(wallet_id=wallet.pk, reason_code="FRAUD", note="", now=later())

    with pytest.raises(AppError) as refusal:
        give_back(payment, 1)

    assert refusal.value.code == "wallet_frozen"


def test_a_vendor_that_hangs_after_the_refund_is_asked_and_it_counts_once(wallet, vendors):
    payment = top_up(wallet)
    vendors.faults.plans = [
        Plan(
            "hang_after_effect",
            {"vendor": "stripe", "method": "POST", "path": "/v1/refunds", "nth": [1]},
            3,
        )
    ]

    refund = give_back(payment, 2_000)
    work()
    refund.refresh_from_db()
    unknown = (refund.state, refund.status)
    work(20)
    work(600)

    refund.refresh_from_db()
    payment.refresh_from_db()
    assert unknown == ("UNKNOWN", "PENDING")
    assert (refund.status, payment.refunded_minor, payment.refunding_minor) == ("SUCCEEDED", 2_000, 0)
    assert (given_back(vendors), holds(wallet), clearing()) == ([2_000], 3_000, 3_000)


def test_a_refund_that_fails_days_later_gives_the_money_and_the_room_back(wallet, vendors):
    payment = top_up(wallet, card="pm_card_refundFail")
    refund = give_back(payment, 5_000)
    work()
    succeeded = Payment.objects.get().refunded_minor
    with vendors.world.lock:
        vendors.world.advance(120)
        vendors.run_due()
    (body,) = vendor_events(vendors, "refund.failed")

    answers = [tell(body), tell(body)]
    process()

    refund.refresh_from_db()
    payment.refresh_from_db()
    assert (answers, succeeded, refund.status) == ([200, 200], 5_000, "FAILED")
    assert (payment.refundable.minor, holds(wallet), clearing()) == (5_000, 5_000, 5_000)
    assert told(refund) == ["refund.created", "refund.succeeded", "refund.failed"]


def test_one_key_is_one_refund(wallet, vendors):
    payment = top_up(wallet)
    first = give_back(payment, 1_000, key="once")

    assert give_back(payment, 1_000, key="once").pk == first.pk
    with pytest.raises(KeyUsedBefore):
        give_back(payment, 1_001, key="once")


def test_an_eleventh_refund_is_refused(wallet, vendors):
    payment = top_up(wallet)
    for _ in range(10):
        give_back(payment, 10)

    with pytest.raises(TooManyRefunds, match=r"49\.00"):
        give_back(payment, 10)


def test_raw_sql_cannot_revive_or_change_a_refund(wallet, vendors):
    give_back(top_up(wallet), 1_000)
    work()
    attacks = [
        "UPDATE payments_refund SET status = 'PENDING'",
        "UPDATE payments_refund SET amount_minor = 1",
        "UPDATE payments_refund SET state = 'UNKNOWN'",
        "DELETE FROM payments_refund",
    ]

    for attack in attacks:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)


@pytest.mark.django_db(transaction=True)
def test_thirty_refunds_at_once_of_three_times_the_money_never_exceed_it(partner, customer, vendors):
    payment = top_up(make_wallet(customer), 3_000)

    made = at_once(lambda _: give_back(payment, 300), 30)
    work()

    payment.refresh_from_db()
    refused = [error for error in made if not isinstance(error, Refund)]
    assert len(refused) == 20
    assert [error for error in refused if not isinstance(error, RefundTooLarge)] == []
    assert (payment.refunded_minor, payment.refunding_minor) == (3_000, 0)
    assert (sum(given_back(vendors)), holds(payment.payee_wallet), clearing()) == (3_000, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_worker_webhook_and_second_worker_at_once_book_the_money_once(partner, customer, vendors):
    wallet = make_wallet(customer)
    vendors.faults.plans = [
        Plan(
            "hang_after_effect",
            {"vendor": "stripe", "method": "POST", "path": "/v1/payment_intents", "nth": [1]},
            3,
        )
    ]
    payment = top_up(wallet)
    (body,) = vendor_events(vendors, "payment_intent.succeeded")
    tell(body)

    at_once(lambda number: process() if number % 2 else work(30), 12)

    payment.refresh_from_db()
    assert (payment.status, holds(wallet), clearing()) == ("COMPLETED", 5_000, 5_000)
    assert list(Event.objects.filter(type="payment.completed").values_list("object_id", flat=True)) == [
        payment.public_id
    ]
