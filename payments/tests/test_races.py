"""Payments by many threads: one key one payment, no deadlock, no cent lost."""

import random
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum

from flowlet.core.errors import AppError
from flowlet.core.money import Money
from flowlet.identity.operations import lift_restriction, place_restriction
from ledger.models.accounts import Balance
from payments.models import Payment
from payments.operations import create_payment
from wallets.models import BankAccount, Deposit, Wallet, Withdrawal
from wallets.operations.bank import deposit, withdraw
from wallets.operations.wallets import freeze_wallet, unfreeze_wallet
from wallets.tests.factories import NOW, at_once, holds, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db(transaction=True)


def pay(payer, payee, minor, key=None):
    return create_payment(
        partner_id=payer.partner_id,
        payer_wallet_id=payer.public_id,
        payee_wallet_id=payee.public_id,
        amount=Money(minor, "EUR"),
        idempotency_key=key,
        now=NOW,
        # Hundreds of payments in an instant are what the fraud rules stop; here it is about money under load.
        fraud_check=None,
    )


def wallets_of_euros(partner, count, balance):
    return [make_wallet(make_customer(partner, f"Person {n}"), balance=balance) for n in range(count)]


def test_fifty_threads_with_one_key_make_one_payment(partner):
    payer, payee = wallets_of_euros(partner, 2, 1_000)

    made = at_once(lambda _: pay(payer, payee, 100, key="once"), 50, workers=50)

    assert {getattr(row, "pk", row) for row in made} == {made[0].pk}
    assert (Payment.objects.count(), holds(payer), holds(payee)) == (1, 900, 1_100)


def test_one_key_between_different_wallets_makes_one_payment(partner):
    wallets = wallets_of_euros(partner, 6, 1_000)

    made = at_once(lambda n: pay(wallets[n % 3], wallets[n % 3 + 3], 100, key="once"), 30)

    assert Payment.objects.count() == 1
    assert {type(row).__name__ for row in made} == {"Payment", "KeyUsedBefore"}


def test_payments_in_opposite_directions_do_not_wait_for_each_other_in_a_ring(partner):
    wallets = wallets_of_euros(partner, 4, 10_000)
    rng = random.Random(7)
    pairs = [rng.sample(wallets, 2) for _ in range(240)]

    made = at_once(lambda n: pay(*pairs[n], 37), len(pairs))

    assert {row.status for row in made} == {"COMPLETED"}
    assert sum(holds(wallet) for wallet in wallets) == 40_000


def test_one_purse_paid_from_by_many_is_never_overdrawn(partner):
    payer, payee = wallets_of_euros(partner, 2, 1_000)

    made = at_once(lambda _: pay(payer, payee, 300), 20)

    assert sorted(row.status for row in made) == ["COMPLETED"] * 3 + ["REFUSED"] * 17
    assert (holds(payer), holds(payee)) == (100, 1_900)


def test_after_a_freeze_has_returned_no_payment_leaves(partner):
    payer, payee = wallets_of_euros(partner, 2, 100_000)
    frozen_at: list[int] = []

    def work(number):
        if number == 10:
            freeze_wallet(wallet_id=payer.pk, reason_code="COURT_ORDER", now=NOW)
            frozen_at.append(holds(payer))
            return None
        return pay(payer, payee, 1)

    at_once(work, 60)

    assert holds(payer) == frozen_at[0]


def _random_work(seed, wallets):
    """Return a function that does one random thing by its number: pay, deposit, withdraw, freeze, restrict, lift."""

    def work(number):
        rng = random.Random(seed * 10_000 + number)
        payer, payee = rng.sample(wallets, 2)
        amount = Money(rng.choice([1, 50, 999, 40_000]), "EUR")
        bank_account = make_bank_account(payer.customer)
        verb = rng.choices(
            ["pay", "deposit", "withdraw", "freeze", "unfreeze", "restrict", "lift"], [60, 12, 12, 3, 5, 3, 5]
        )[0]
        move = {
            "wallet_id": payer.pk,
            "bank_account_id": bank_account.pk,
            "amount": amount,
            "idempotency_key": None,
            "now": NOW,
        }
        if verb == "pay":
            return pay(payer, payee, amount.minor, key=rng.choice([None, f"k{number % 40}"]))
        if verb == "deposit":
            return deposit(**move)
        if verb == "withdraw":
            return withdraw(**move)
        if verb == "freeze":
            return freeze_wallet(wallet_id=payer.pk, reason_code="COURT_ORDER", now=NOW)
        if verb == "unfreeze":
            return unfreeze_wallet(wallet_id=payer.pk, reason_code="MISTAKE", now=NOW)
        restriction = place_restriction(
            customer_id=payer.customer_id, kind="NO_OUT", source="FRAUD", reason_code="X", now=NOW
        )
        return (
            restriction
            if verb == "restrict"
            else lift_restriction(restriction_id=restriction.pk, reason_code="X", now=NOW)
        )

    return work


@pytest.mark.parametrize("seed", [1, 2])
def test_after_random_work_by_many_threads_the_books_are_whole(partner, seed):
    wallets = wallets_of_euros(partner, 6, 50_000)

    done = at_once(_random_work(seed, wallets), 300)

    # Refusals are expected; anything else (a deadlock, a broken constraint) is not.
    assert [error for error in done if isinstance(error, Exception) and not isinstance(error, AppError)] == []
    statuses = {row.status for row in done if isinstance(row, Payment | Deposit | Withdrawal)}
    assert statuses == {"COMPLETED", "REFUSED"}
    in_wallets = sum(holds(wallet) for wallet in Wallet.objects.all())
    bank = Balance.objects.get(account__chart_account__code="BANK_CLEARING")
    assert in_wallets == bank.posted
    assert in_wallets + BankAccount.objects.aggregate(total=Sum("balance_minor"))["total"] == 6 * 10_000_000
    assert min(holds(wallet) for wallet in wallets) >= 0
    _check_each_wallet_against_its_own_story(wallets)
    out = StringIO()
    call_command("verify_ledger", stdout=out)


def _check_each_wallet_against_its_own_story(wallets):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT w.id, coalesce((SELECT sum(amount_minor) FROM wallets_deposit d WHERE d.wallet_id = w.id AND d.status = 'COMPLETED'), 0)
                 - coalesce((SELECT sum(amount_minor) FROM wallets_withdrawal d WHERE d.wallet_id = w.id AND d.status = 'COMPLETED'), 0)
                 + coalesce((SELECT sum(amount_minor) FROM payments_payment p WHERE p.payee_wallet_id = w.id AND p.status = 'COMPLETED'), 0)
                 - coalesce((SELECT sum(amount_minor) FROM payments_payment p WHERE p.payer_wallet_id = w.id AND p.status = 'COMPLETED'), 0)
            FROM wallets_wallet w
            """
        )
        told = dict(cursor.fetchall())
    assert told == {wallet.pk: holds(wallet) for wallet in wallets}
