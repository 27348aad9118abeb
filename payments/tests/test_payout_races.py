"""Many at once: payouts through a vendor that hangs, and several people who decide on one payment."""

import random
from io import StringIO

import pytest
from django.core.management import call_command

from flowlet.core.money import Money
from flowlet.integrations.breaker import breaker_for
from payments.deciding import cancel_payment, refuse_payment, release_payment
from payments.errors import WrongState
from payments.models import Payment
from payments.operations import create_payment
from payments.tests.outside import (
    clearing,
    hang,
    held,
    hold_status,
    later,
    let_pass,
    make_business,
    pay_out,
    sent,
    told,
    work,
)
from wallets.tests.factories import at_once, holds, make_bank_account, make_customer, make_wallet

COMES_BACK, FAILS = 4_091, 4_092
pytestmark = pytest.mark.django_db(transaction=True)


def test_after_hanging_on_a_third_of_many_payouts_none_is_double_none_unknown_and_the_books_agree(
    partner, vendors
):
    rng = random.Random(11)
    business = make_business(partner, tier="PLUS")
    wallets = [make_wallet(business, purpose=f"P{n}", balance=100_000) for n in range(3)]
    account = make_bank_account(business)
    hang(vendors, share=0.3)
    amounts = [rng.choice([1_000, 2_550, 777, COMES_BACK, FAILS]) for _ in range(40)]
    payments = [pay_out(wallets[n % 3], account, minor, fraud_check=None) for n, minor in enumerate(amounts)]

    seen = set()
    for seconds in (0, 20, 90, 200, 500, 2_500, 10_000):
        at_once(lambda _, seconds=seconds: work(seconds), 3)
        breaker_for("stripe").reset()
        seen |= set(Payment.objects.values_list("status", flat=True))
        let_pass(vendors, 5)
    vendors.faults.plans = []
    let_pass(vendors, 60)
    for days in (1, 2):
        work(days * 86_400 + 20_000)

    assert "OUTCOME_UNKNOWN" in seen
    books = sent(vendors).values()
    assert sorted(row["metadata"]["flowlet_reference"] for row in books) == sorted(
        f"{payment.public_id}-1" for payment in payments
    )
    # What was paid and sent back before anybody saw it paid has simply failed.
    wanted = {FAILS: {"FAILED"}, COMES_BACK: {"RETURNED", "FAILED"}}
    ends = {row.public_id: row.status for row in Payment.objects.all()}
    for payment, minor in zip(payments, amounts, strict=True):
        assert ends[payment.public_id] in wanted.get(minor, {"COMPLETED"}), minor
    paid = sum(row["amount"] for row in books if row["status"] == "paid")
    assert paid == sum(minor for minor in amounts if minor not in wanted)
    assert (clearing(), sum(map(holds, wallets)), sum(map(held, wallets))) == (-paid, 300_000 - paid, 0)
    call_command("verify_ledger", stdout=StringIO())


@pytest.mark.parametrize("kind", ["wallet", "bank"])
def test_of_release_refuse_and_cancel_at_the_same_time_one_wins(partner, customer, kind):
    wallet, account = make_wallet(make_business(partner), balance=10_000), make_bank_account(customer)
    payee = make_wallet(make_customer(partner, "Ola Nilsen"))
    for round_number in range(4):
        if kind == "bank":
            payment = pay_out(wallet, account, 1_000, sandbox_risk="elevated")
        else:
            payment = hold_between(wallet, payee)

        def decide(number, public_id=payment.public_id):
            given = {"payment_id": public_id, "now": later()}
            if number % 3 == 0:
                return release_payment(reason_code="CUSTOMER_CONFIRMED", **given)
            if number % 3 == 1:
                return refuse_payment(reason_code="FRAUD", **given)
            return cancel_payment(partner_id=wallet.partner_id, **given)

        done = at_once(decide, 12)

        assert {type(row) for row in done} == {Payment, WrongState}, done
        status = Payment.objects.get(pk=payment.pk).status
        assert status in ("COMPLETED", "PROCESSING", "REFUSED", "CANCELED")
        # The events tell one end, in step with the state.
        assert len(told(payment)) == 2, round_number
        assert hold_status(payment) == {
            "COMPLETED": "CAPTURED",
            "PROCESSING": "ACTIVE",
        }.get(status, "RELEASED")
    call_command("verify_ledger", stdout=StringIO())


def hold_between(payer, payee):
    from_business = {"partner_id": payer.partner_id, "payer_wallet_id": payer.public_id}
    return create_payment(
        payee_wallet_id=payee.public_id,
        amount=Money(1_000, "EUR"),
        sandbox_risk="elevated",
        now=later(),
        **from_business,
    )
