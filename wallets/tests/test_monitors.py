"""Balance monitors: told once each time a line is crossed, whatever comes twice or late."""

import pytest

from flowlet.core.money import Money
from flowlet.events.models import Event
from flowlet.events.relay import relay
from ledger.tests.factories import fund, move, wallet_account
from wallets.errors import MonitorExists, TooManyMonitors
from wallets.models import BalanceCrossing
from wallets.operations.monitors import MAXIMUM, add_monitor, end_monitor, tell_crossings
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet(partner):
    return make_wallet(make_customer(partner))


def watch(wallet, side, minor):
    return add_monitor(wallet_id=wallet.pk, side=side, threshold=Money(minor, "EUR"), now=NOW)


def tell_all():
    while relay(now=NOW):
        pass
    return [
        (event.data["side"], event.data["threshold"], event.data["balance"])
        for event in Event.objects.filter(type="wallet.balance_crossed").order_by("id")
    ]


def test_each_crossing_is_told_once_and_no_other_movement(wallet):
    watch(wallet, "BELOW", 5_000)
    watch(wallet, "ABOVE", 8_000)
    other = wallet_account()
    fund(wallet.account, 6_000)  # no line between 0 and 6,000 is watched from below
    fund(wallet.account, 2_000)  # reaches 8,000
    move(wallet.account, other, 3_000)  # 5,000 is not below 5,000
    move(wallet.account, other, 1)  # below
    move(wallet.account, other, 100)  # still below

    assert tell_all() == [("above", 8_000, 8_000), ("below", 5_000, 4_999)]


def test_a_posting_that_is_told_twice_crosses_once(wallet):
    watch(wallet, "ABOVE", 100)
    leg = {"account": wallet.account_id, "amount": -500, "balance_after": 500, "seq": 7}

    assert tell_crossings(transaction_id="txn_1", legs=[leg], now=NOW) == 1
    assert tell_crossings(transaction_id="txn_1", legs=[leg], now=NOW) == 0

    assert BalanceCrossing.objects.count() == 1


def test_an_ended_monitor_is_silent_and_its_line_may_be_watched_again(wallet):
    monitor = watch(wallet, "ABOVE", 100)
    with pytest.raises(MonitorExists):
        watch(wallet, "ABOVE", 100)

    end_monitor(monitor_id=monitor.pk, now=NOW)
    end_monitor(monitor_id=monitor.pk, now=NOW)
    fund(wallet.account, 200)

    assert tell_all() == []
    watch(wallet, "ABOVE", 100)


def test_a_wallet_has_only_so_many(wallet):
    for number in range(MAXIMUM):
        watch(wallet, "BELOW", number)

    with pytest.raises(TooManyMonitors):
        watch(wallet, "BELOW", 99)
