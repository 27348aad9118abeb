"""Looking back: at an instant, on a value date, as known on a day; the index alone answers, however long the history."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from flowlet.core.money import Money
from ledger.models.accounts import Account
from ledger.models.seals import Block
from ledger.models.transactions import Posting
from ledger.operations.owing import post_forced
from ledger.operations.posting import post_many
from ledger.operations.sealing import seal
from ledger.queries.history import (
    AT_INSTANT,
    NotKnownYet,
    balance_at,
    balance_known,
    balance_on,
    balances_at,
)
from ledger.tests.booking import closed_month
from ledger.tests.factories import NOW, TODAY, bank, draft, fund, move, wallet_account
from ledger.tests.holding import ask_now, capture, hold

pytestmark = pytest.mark.django_db
MOMENT = timedelta(microseconds=1)


def instants(account: Account) -> list[datetime]:
    return list(
        Posting.objects.filter(account=account).order_by("account_seq").values_list("posted_at", flat=True)
    )


@pytest.mark.parametrize("currency", ["JPY", "EUR", "KWD", "CLF"])
def test_at_each_instant_the_balance_is_that_after_the_latest_posting(currency: str) -> None:
    account, other = wallet_account(currency), wallet_account(currency)
    for minor in (1_000, 250, 5):
        fund(account, minor)
    move(account, other, 55)
    times = instants(account)

    found = [balance_at(account.pk, at) for at in (times[0] - MOMENT, *times, times[-1] + timedelta(days=1))]

    assert found == [(0, 0), (1_000, 1), (1_250, 2), (1_255, 3), (1_200, 4), (1_200, 4)]
    assert balances_at(account, times[1]).posted == Money(1_250, currency)


def test_what_was_held_announced_and_owed_is_known_at_each_instant(customer) -> None:
    account = wallet_account(customer_id=customer.pk)
    fund(account, 1_000)
    before = datetime.now(UTC)
    set_aside = hold(account, 300)
    hold(account, 70, direction="IN")
    between = datetime.now(UTC)
    capture(set_aside, account, 100)
    post_forced(draft=draft((account, 1_500), (bank(), -1_500)), now=NOW)
    after = datetime.now(UTC)

    then = [balances_at(account, at) for at in (before, between, after)]

    assert [(b.posted.minor, b.held.minor, b.pending.minor, b.owed.minor) for b in then] == [
        (1_000, 0, 0, 0),
        (1_000, 300, 70, 0),
        (0, 0, 70, 600),
    ]


def test_an_instant_costs_a_handful_of_pages_however_long_the_history() -> None:
    busy, other = wallet_account(), wallet_account()
    fund(busy, 10_000)
    drafts = [draft((busy, 1), (other, -1)) for _ in range(1_500)]
    post_many(drafts=drafts, now=NOW)
    middle = instants(busy)[700]

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_posting")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {AT_INSTANT}", [busy.pk, middle])
        plan = cursor.fetchone()[0][0]["Plan"]

    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 10
    assert plan["Plans"][0]["Index Name"] == "posting_by_instant"


def test_on_a_value_date_backdated_postings_count_and_a_closing_stands_for_what_came_before() -> None:
    account = wallet_account()
    days = [TODAY - timedelta(days=back) for back in (40, 10, 0)]
    for day, minor in zip(days, (500, 70, 3), strict=True):
        post_many(drafts=[draft((bank(), minor), (account, -minor), effective_date=day)], now=NOW)
    assert [balance_on(account, day).minor for day in (days[0] - timedelta(days=1), *days)] == [
        0,
        500,
        570,
        573,
    ]

    closed_month(TODAY.year, days[0].month)
    ends = date(TODAY.year, days[0].month, 30)
    with connection.cursor() as cursor:
        # Another figure than the postings', so that it shows that it was used.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_periodbalance SET closing = -9000 WHERE account_id = %s", [account.pk])
        cursor.execute("SET session_replication_role = DEFAULT")

    found = [balance_on(account, day).minor for day in (days[0], ends, *days[1:])]

    assert found == [500, 9_000, 9_070, 9_073]


def test_as_known_on_a_day_later_backdating_changes_nothing() -> None:
    account, day = wallet_account(), TODAY
    fund(account, 500)
    seal()
    # The first block is moved ten days back, as if it had been sealed then.
    ask_now()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE ledger_block SET sealed_at = sealed_at - interval '10 days'")
        cursor.execute("SET session_replication_role = DEFAULT")
    known, today = Block.objects.get().sealed_at.date(), datetime.now(UTC).date()
    fund(account, 70)
    seal()

    assert balance_on(account, day).minor == 570
    assert balance_known(account, day, known=known, today=today).minor == 500
    assert balance_known(account, day, known=known - timedelta(days=1), today=today).minor == 0
    assert balance_known(account, day - timedelta(days=1), known=known, today=today).minor == 0
    assert balance_known(account, day, known=today, today=today + timedelta(days=1)).minor == 570
    with pytest.raises(NotKnownYet):
        balance_known(account, day, known=today, today=today)
