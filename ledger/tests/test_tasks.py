"""The ledger's job: whatever the number, all holds that are over are given back."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.models.accounts import Balance
from ledger.models.holds import HoldEvent
from ledger.tasks import expire_holds
from ledger.tests.factories import fund, wallet_account
from ledger.tests.holding import hold

pytestmark = pytest.mark.django_db


def test_the_sweep_gives_back_all_that_is_over_and_nothing_twice() -> None:
    account, long_ago = wallet_account(), datetime(2026, 1, 1, tzinfo=UTC)
    fund(account, 1_000)
    for _ in range(53):
        hold(account, 1, seconds=1, now=long_ago)
    hold(account, 7)
    hold(account, 5, seconds=1, now=datetime.now(UTC) + timedelta(days=1))

    assert (expire_holds(), expire_holds()) == (53, 0)

    assert Balance.objects.get(pk=account.pk).held == 12
    actors = HoldEvent.objects.filter(kind="EXPIRE").values_list("actor", flat=True)
    assert set(actors) == {"SYSTEM:job:ledger.expire_holds"}
