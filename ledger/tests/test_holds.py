"""Holds: money set aside stays aside until it is captured, given back or its time is over; each step once."""

from datetime import timedelta

import pytest
from django.db import transaction

from flowlet.core.errors import NotFound
from flowlet.core.money import CurrencyMismatch, InvalidAmount, Money
from flowlet.identity.models import Customer
from ledger import errors
from ledger.choices import AccountStatus, HoldDirection
from ledger.models.accounts import Account, Balance
from ledger.models.holds import HoldEvent
from ledger.operations.accounts import set_status
from ledger.operations.holds import capture_hold, change_hold, expire_holds, release_hold
from ledger.operations.posting import post
from ledger.queries.balances import get_balance
from ledger.queries.holds import get_hold, list_holds, list_open_holds
from ledger.queries.verification import verify
from ledger.tests.factories import NOW, bank, draft, fund, move, wallet_account
from ledger.tests.holding import ask_now, capture, eur, hold

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(customer: Customer) -> Account:
    account = wallet_account(customer_id=customer.pk)
    fund(account, 1_000)
    return account


def test_what_is_held_cannot_be_spent_or_held_again(wallet: Account) -> None:
    other = wallet_account()

    held = hold(wallet, 700)

    assert (held.balance.posted, held.balance.available) == (eur(1_000), eur(300))
    with pytest.raises(errors.InsufficientFunds) as refused, transaction.atomic():
        move(wallet, other, 301)
    assert refused.value.fields["available"] == eur(300)
    with pytest.raises(errors.InsufficientFunds):
        hold(wallet, 301)
    move(wallet, other, 300)
    assert get_balance(wallet.pk).available == eur(0)


def test_a_capture_takes_the_money_and_gives_the_rest_back(wallet: Account) -> None:
    held = hold(wallet, 700)

    capture(held, wallet, 500)

    after = get_hold(held.hold_id)
    assert (after.status, after.open) == ("CAPTURED", eur(0))
    assert get_balance(wallet.pk).available == eur(500)
    ask_now()
    assert verify().clean


def test_a_capture_without_amount_takes_all_that_is_open(wallet: Account) -> None:
    held = hold(wallet, 700)
    change_hold(hold_id=held.hold_id, delta=eur(-100), source_key="less", now=NOW)

    capture_hold(hold_id=held.hold_id, draft=draft((wallet, 600), (bank(), -600)), now=NOW)

    assert get_hold(held.hold_id).status == "CAPTURED"
    assert get_balance(wallet.pk).posted == eur(400)
    ask_now()


def test_several_partial_captures_never_take_more_than_is_open(wallet: Account) -> None:
    held = hold(wallet, 700)
    capture(held, wallet, 300, final=False)
    capture(held, wallet, 300, final=False)

    with pytest.raises(errors.HoldTooSmall) as refused:
        capture(held, wallet, 101, final=False)

    assert refused.value.fields["open_minor"] == 100
    assert get_balance(wallet.pk).held == eur(100)
    capture(held, wallet, 100, final=False)
    assert get_hold(held.hold_id).status == "CAPTURED"
    with pytest.raises(errors.HoldFinal):
        capture(held, wallet, 1)


def test_the_same_key_holds_captures_and_releases_once(wallet: Account) -> None:
    first = hold(wallet, 400, key="same")
    again = hold(wallet, 400, key="same")

    assert (again.hold_id, again.replayed) == (first.hold_id, True)
    with pytest.raises(errors.KeyReused):
        hold(wallet, 401, key="same")
    one, two = capture(first, wallet, 100, key="take"), capture(first, wallet, 100, key="take")
    assert (one.public_id, two.replayed) == (two.public_id, True)
    other = hold(wallet, 200)
    release_hold(hold_id=other.hold_id, source_key="back", now=NOW)
    assert release_hold(hold_id=other.hold_id, source_key="back", now=NOW).replayed
    with pytest.raises(errors.HoldFinal):
        release_hold(hold_id=other.hold_id, source_key="again", now=NOW)
    assert get_balance(wallet.pk).available == eur(900)


def test_a_key_that_did_something_else_before_is_refused(wallet: Account) -> None:
    held = hold(wallet, 400)
    change_hold(hold_id=held.hold_id, delta=eur(-10), source_key="less", now=NOW)
    capture(held, wallet, 100, key="take", final=False)
    post(draft=draft((wallet, 50), (bank(), -50), key="elsewhere"), now=NOW)

    with pytest.raises(errors.KeyReused):
        change_hold(hold_id=held.hold_id, delta=eur(-11), source_key="less", now=NOW)
    with pytest.raises(errors.KeyReused):
        release_hold(hold_id=held.hold_id, source_key="less", now=NOW)
    with pytest.raises(errors.KeyReused):
        capture(held, wallet, 101, key="take", final=False)
    with pytest.raises(errors.KeyReused):
        capture(held, wallet, 50, key="elsewhere", final=False)
    assert get_hold(held.hold_id).open == eur(290)


def test_keys_as_long_as_they_may_be_stay_apart(wallet: Account) -> None:
    held, stem = hold(wallet, 400, key="k" * 120), "k" * 119

    capture(held, wallet, 100, key=f"{stem}1", final=False)
    capture(held, wallet, 100, key=f"{stem}2", final=False)
    capture(held, wallet, 50, key=f"{stem}3", final=True)

    assert get_balance(wallet.pk).posted == eur(750)
    assert HoldEvent.objects.filter(hold_id=held.hold_id).count() == 5
    ask_now()


