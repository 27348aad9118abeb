"""Owed money: a wallet never falls below zero, the rest is owed, and the next money repays before anything else."""

import pytest
from django.db import IntegrityError, connection, transaction

from flowlet.core.errors import NotFound
from flowlet.identity.models import Customer
from ledger import errors
from ledger.choices import AccountStatus
from ledger.models.accounts import Account, Balance
from ledger.models.holds import Owing
from ledger.operations.accounts import house_account, open_account, set_floor, set_status
from ledger.operations.holds import change_hold, release_hold
from ledger.operations.owing import post_forced
from ledger.operations.posting import Posted, post_many
from ledger.queries.balances import get_balance
from ledger.queries.holds import owed_by
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, bank, draft, fund, move, wallet_account
from ledger.tests.holding import ask_now, capture, eur, hold
from ledger.tests.threads import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(customer: Customer) -> Account:
    account = wallet_account(customer_id=customer.pk)
    fund(account, 1_000)
    return account


def force(account: Account, minor: int, *, key: str = "") -> Posted:
    return post_forced(draft=draft((account, minor), (bank(), -minor), key=key), now=NOW)


def stand(account: Account) -> tuple[int, int, int]:
    """Return posted, available and owed."""
    balance, owed = get_balance(account.pk), owed_by(account.pk)
    return balance.posted.minor, balance.available.minor, owed.minor if owed else 0


def test_what_is_forced_beyond_the_balance_is_owed_and_the_next_money_repays(wallet: Account) -> None:
    hold(wallet, 200)

    force(wallet, 1_100, key="clearing")

    assert stand(wallet) == (200, 0, 300)
    assert force(wallet, 1_100, key="clearing").replayed
    fund(wallet, 250)
    assert stand(wallet) == (200, 0, 50)
    fund(wallet, 80)
    assert stand(wallet) == (230, 30, 0)
    ask_now()
    assert verify().clean


def test_what_the_account_can_pay_opens_no_receivable(wallet: Account) -> None:
    force(wallet, 1_000)

    assert stand(wallet) == (0, 0, 0)
    assert not Owing.objects.exists()


def test_a_repeat_of_a_forced_posting_with_other_content_is_refused(wallet: Account) -> None:
    force(wallet, 1_100, key="clearing")

    with pytest.raises(errors.KeyReused):
        force(wallet, 1_101, key="clearing")

    assert stand(wallet) == (0, 0, 100)


def test_legs_of_one_account_are_judged_together(wallet: Account) -> None:
    legs = ((wallet, 700), (wallet, 700), (bank(), -1_400))

    post_forced(draft=draft(*legs), now=NOW)

    assert stand(wallet) == (0, 0, 400)


def test_house_accounts_pay_whatever_is_forced(wallet: Account) -> None:
    fees = house_account(chart_code="FEE_INCOME", currency="EUR", now=NOW)

    post_forced(draft=draft((fees, 70), (wallet, -70)), now=NOW)

    assert get_balance(fees.pk).posted == eur(-70)
    with pytest.raises(NotFound):
        post_forced(draft=draft((Account(pk=0, currency="EUR"), 70), (wallet, -70)), now=NOW)


def test_a_released_or_reduced_hold_and_the_rest_of_a_capture_repay(wallet: Account) -> None:
    released, reduced, captured = hold(wallet, 200), hold(wallet, 200), hold(wallet, 200)
    force(wallet, 1_000)
    assert stand(wallet) == (600, 0, 600)

    view = release_hold(hold_id=released.hold_id, source_key="back", now=NOW)
    assert (view.balance.available, stand(wallet)) == (eur(0), (400, 0, 400))
    change_hold(hold_id=reduced.hold_id, delta=eur(-50), source_key="less", now=NOW)
    assert stand(wallet) == (350, 0, 350)
    capture(captured, wallet, 80)
    assert stand(wallet) == (150, 0, 230)
    ask_now()
    assert verify().clean


def test_money_that_comes_in_is_not_spent_before_it_repays(wallet: Account) -> None:
    force(wallet, 1_300)
    friend, shop = wallet_account(), wallet_account()
    fund(friend, 500)

    with pytest.raises(errors.InsufficientFunds) as refused, transaction.atomic():
        post_many(
            drafts=[draft((friend, 500), (wallet, -500)), draft((wallet, 201), (shop, -201))],
            now=NOW,
        )
    assert refused.value.fields["available"] == eur(200)
    post_many(drafts=[draft((friend, 500), (wallet, -500)), draft((wallet, 200), (shop, -200))], now=NOW)

    assert stand(wallet) == (0, 0, 0)
    assert get_balance(shop.pk).posted == eur(200)


def test_a_frozen_wallet_pays_nothing_and_what_it_owes_when_it_is_freed(wallet: Account) -> None:
    set_status(account_id=wallet.pk, status=AccountStatus.FROZEN, now=NOW)

    force(wallet, 400)

    assert stand(wallet) == (1_000, 1_000, 400)
    ask_now()
    set_status(account_id=wallet.pk, status=AccountStatus.OPEN, now=NOW)
    assert stand(wallet) == (600, 600, 0)


def test_an_overdraft_granted_later_repays(wallet: Account) -> None:
    force(wallet, 1_300)

    set_floor(account_id=wallet.pk, floor_minor=-200, now=NOW)

    assert stand(wallet) == (-200, -200, 100)
    ask_now()
    set_floor(account_id=wallet.pk, floor_minor=None, now=NOW)
    assert stand(wallet) == (-300, -300, 0)
    assert verify().clean


def test_an_account_that_owes_is_not_closed(wallet: Account) -> None:
    force(wallet, 1_300)

    with pytest.raises(errors.AccountNotEmpty):
        set_status(account_id=wallet.pk, status=AccountStatus.CLOSED, now=NOW)


def test_raw_sql_cannot_bring_money_past_what_is_owed(wallet: Account) -> None:
    force(wallet, 1_300)
    set_status(account_id=wallet.pk, status=AccountStatus.NO_OUT, now=NOW)
    fund(wallet, 50)
    ask_now()

    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_balance SET status = 'OPEN' WHERE account_id = %s", [wallet.pk])
        ask_now()

    assert refused.value.__cause__.diag.constraint_name == "owed_first"  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", ["heading", "currency", "customer", "floor", "used"])
def test_a_receivable_fits_its_account_or_is_refused(wallet: Account, customer: Customer, fault: str) -> None:
    receivable = open_account(
        chart_code="SUSPENSE" if fault == "heading" else "RECEIVABLES",
        currency="USD" if fault == "currency" else "EUR",
        customer_id=None if fault == "customer" else customer.pk,
        name="owed",
        floor_minor=None if fault == "floor" else 0,
        now=NOW,
    )
    if fault == "used":
        move(receivable, bank(), 5)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Owing.objects.create(account=wallet, receivable=receivable)

    assert refused.value.__cause__.diag.constraint_name == "owing_fits"  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_twenty_forced_postings_and_credits_at_once_leave_true_books(customer: Customer) -> None:
    account = wallet_account(customer_id=customer.pk)
    fund(account, 500)

    answers = together(
        *(lambda: force(account, 100) for _ in range(10)), *(lambda: fund(account, 30) for _ in range(10))
    )

    assert all(isinstance(answer, Posted) for answer in answers)
    assert stand(account) == (0, 0, 200)
    assert Balance.objects.filter(account__chart_account__code="RECEIVABLES").count() == 1
    assert verify().clean
