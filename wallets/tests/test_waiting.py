"""Movements that wait for the next run: held or announced until then, ended once, cancelled before."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.identity.operations import place_restriction
from ledger.models.holds import HoldState
from ledger.queries.balances import get_balance
from ledger.queries.verification import verify
from wallets.errors import MovementNotPending
from wallets.models import BankAccount, Deposit, LimitUse, Withdrawal
from wallets.operations.bank import deposit, withdraw
from wallets.operations.waiting import cancel, run_waiting
from wallets.operations.wallets import close_wallet, freeze_wallet
from wallets.tasks import run_movements
from wallets.tests.factories import NOW, at_once, holds, make_bank_account, make_customer, make_wallet

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def wallet(partner):
    return make_wallet(make_customer(partner), balance=50_000)


def ask(operation, wallet, minor, *, key=None):
    return operation(
        wallet_id=wallet.pk,
        bank_account_id=make_bank_account(wallet.customer).pk,
        amount=Money(minor, wallet.currency),
        idempotency_key=key,
        execution="NEXT_RUN",
        now=NOW,
    )


def bank_holds(wallet):
    return BankAccount.objects.get(customer=wallet.customer).balance_minor


@pytest.mark.django_db
def test_a_withdrawal_holds_its_money_until_the_run(wallet):
    before = bank_holds(wallet)
    row = ask(withdraw, wallet, 20_000, key="w-1")

    assert (row.status, holds(wallet), bank_holds(wallet)) == ("PENDING", 50_000, before)
    assert get_balance(wallet.account_id).available.minor == 30_000
    assert ask(withdraw, wallet, 20_000, key="w-1").pk == row.pk

    assert (run_waiting(now=LATER), run_waiting(now=LATER)) == (1, 0)

    row.refresh_from_db()
    assert (row.status, row.ended_at, holds(wallet)) == ("COMPLETED", LATER, 30_000)
    assert (bank_holds(wallet), HoldState.objects.get(hold=row.hold_id).status) == (
        before + 20_000,
        "CAPTURED",
    )
    assert verify().clean
    types = Event.objects.filter(object_id=row.public_id).order_by("id").values_list("type", flat=True)
    assert list(types) == ["withdrawal.pending", "withdrawal.completed"]


@pytest.mark.django_db
def test_a_deposit_is_announced_until_the_run(wallet):
    row = ask(deposit, wallet, 7_000)
    balance = get_balance(wallet.account_id)

    assert (balance.posted.minor, balance.available.minor) == (50_000, 50_000)
    assert wallet.account.balance.pending_in == 7_000
    run_movements()

    row.refresh_from_db()
    assert (row.status, holds(wallet)) == ("COMPLETED", 57_000)
    assert verify().clean


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "verb"), [(deposit, "deposit"), (withdraw, "withdrawal")])
def test_cancelled_it_leaves_no_trace_in_money_and_limits(wallet, operation, verb):
    used = list(LimitUse.objects.order_by("pk").values_list("amount_minor", flat=True))
    row = ask(operation, wallet, 5_000)

    cancelled = cancel(row=row, now=LATER)

    balance = get_balance(wallet.account_id)
    assert (cancelled.status, balance.posted.minor, balance.available.minor) == ("CANCELLED", 50_000, 50_000)
    after = {row.pk: row.amount_minor for row in LimitUse.objects.all()}
    assert sorted(minor for minor in after.values() if minor) == sorted(minor for minor in used if minor)
    with pytest.raises(MovementNotPending):
        cancel(row=row, now=LATER)
    assert run_waiting(now=LATER) == 0
    told = Event.objects.filter(object_id=row.public_id).order_by("sequence")
    assert [(event.type, event.data["status"], event.data["amount"]) for event in told] == [
        (f"{verb}.pending", "pending", 5_000),
        (f"{verb}.cancelled", "cancelled", 5_000),
    ]


@pytest.mark.django_db
def test_what_may_not_move_at_the_run_is_refused_and_its_money_free(wallet):
    row = ask(withdraw, wallet, 5_000)
    declined = ask(deposit, wallet, 9_000)
    BankAccount.objects.filter(customer=wallet.customer).update(balance_minor=100)
    place_restriction(
        customer_id=wallet.customer_id, kind="NO_OUT", source="COMPLIANCE", reason_code="X", now=NOW
    )

    assert run_waiting(now=LATER) == 2

    row.refresh_from_db()
    declined.refresh_from_db()
    assert (row.status, declined.status) == ("REFUSED", "REFUSED")
    assert declined.refusal_code == "bank_account_declined"
    assert get_balance(wallet.account_id).available.minor == 50_000
    assert verify().clean


@pytest.mark.django_db
def test_more_than_there_is_waits_for_nothing(wallet):
    row = ask(withdraw, wallet, 50_001)

    assert (row.status, row.refusal_code) == ("REFUSED", "insufficient_funds")
    assert not Withdrawal.objects.filter(status="PENDING").exists()


@pytest.mark.django_db
def test_a_wallet_that_expects_money_is_not_closed(partner):
    wallet = make_wallet(make_customer(partner))
    ask(deposit, wallet, 1_000)

    with pytest.raises(Exception, match=r"10\.00.EUR is announced"):
        close_wallet(wallet_id=wallet.pk, reason_code="X", now=LATER)
    freeze_wallet(wallet_id=wallet.pk, reason_code="COURT_ORDER", now=LATER)
    run_waiting(now=LATER)

    assert Deposit.objects.get().status == "REFUSED"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "amount_minor = 1",
        "status = 'COMPLETED'",
        "wallet_id = wallet_id + 1",
        "status = 'CANCELLED', ended_at = now(), amount_minor = 1",
    ],
)
def test_the_database_lets_a_waiting_one_end_and_nothing_else(wallet, change):
    ask(withdraw, wallet, 5_000)
    statement = f"UPDATE wallets_withdrawal SET {change}"

    with pytest.raises(IntegrityError), transaction.atomic():
        _sql(statement)


def _sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_cancelled_and_run_at_the_same_moment_it_ends_once(partner):
    wallet = make_wallet(make_customer(partner), balance=10_000)
    row = ask(withdraw, wallet, 4_000)

    def act(number):
        return run_waiting(now=LATER) if number % 2 else cancel(row=row, now=LATER)

    at_once(act, 6, workers=6)

    row.refresh_from_db()
    assert row.status in {"COMPLETED", "CANCELLED"}
    assert holds(wallet) == (6_000 if row.status == "COMPLETED" else 10_000)
    assert get_balance(wallet.account_id).held.minor == 0
    assert verify().clean
