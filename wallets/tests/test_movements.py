"""Deposits and withdrawals: money between bank accounts and wallets, refusals that stay, keys, races."""

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.audit.models import AuditRecord
from flowlet.core.errors import NotFound
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.events.models import Event
from flowlet.identity.operations import lift_restriction, place_restriction
from ledger.models.accounts import Balance
from ledger.models.transactions import Posting
from wallets import errors
from wallets.models import BankAccount, Deposit, Withdrawal
from wallets.operations.bank import deposit, withdraw
from wallets.operations.wallets import freeze_wallet
from wallets.tests.factories import IBAN, NOW, at_once, holds, make_bank_account, make_customer, make_wallet

pytestmark = pytest.mark.django_db


def put(wallet, minor, *, key=None, currency=None, bank_account=None):
    bank_account = bank_account or make_bank_account(wallet.customer, wallet.currency)
    amount = Money(minor, currency or wallet.currency)
    return deposit(
        wallet_id=wallet.pk, bank_account_id=bank_account.pk, amount=amount, idempotency_key=key, now=NOW
    )


def take(wallet, minor, *, key=None):
    bank_account = make_bank_account(wallet.customer, wallet.currency)
    amount = Money(minor, wallet.currency)
    return withdraw(
        wallet_id=wallet.pk, bank_account_id=bank_account.pk, amount=amount, idempotency_key=key, now=NOW
    )


def test_a_deposit_debits_the_bank_clearing_and_credits_the_wallet(customer):
    wallet = make_wallet(customer)

    made = put(wallet, 12_500)

    assert (made.status, holds(wallet)) == ("COMPLETED", 12_500)
    legs = Posting.objects.filter(transaction=made.transaction).order_by("-amount")
    assert [(leg.amount, leg.account.chart_account.code) for leg in legs] == [
        (12_500, "BANK_CLEARING"),
        (-12_500, "CUSTOMER_WALLETS"),
    ]
    assert BankAccount.objects.get().balance_minor == 10_000_000 - 12_500
    assert Event.objects.get(object_id=made.public_id).type == "deposit.completed"


def test_a_withdrawal_goes_back_to_the_bank_account(customer):
    wallet = make_wallet(customer, balance=5_000)

    made = take(wallet, 2_000)

    assert (made.status, holds(wallet)) == ("COMPLETED", 3_000)
    assert BankAccount.objects.get().balance_minor == 10_000_000 - 5_000 + 2_000


def test_a_deposit_above_the_bank_balance_is_declined_and_kept(customer):
    wallet = make_wallet(customer)
    bank_account = make_bank_account(customer, balance=999)

    made = put(wallet, 1_000, bank_account=bank_account)

    assert (made.status, made.refusal_code, made.transaction) == ("REFUSED", "bank_account_declined", None)
    assert (holds(wallet), BankAccount.objects.get().balance_minor) == (0, 999)
    assert Event.objects.get(object_id=made.public_id).type == "deposit.refused"
    assert AuditRecord.objects.get(object_id=made.public_id).outcome == "REFUSED"


def test_raw_sql_cannot_take_a_bank_account_below_zero(customer):
    make_bank_account(customer)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE wallets_bankaccount SET balance_minor = -1")


def test_a_withdrawal_above_the_balance_is_refused_with_what_is_available(customer):
    wallet = make_wallet(customer, balance=300)

    made = take(wallet, 500)

    assert (made.status, made.refusal_code, holds(wallet)) == ("REFUSED", "insufficient_funds", 300)
    assert "3.00" in made.refusal_detail
    assert BankAccount.objects.get().balance_minor == 10_000_000 - 300