def test_a_hold_grows_and_shrinks_within_what_is_available(wallet: Account) -> None:
    held = hold(wallet, 400)

    change_hold(hold_id=held.hold_id, delta=eur(600), source_key="a", now=NOW)
    with pytest.raises(errors.InsufficientFunds):
        change_hold(hold_id=held.hold_id, delta=eur(1), source_key="b", now=NOW)
    less = change_hold(hold_id=held.hold_id, delta=eur(-250), source_key="c", now=NOW)

    assert (less.open, less.balance.available) == (eur(750), eur(250))
    with pytest.raises(errors.HoldTooSmall):
        change_hold(hold_id=held.hold_id, delta=eur(-751), source_key="d", now=NOW)


def test_amounts_that_are_none_or_of_another_currency_are_refused(wallet: Account) -> None:
    held, dollars = hold(wallet, 400), Money(10, "USD")
    taking = draft((wallet, 10), (bank(), -10))

    for minor in (0, -5):
        with pytest.raises(InvalidAmount):
            hold(wallet, minor)
        with pytest.raises(InvalidAmount):
            capture_hold(hold_id=held.hold_id, draft=taking, amount=eur(minor), now=NOW)
    with pytest.raises(InvalidAmount):
        change_hold(hold_id=held.hold_id, delta=eur(0), source_key="none", now=NOW)
    with pytest.raises(CurrencyMismatch):
        change_hold(hold_id=held.hold_id, delta=dollars, source_key="dollars", now=NOW)
    with pytest.raises(CurrencyMismatch):
        capture_hold(hold_id=held.hold_id, draft=taking, amount=dollars, now=NOW)
    wallet.currency = "USD"
    with pytest.raises(CurrencyMismatch):
        hold(wallet, 10)
    with pytest.raises(NotFound):
        hold(Account(pk=0, currency="EUR"), 10)
    with pytest.raises(NotFound):
        release_hold(hold_id=0, source_key="back", now=NOW)


def test_time_gives_back_what_is_held_and_ends_captures(wallet: Account) -> None:
    held, later = hold(wallet, 400, seconds=60), hold(wallet, 100, seconds=600)

    assert expire_holds(now=NOW + timedelta(seconds=59)) == 0
    assert expire_holds(now=NOW + timedelta(seconds=60)) == 1
    assert expire_holds(now=NOW + timedelta(seconds=60)) == 0

    assert (get_hold(held.hold_id).status, get_hold(later.hold_id).status) == ("EXPIRED", "ACTIVE")
    with pytest.raises(errors.HoldFinal):
        capture(held, wallet, 1)


def test_a_hold_whose_time_is_over_is_not_captured_even_before_the_sweep(wallet: Account) -> None:
    held = hold(wallet, 400, seconds=60)

    capture(held, wallet, 100, final=False, now=NOW + timedelta(seconds=59))
    with pytest.raises(errors.HoldFinal) as refused:
        capture(held, wallet, 100, now=NOW + timedelta(seconds=60))

    assert refused.value.fields["status"] == "expired"
    assert get_balance(wallet.pk).posted == eur(900)


def test_a_new_hold_does_not_wait_for_the_sweep(wallet: Account) -> None:
    over, running = hold(wallet, 600, seconds=60), hold(wallet, 300, seconds=600)

    fresh = hold(wallet, 700, now=NOW + timedelta(seconds=60))

    assert fresh.balance.available == eur(0)
    assert [get_hold(one.hold_id).status for one in (over, running)] == ["EXPIRED", "ACTIVE"]
    with pytest.raises(errors.InsufficientFunds):
        hold(wallet, 1, now=NOW + timedelta(seconds=60))


def test_a_closed_or_frozen_account_takes_no_hold_but_gives_one_back(wallet: Account) -> None:
    held = hold(wallet, 400)
    set_status(account_id=wallet.pk, status=AccountStatus.FROZEN, now=NOW)

    with pytest.raises(errors.AccountNotOpen):
        hold(wallet, 1)
    release_hold(hold_id=held.hold_id, source_key="back", now=NOW)

    assert get_balance(wallet.pk).held == eur(0)


def test_announced_money_is_pending_until_it_comes(wallet: Account) -> None:
    announced = hold(wallet, 500, direction=HoldDirection.IN)

    assert Balance.objects.get(pk=wallet.pk).pending_in == 500
    assert announced.balance.available == eur(1_000)
    capture_hold(
        hold_id=announced.hold_id, draft=draft((bank(), 450), (wallet, -450)), amount=eur(450), now=NOW
    )

    ask_now()
    assert (get_balance(wallet.pk).posted, Balance.objects.get(pk=wallet.pk).pending_in) == (eur(1_450), 0)
    assert verify().clean


def test_open_holds_are_listed_newest_first_with_what_is_open(wallet: Account) -> None:
    ended, first = hold(wallet, 100), hold(wallet, 200)
    latest = hold(wallet, 300, now=NOW + timedelta(seconds=1))
    capture(first, wallet, 50, final=False)
    release_hold(hold_id=ended.hold_id, source_key="back", now=NOW)

    listed = [(row.pk, row.state.open_minor) for row in list_open_holds([wallet.pk])]

    assert listed == [(latest.hold_id, 300), (first.hold_id, 150)]
    assert [row.pk for row in list_holds(wallet.pk)] == [latest.hold_id, first.hold_id, ended.hold_id]
