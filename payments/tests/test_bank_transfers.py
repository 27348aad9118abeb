"""Dollars from a linked bank: drawn once, settled by the bank's word, taken back weeks later, never below zero."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from flowlet.core import clock
from flowlet.core.money import Money
from flowlet.core.outcomes import Answer, Outcome
from flowlet.events.models import Event
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Customer
from flowlet.integrations import links
from flowlet.integrations.breaker import breaker_for
from flowlet.integrations.models import VendorCursor, VendorEvent
from flowlet.integrations.plaid import client as plaid
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.tests import signers
from ledger.queries.holds import owed_by
from payments.errors import VendorSilent
from payments.models import Payment, PaymentAttempt
from payments.operations import create_payment
from payments.outside.settling import settle_attempt
from payments.outside.top_ups import create_top_up
from payments.outside.transfers import read_events
from payments.tests.outside import clearing, later, process, work
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import holds, make_customer, make_wallet

pytestmark = pytest.mark.django_db
TWO_DAYS = 172_800


@pytest.fixture
def wallet(customer):
    return make_wallet(customer, "USD")


@pytest.fixture
def account(customer, vendors):
    return _account(customer)


def _account(customer, owner="Mirela Sandvik"):
    token = plaid.create_sandbox_public_token(institution="ins_109508", owner=owner).value
    link = links.finish_link(customer_id=customer.pk, public_token=token, now=clock.now())
    return link.accounts.order_by("pk").first()


@pytest.fixture
def api(partner):
    return Api(make_client(partner))


def begin(wallet, account, minor=5_000, key=None):
    return create_top_up(
        partner_id=wallet.partner_id,
        wallet_id=wallet.public_id,
        payment_method=account.public_id,
        amount=Money(minor, "USD"),
        rail="plaid_transfer",
        idempotency_key=key,
        now=clock.now(),
    )


def bank(vendors):
    return vendors.vendors["plaid"]


def drawn(vendors):
    return [one["amount"] for one in bank(vendors).transfers.values()]


def pass_time(vendors, seconds=60):
    """Let the bank do what it does in time."""
    vendors.world.advance(seconds)
    with vendors.world.lock:
        vendors.run_due()


def sends_back(vendors, code="R01"):
    (transfer,) = bank(vendors).transfers.values()
    with vendors.world.lock:
        bank(vendors)._happen(transfer, "returned", {"failure_code": code})


def tell(vendors, **how):
    return signers.plaid(vendors, **how).send(Client()).status_code


def fault(vendors, do, path, nth=(1,)):
    match = {"vendor": "plaid", "method": "POST", "path": path, "nth": list(nth)}
    vendors.faults.plans = [Plan(do, match, 3)]


def settled(vendors, wallet, account, minor=5_000):
    payment = begin(wallet, account, minor)
    work()
    pass_time(vendors)
    read_events(now=later())
    payment.refresh_from_db()
    assert payment.status == "COMPLETED"
    return payment


def test_a_deposit_from_a_linked_bank_is_begun_drawn_settled_and_shown(api, wallet, account, vendors):
    body = {
        "wallet": wallet.public_id,
        "bank_account": account.public_id,
        "amount": 5_000,
        "currency": "USD",
    }

    made = api.post("top_ups", body, key="k-1")
    again = api.post("top_ups", body, key="k-1")
    before = drawn(vendors)
    work()
    waiting, in_between = Payment.objects.get().status, holds(wallet)
    pass_time(vendors)
    told = tell(vendors)
    process()

    assert (made.status_code, made.json()["status"], made.json()["rail"]) == (
        201,
        "processing",
        "plaid_transfer",
    )
    assert again.content == made.content
    assert (before, drawn(vendors)) == ([], ["50.00"])
    assert (waiting, in_between, told) == ("PROCESSING", 0, 200)
    shown = api.get(f"payments/{made.json()['id']}").json()
    assert (shown["status"], holds(wallet), clearing()) == ("completed", 5_000, 5_000)
    assert bank(vendors).transfers.popitem()[1]["metadata"] == {
        "flowlet_reference": PaymentAttempt.objects.get().our_reference
    }


def test_an_account_without_the_money_fails_the_payment_and_nothing_is_drawn(wallet, account, vendors):
    Customer.objects.update(tier="PLUS")
    payment = begin(wallet, account, 900_000)
    work()

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == ("FAILED", "bank_funds")
    assert (drawn(vendors), holds(wallet), clearing()) == ([], 0, 0)


@pytest.mark.parametrize(
    ("do", "path"),
    [
        ("hang_after_effect", "/transfer/create"),
        ("cut_after_effect", "/transfer/create"),
        ("error_after_effect", "/transfer/create"),
        ("garbage", "/transfer/create"),
        ("hang_before_effect", "/transfer/create"),
        ("hang_after_effect", "/transfer/authorization/create"),
        ("error_after_effect", "/transfer/authorization/create"),
        ("too_many", "/transfer/authorization/create"),
    ],
)
def test_whatever_goes_wrong_on_the_way_the_money_is_drawn_once(wallet, account, vendors, do, path):
    fault(vendors, do, path)

    payment = begin(wallet, account)
    work()
    for seconds in (20, 120, 600, 4_000):
        breaker_for("plaid").reset()  # it counts real seconds, of which none pass here
        work(seconds)
    pass_time(vendors)
    read_events(now=later(4_001))

    payment.refresh_from_db()
    assert (payment.status, drawn(vendors), holds(wallet), clearing()) == (
        "COMPLETED",
        ["50.00"],
        5_000,
        5_000,
    )


def test_an_answer_that_got_lost_is_unknown_until_the_list_of_events_names_it(wallet, account, vendors):
    fault(vendors, "hang_after_effect", "/transfer/create")
    payment = begin(wallet, account)
    work()
    payment.refresh_from_db()
    unknown = payment.status
    pass_time(vendors)

    read_events(now=later())

    payment.refresh_from_db()
    assert (unknown, payment.status) == ("OUTCOME_UNKNOWN", "COMPLETED")
    assert PaymentAttempt.objects.get().vendor_reference in bank(vendors).transfers


def test_the_check_by_our_reference_settles_without_any_webhook(wallet, account, vendors):
    payment = begin(wallet, account)
    work()
    pass_time(vendors)

    work(20)

    payment.refresh_from_db()
    assert (payment.status, holds(wallet)) == ("COMPLETED", 5_000)


def test_a_return_takes_the_money_back_once_however_often_it_is_told(api, wallet, account, vendors):
    payment = settled(vendors, wallet, account)
    sends_back(vendors)

    answers = [tell(vendors), tell(vendors)]
    process()
    process()
    read_events(now=later())
    work(TWO_DAYS)

    payment.refresh_from_db()
    assert (answers, payment.status, payment.refusal_code) == ([200, 200], "RETURNED", "bank_funds")
    assert (holds(wallet), clearing(), owed_by(wallet.account_id)) == (0, 0, None)
    assert api.get(f"payments/{payment.public_id}").json()["status"] == "returned"
    told = Event.objects.filter(object_id=payment.public_id).order_by("pk").values_list("type", flat=True)
    assert list(told) == ["payment.processing", "payment.completed", "payment.returned"]


def test_a_return_of_spent_money_is_owed_and_the_next_credit_repays_it(wallet, account, partner, vendors):
    settled(vendors, wallet, account)
    other = make_wallet(make_customer(partner, "Bo Lund"), "USD")
    create_payment(
        partner_id=partner.pk,
        payer_wallet_id=wallet.public_id,
        payee_wallet_id=other.public_id,
        amount=Money(4_000, "USD"),
        now=clock.now(),
    )

    sends_back(vendors)
    read_events(now=later())
    after = holds(wallet), owed_by(wallet.account_id)
    create_payment(
        partner_id=partner.pk,
        payer_wallet_id=other.public_id,
        payee_wallet_id=wallet.public_id,
        amount=Money(3_000, "USD"),
        now=clock.now(),
    )

    assert after == (0, Money(4_000, "USD"))
    assert (holds(wallet), owed_by(wallet.account_id)) == (0, Money(1_000, "USD"))


def test_a_frozen_wallet_does_not_stop_a_return(wallet, account, vendors):
    payment = settled(vendors, wallet, account)
    freeze_wallet(wallet_id=wallet.pk, reason_code="FRAUD", note="", now=later())

    sends_back(vendors)
    read_events(now=later())

    payment.refresh_from_db()
    assert (payment.status, clearing()) == ("RETURNED", 0)
    assert holds(wallet) + owed_by(wallet.account_id).minor in (0, 5_000, 10_000)


def test_a_transfer_that_comes_back_before_it_settled_fails_and_books_nothing(wallet, account, vendors):
    payment = begin(wallet, account)
    work()
    pass_time(vendors, 2.5)
    sends_back(vendors, "R03")

    read_events(now=later())

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == ("FAILED", "bank_account_unknown")
    assert (holds(wallet), clearing(), payment.returned_id) == (0, 0, None)


def test_forged_and_stale_words_of_the_bank_change_nothing(wallet, account, vendors):
    payment = begin(wallet, account)
    work()
    pass_time(vendors)

    answers = [tell(vendors, key=signers.stranger()), tell(vendors, age=400), tell(vendors, age=-400)]
    process()

    payment.refresh_from_db()
    assert (answers, payment.status) == ([400, 400, 400], "PROCESSING")
    assert (VendorEvent.objects.count(), holds(wallet)) == (0, 0)


def test_the_place_in_the_list_only_goes_forward_and_strangers_are_passed_over(wallet, account, vendors):
    settled(vendors, wallet, account)
    position = VendorCursor.objects.get().position
    requests_before = len(bank(vendors).events)
    again = read_events(now=later())
    (transfer,) = bank(vendors).transfers.values()
    stranger = {**transfer, "id": "tr_stranger", "metadata": None, "status": "pending"}
    bank(vendors).transfers["tr_stranger"] = stranger
    with vendors.world.lock:
        bank(vendors)._happen(stranger, "posted")

    passed = read_events(now=later())

    assert (position, again, passed) == (requests_before, 0, 1)
    assert VendorCursor.objects.get().position == position + 1


def test_a_bank_service_that_is_away_keeps_the_event_for_later(wallet, account, vendors):
    payment = begin(wallet, account)
    work()
    pass_time(vendors)
    fault(vendors, "too_many", "/transfer/event/sync")
    with pytest.raises(VendorSilent):
        read_events(now=later())
    vendors.faults.plans = []

    read_events(now=later())

    payment.refresh_from_db()
    assert payment.status == "COMPLETED"


def test_a_result_that_comes_too_late_is_noted_for_a_person_and_does_not_stop_the_list(
    wallet, account, vendors
):
    payment = begin(wallet, account)
    work()
    answer = Answer(Outcome.REFUSED, code="not_found")
    settle_attempt(attempt_id=PaymentAttempt.objects.get().pk, answer=answer, now=later())
    pass_time(vendors)

    count = read_events(now=later())

    payment.refresh_from_db()
    assert (payment.status, count > 0, read_events(now=later())) == ("FAILED", True, 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT object_id FROM audit_auditrecord WHERE action = 'payment.late_result'")
        assert cursor.fetchall() == [(payment.public_id,)]


@pytest.mark.parametrize("owner", ["Bo Lund", "Somebody Else"])
def test_somebody_elses_account_cannot_be_drawn_on(api, wallet, customer, vendors, owner):
    strange = _account(customer, owner)
    body = {
        "wallet": wallet.public_id,
        "bank_account": strange.public_id,
        "amount": 5_000,
        "currency": "USD",
    }

    answer = api.post("top_ups", body, key="k-1")

    assert (answer.status_code, answer.json()["code"]) == (422, "bank_account_not_usable")
    assert Payment.objects.count() == 0


def test_bad_input_is_refused_and_nothing_is_begun(api, wallet, account, customer, vendors):
    good = {"wallet": wallet.public_id, "bank_account": account.public_id, "amount": 500, "currency": "USD"}
    euros = make_wallet(customer, "EUR")
    unknown = "lac_01K8Z5M3W4J7T2R9QX6V0BND1C"
    cases = {
        400: [
            {**good, "payment_method": "pm_card_visa"},
            {key: good[key] for key in ("wallet", "amount", "currency")},
            {**good, "bank_account": "ba_1"},
            {**good, "amount": 0},
        ],
        404: [{**good, "bank_account": unknown}],
        422: [{**good, "currency": "EUR"}, {**good, "wallet": euros.public_id, "currency": "EUR"}],
    }

    for status, bodies in cases.items():
        for number, body in enumerate(bodies):
            answer = api.post("top_ups", body, key=f"k-{status}-{number}")
            assert answer.status_code == status, answer.content

    assert (Payment.objects.count(), drawn(vendors)) == (0, [])


def test_an_account_unlinked_before_the_worker_came_fails_the_payment(wallet, account, vendors):
    payment = begin(wallet, account)
    links.remove_link(partner_id=wallet.partner_id, public_id=account.link.public_id, now=clock.now())

    work()

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == ("FAILED", "bank_account_not_usable")
    assert drawn(vendors) == []


def test_a_bank_deposit_is_not_refunded_by_this_rail(api, wallet, account, vendors):
    payment = settled(vendors, wallet, account)

    answer = api.post(f"payments/{payment.public_id}/refunds", {"amount": 100}, key="r-1")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_refundable")
    assert holds(wallet) == 5_000


def test_raw_sql_cannot_take_a_return_back(wallet, account, vendors):
    settled(vendors, wallet, account)
    sends_back(vendors)
    read_events(now=later())

    for attack in (
        "UPDATE payments_payment SET status = 'COMPLETED' WHERE status = 'RETURNED'",
        "UPDATE payments_payment SET returned_id = NULL WHERE status = 'RETURNED'",
        "UPDATE payments_paymentattempt SET state = 'DONE'",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