@pytest.mark.parametrize(
    ("kind", "money_in", "money_out"),
    [
        ("NO_OUT", "", "under_review"),
        ("NO_IN", "under_review", ""),
        ("FROZEN", "not_permitted", "not_permitted"),
    ],
)
@pytest.mark.parametrize("source", ["SCREENING", "OPS"])
def test_a_restriction_stops_its_direction_in_neutral_words(customer, kind, money_in, money_out, source):
    wallet = make_wallet(customer, balance=1_000)
    restriction = place_restriction(
        customer_id=customer.pk, kind=kind, source=source, reason_code="POSSIBLE_MATCH", now=NOW
    )

    came, went = put(wallet, 10), take(wallet, 10)

    assert (came.refusal_code, went.refusal_code) == (money_in, money_out)
    assert not any(word in went.refusal_detail.lower() for word in ("screen", "match", "sanction"))

    lift_restriction(restriction_id=restriction.pk, reason_code="CHECKED", now=NOW)

    assert take(wallet, 10).status == "COMPLETED"


def test_a_frozen_wallet_takes_and_gives_nothing(customer):
    wallet = make_wallet(customer, balance=1_000)
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=NOW)

    assert [put(wallet, 1).refusal_code, take(wallet, 1).refusal_code] == ["wallet_frozen"] * 2
    assert holds(wallet) == 1_000


def test_malformed_movements_leave_nothing(customer, partner):
    wallet, stranger = make_wallet(customer), make_customer(partner, "Ola Nilsen")
    foreign = make_bank_account(stranger)

    with pytest.raises(InvalidAmount):
        put(wallet, 0)
    with pytest.raises(InvalidAmount):
        put(wallet, -5)
    with pytest.raises(CurrencyMismatch):
        put(wallet, 5, currency="USD")
    with pytest.raises(NotFound):
        put(wallet, 5, bank_account=foreign)

    assert not Deposit.objects.exists()


def test_the_same_key_gives_the_same_movement_and_another_content_is_refused(customer):
    wallet = make_wallet(customer)

    first, again = put(wallet, 100, key="k1"), put(wallet, 100, key="k1")

    assert (first.pk, holds(wallet)) == (again.pk, 100)
    with pytest.raises(errors.KeyUsedBefore):
        put(wallet, 101, key="k1")


def test_a_key_of_another_wallet_of_the_partner_is_refused(customer, partner):
    wallet, other = make_wallet(customer), make_wallet(make_customer(partner, "Ola Nilsen"))
    put(wallet, 100, key="k1")

    with pytest.raises(errors.KeyUsedBefore):
        put(other, 100, key="k1")


def test_a_refused_movement_stays_refused_under_its_key(customer):
    wallet = make_wallet(customer, balance=10)
    refused = take(wallet, 50, key="k1")

    put(wallet, 1_000)

    assert take(wallet, 50, key="k1").pk == refused.pk
    assert holds(wallet) == 1_010


def test_raw_sql_cannot_change_or_delete_a_movement(customer):
    wallet = make_wallet(customer, balance=100)
    take(wallet, 10)
    connection.check_constraints()  # what is checked at commit is checked now: it would hide TRUNCATE's own refusal

    for table in ("wallets_deposit", "wallets_withdrawal"):
        for attack in (
            f"UPDATE {table} SET amount_minor = 1",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(attack)


@pytest.mark.django_db(transaction=True)
def test_fifty_threads_with_one_key_make_one_deposit(customer):
    wallet = make_wallet(customer)
    make_bank_account(customer)

    made = at_once(lambda _: put(wallet, 100, key="once"), 50)

    assert len({row.pk for row in made}) == 1
    assert (holds(wallet), Deposit.objects.count()) == (100, 1)


@pytest.mark.django_db(transaction=True)
def test_withdrawals_at_once_never_take_more_than_there_is(customer):
    wallet = make_wallet(customer, balance=1_000)

    made = at_once(lambda _: take(wallet, 300), 12)

    assert sorted(row.status for row in made) == ["COMPLETED"] * 3 + ["REFUSED"] * 9
    assert holds(wallet) == 100
    assert Balance.objects.get(pk=wallet.account_id).posted == 100
    assert Withdrawal.objects.filter(status="COMPLETED").count() == 3
    assert BankAccount.objects.get(last_four=IBAN[-4:]).balance_minor == 10_000_000 - 1_000 + 900
