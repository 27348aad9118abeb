"""The ledger's jobs: all holds that are over are given back, months are made, closes go on."""

from datetime import UTC, datetime, time, timedelta

import pytest

from ledger.models.accounts import Balance
from ledger.models.holds import HoldEvent
from ledger.models.periods import Period
from ledger.operations.periods import MONTHS_AHEAD, begin_close
from ledger.tasks import continue_closes, expire_holds, make_periods
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


def test_jobs_make_the_months_and_end_a_close_that_has_begun() -> None:
    assert make_periods() == MONTHS_AHEAD + 1
    assert make_periods() == 0
    # The clock of jobs is the real one: only a month that is over can be closed.
    first = Period.objects.order_by("first_date")[0]
    begin_close(period_id=first.pk, now=datetime.combine(first.last_date, time(), UTC) + timedelta(days=1))

    assert (continue_closes(), continue_closes()) == (0, 0)

    assert Period.objects.get(pk=first.pk).status == "CLOSED"
