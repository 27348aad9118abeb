"""Payouts over real HTTP against a vendor that pays, fails, hangs, sends back and says so twice."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from flowlet.audit.models import AuditRecord
from flowlet.backoffice.tests.conftest import log_in
from flowlet.core.money import CurrencyMismatch
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.integrations.breaker import breaker_for
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.stripe.units import UnsupportedAmount
from ledger.queries.holds import owed_by
from payments.deciding import (
    ask_again,
    cancel_payment,
    confirm_payment,
    refuse_payment,
    release_payment,
)
from payments.errors import NotRefundable, PayoutNotYours, UnknownRail, WrongState
from payments.judging import Verdict
from payments.models import Payment, PaymentAttempt
from payments.outside.settling import CHECK_S
from payments.outside.working import check_due, send_due
from payments.tests.outside import (
    clearing,
    give_back,
    hang,
    held,
    hold_status,
    later,
    let_pass,
    make_business,
    pay_out,
    process,
    sent,
    tell,
    told,
    vendor_events,
    work,
)
from wallets.errors import KeyUsedBefore
from wallets.operations.wallets import freeze_wallet, unfreeze_wallet
from wallets.tests.factories import NOW, holds, make_bank_account, make_customer, make_wallet

COMES_BACK, FAILS, REFUSED = 4_091, 4_092, 4_093
pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(partner):
    return make_wallet(make_business(partner), balance=10_000)


@pytest.fixture
def account(customer):
    return make_bank_account(customer)


def test_a_payout_is_begun_sent_taken_by_the_bank_and_booked(partner, wallet, account, vendors):
    api = Api(make_client(partner))
    body = {
        "wallet": wallet.public_id,
        "bank_account": account.public_id,
        "amount": 4_000,
        "currency": "EUR",
        "description": "Refund of a trip",
    }

    made = api.post("payouts", body, key="k-1")
    again = api.post("payouts", body, key="k-1")
    begun = (len(sent(vendors)), holds(wallet), held(wallet))
    work()
    on_its_way = (Payment.objects.get().status, holds(wallet), held(wallet))
    let_pass(vendors, 5)
    work(20)

    assert (made.status_code, made.json()["status"], again.content) == (201, "processing", made.content)
    assert (begun, on_its_way) == ((0, 10_000, 4_000), ("PROCESSING", 10_000, 4_000))
    shown = api.get(f"payments/{made.json()['id']}").json()
    assert (shown["type"], shown["status"], shown["iso_status"]) == ("payout", "completed", "ACSC")
    assert (shown["payee_wallet"], shown["bank_account"]) == (None, account.public_id)
    assert (holds(wallet), held(wallet), clearing()) == (6_000, 0, -4_000)
    assert [(row["amount"], row["destination"]) for row in sent(vendors).values()] == [
        (4_000, account.public_id)
    ]
    attempt = api.get(f"payments/{shown['id']}/attempts").json()["data"][0]
    assert (attempt["state"], attempt["vendor_reference"][:3]) == ("done", "po_")
    events = api.get(f"payments/{shown['id']}/events").json()["data"]
    assert [row["type"] for row in events] == ["payment.processing", "payment.completed"]
    assert api.get(f"payments/{shown['id']}/refunds").json()["data"] == []
    assert hold_status(Payment.objects.get()) == "CAPTURED"


@pytest.mark.parametrize(
    ("minor", "code"), [(FAILS, "bank_account_unknown"), (REFUSED, "bank_account_unknown")]
)
def test_a_bank_that_says_no_fails_the_payout_and_frees_the_money(wallet, account, vendors, minor, code):
    payment = pay_out(wallet, account, minor)
    work()
    let_pass(vendors, 5)
    work(20)

    payment.refresh_from_db()
    assert (payment.status, payment.refusal_code) == ("FAILED", code)
    assert (holds(wallet), held(wallet), clearing()) == (10_000, 0, 0)
    assert told(payment) == ["payment.processing", "payment.failed"]
    assert hold_status(payment) == "RELEASED"


def test_webhooks_bring_a_payout_to_its_end_before_any_check_is_due(wallet, account, vendors):
    payment = pay_out(wallet, account)
    send_due(now=later())
    let_pass(vendors, 5)

    statuses = [tell(body) for body in vendor_events(vendors, "payout.paid") * 3]
    process()

    payment.refresh_from_db()
    assert (statuses, payment.status) == ([200] * 3, "COMPLETED")
    assert (holds(wallet), clearing()) == (6_000, -4_000)
    assert told(payment) == ["payment.processing", "payment.completed"]


def test_a_forged_webhook_about_a_payout_changes_nothing(wallet, account, vendors):
    payment = pay_out(wallet, account)
    send_due(now=later())
    let_pass(vendors, 5)

    status = tell(vendor_events(vendors, "payout.paid")[0], secret="whsec_wrong")
    process()

    payment.refresh_from_db()
    assert (status, payment.status, held(wallet)) == (400, "PROCESSING", 4_000)


@pytest.mark.parametrize("heard", ["webhook", "check"])
def test_money_that_a_bank_sends_back_is_in_the_wallet_again_with_a_contra_entry(
    wallet, account, vendors, heard
):
    payment = pay_out(wallet, account, COMES_BACK)
    work()
    let_pass(vendors, 5)
    work(20)
    completed = (Payment.objects.get().status, holds(wallet))
    let_pass(vendors, 60)
    if heard == "webhook":
        for body in vendor_events(vendors, "payout.failed") * 2:
            tell(body)
        process(30)
    else:
        check_due(now=later(86_400 + 60))
    work(86_400 * 2)

    payment.refresh_from_db()
    assert completed == ("COMPLETED", 5_909)
    assert (payment.status, payment.refusal_code) == ("RETURNED", "bank_account_closed")
    assert (holds(wallet), held(wallet), clearing()) == (10_000, 0, 0)
    assert (payment.transaction.kind, payment.returned.kind) == ("PAYOUT", "PAYOUT_RETURN")
    assert told(payment) == ["payment.processing", "payment.completed", "payment.returned"]


def test_money_that_comes_back_to_a_closed_door_waits_on_the_suspense_account(wallet, account, vendors):
    payment = pay_out(wallet, account, COMES_BACK)
    work()
    let_pass(vendors, 5)
    work(20)
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)
    let_pass(vendors, 60)
    work(86_400 + 60)

    payment.refresh_from_db()
    assert (payment.status, payment.parked, holds(wallet)) == ("RETURNED", True, 5_909)


def test_a_done_payout_is_asked_about_for_some_days_and_then_let_be(wallet, account, vendors):
    payment = pay_out(wallet, account)
    work()
    let_pass(vendors, 5)
    for day in range(14):
        work(20 + day * 86_401)

    attempt = PaymentAttempt.objects.get()
    assert (Payment.objects.get(pk=payment.pk).status, attempt.next_check_at) == ("COMPLETED", None)
    assert len(sent(vendors)) == 1


@pytest.mark.parametrize(
    "fault", ["hang_after_effect", "cut_after_effect", "error_after_effect", "garbage", "hang_before_effect"]
)
def test_an_unknown_outcome_keeps_the_money_on_hold_until_the_truth_is_known(wallet, account, vendors, fault):
    hang(vendors, fault)
    payment = pay_out(wallet, account)
    send_due(now=later())
    unknown = (Payment.objects.get().status, holds(wallet), held(wallet))
    breaker_for("stripe").reset()

    for seconds in (20, 90, 200, 900, 4_000):
        let_pass(vendors, 10)
        work(seconds)

    assert unknown == ("OUTCOME_UNKNOWN", 10_000, 4_000)
    payment.refresh_from_db()
    assert payment.status == "COMPLETED"
    assert (holds(wallet), held(wallet), clearing(), len(sent(vendors))) == (6_000, 0, -4_000, 1)


def test_a_payout_is_never_failed_for_mere_age(wallet, account, vendors):
    hang(vendors)
    payment = pay_out(wallet, account)
    send_due(now=later())
    vendors.faults.plans = [Plan("error_before_effect", {"vendor": "stripe", "method": "GET"}, 1)]
    at = 0
    for seconds in (*CHECK_S, 86_400):
        at += seconds + 61
        breaker_for("stripe").reset()
        check_due(now=later(at))
    given_up = (Payment.objects.get().status, PaymentAttempt.objects.get().next_check_at, held(wallet))

    vendors.faults.plans = []
    breaker_for("stripe").reset()
    let_pass(vendors, 5)
    ask_again(payment_id=payment.public_id, now=later(at))
    check_due(now=later(at + 1))

    assert given_up == ("OUTCOME_UNKNOWN", None, 4_000)
    assert (Payment.objects.get().status, len(sent(vendors))) == ("COMPLETED", 1)


def test_staff_have_an_unknown_outcome_asked_about_now(ops, wallet, account, vendors):
    hang(vendors)
    payment = pay_out(wallet, account)
    send_due(now=later())
    let_pass(vendors, 5)
    client, href = log_in(ops), reverse("admin:do", args=["payment.check-now", payment.public_id])
    shown = client.get(reverse("admin:payments_payment_change", args=[payment.public_id])).content.decode()
    form = {
        "form_id": "6f1b0b0e-3b0c-4b6e-9a52-0d7d3f0e9b11",
        "version": client.get(href).context["asked"].version,
    }

    answer = client.post(href, form)
    check_due(now=later(1))

    assert "Check now" in shown
    assert "bank" in shown
    assert answer.status_code == 303
    assert Payment.objects.get().status == "COMPLETED"
    assert AuditRecord.objects.get(action="payment.ask_again").actor_kind == "STAFF"
    with pytest.raises(WrongState):
        ask_again(payment_id=payment.public_id, now=later())


def test_a_vendor_that_cannot_be_reached_is_sent_to_when_it_is_back(wallet, account, vendors, settings):
    url = settings.VENDORS["stripe"]["base_url"]
    settings.VENDORS["stripe"]["base_url"] = "http://127.0.0.1:9"
    payment = pay_out(wallet, account)
    send_due(now=later())
    planned = PaymentAttempt.objects.get().state
    settings.VENDORS["stripe"]["base_url"] = url
    breaker_for("stripe").reset()

    work(20)
    let_pass(vendors, 5)
    work(60)

    payment.refresh_from_db()
    assert (planned, payment.status, len(sent(vendors))) == ("PLANNED", "COMPLETED", 1)


def test_what_a_frozen_wallet_cannot_pay_any_more_its_owner_owes(wallet, account, vendors):
    payment = pay_out(wallet, account)
    work()
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)
    let_pass(vendors, 5)
    work(20)

    payment.refresh_from_db()
    assert (payment.status, held(wallet), clearing()) == ("COMPLETED", 0, -4_000)
    assert (holds(wallet), owed_by(wallet.account_id).minor) == (10_000, 4_000)
    unfreeze_wallet(wallet_id=wallet.pk, reason_code="MISTAKE", now=NOW)
    call_command("verify_ledger", stdout=StringIO())


def test_who_may_be_paid_out_to(partner, other_partner, wallet, account, customer):
    person = make_wallet(customer, balance=10_000)
    other = make_bank_account(make_customer(partner, "Ola Nilsen"))
    foreign = make_bank_account(make_customer(other_partner, "Eli Moen"))

    own = pay_out(person, account, fraud_check=None)
    business = pay_out(wallet, account, fraud_check=None)

    assert (own.status, business.status) == ("PROCESSING", "PROCESSING")
    with pytest.raises(PayoutNotYours):
        pay_out(person, other)
    api = Api(make_client(partner))
    body = {"wallet": person.public_id, "amount": 100, "currency": "EUR"}
    not_own = api.post("payouts", {**body, "bank_account": other.public_id}, key="k-1")
    missing = api.post("payouts", {**body, "bank_account": foreign.public_id}, key="k-2")
    assert (not_own.status_code, not_own.json()["code"]) == (422, "payout_not_yours")
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (404, "/bank_account")


def test_malformed_payouts_leave_nothing(wallet, account, customer):
    forint = make_wallet(customer, currency="HUF", balance=100_000)

    with pytest.raises(UnknownRail):
        pay_out(wallet, account, rail="internal")
    with pytest.raises(CurrencyMismatch):
        pay_out(wallet, make_bank_account(customer, "USD"))
    with pytest.raises(UnsupportedAmount):
        pay_out(forint, make_bank_account(customer, "HUF"), 1_050)

    assert not Payment.objects.exists()


def test_too_little_money_refuses_a_payout_and_nothing_is_sent(wallet, account, vendors):
    payment = pay_out(wallet, account, 10_001)
    work()

    assert (payment.status, payment.refusal_code) == ("REFUSED", "insufficient_funds")
    assert (sent(vendors), PaymentAttempt.objects.count()) == ({}, 0)


def test_keys_of_payouts_mean_one_payout(wallet, account):
    first, again = (pay_out(wallet, account, idempotency_key="k") for _ in range(2))

    assert (first.pk, held(wallet)) == (again.pk, 4_000)
    with pytest.raises(KeyUsedBefore):
        pay_out(wallet, account, 1, idempotency_key="k")


def test_a_payout_is_no_top_up_to_be_refunded(wallet, account):
    payment = pay_out(wallet, account)

    with pytest.raises(NotRefundable):
        give_back(payment, 100)


def test_a_held_payout_is_sent_when_it_is_released_and_not_before(wallet, account, vendors):
    payment = pay_out(wallet, account, sandbox_risk="elevated")
    work()
    before = (payment.status, len(sent(vendors)), held(wallet))

    release_payment(payment_id=payment.public_id, reason_code="PARTNER_VOUCHED", now=later())
    work()
    let_pass(vendors, 5)
    work(20)

    payment.refresh_from_db()
    assert before == ("HELD", 0, 4_000)
    assert (payment.status, holds(wallet), held(wallet)) == ("COMPLETED", 6_000, 0)


def test_a_payout_with_a_step_up_is_sent_when_it_is_confirmed(wallet, account, vendors):
    payment = pay_out(wallet, account, fraud_check=lambda *_: Verdict("STEP_UP"))
    before = (payment.status, held(wallet))

    confirm_payment(payment_id=payment.public_id, now=later())
    work()
    let_pass(vendors, 5)
    work(20)

    payment.refresh_from_db()
    assert before == ("REQUIRES_ACTION", 0)
    assert (payment.status, holds(wallet)) == ("COMPLETED", 6_000)


def test_a_held_payout_that_is_refused_or_canceled_is_never_sent(wallet, account, vendors):
    refused, canceled = (pay_out(wallet, account, minor, sandbox_risk="elevated") for minor in (1_000, 1_100))

    refuse_payment(payment_id=refused.public_id, reason_code="FRAUD", now=later())
    cancel_payment(partner_id=wallet.partner_id, payment_id=canceled.public_id, now=later())
    work()

    assert (sent(vendors), held(wallet), holds(wallet)) == ({}, 0, 10_000)


def test_the_page_of_a_payout_shows_where_it_went_what_was_sent_and_what_came_back(
    ops, wallet, account, vendors, django_assert_max_num_queries
):
    payment = pay_out(wallet, account, COMES_BACK)
    work()
    let_pass(vendors, 65)
    work(20)
    work(86_400 + 90)
    client = log_in(ops)

    with django_assert_max_num_queries(20):
        answer = client.get(reverse("admin:payments_payment_change", args=[payment.public_id]))
    shown = answer.content.decode()

    assert answer.status_code == 200
    for words in ("Bank payout", "Why it", "The bank account is closed.", account.last_four, "po_1"):
        assert words in shown
    listed = client.get(reverse("admin:payments_payment_changelist"), {"kind": "PAYOUT"}).content.decode()
    assert payment.public_id in listed
