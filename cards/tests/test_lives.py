"""Lives of an authorisation on a wallet with 100.00 EUR: hold, books, debt, counters and limits after each."""

import pytest
from django.db import connection

from cards.models.issuing import SpendCounter
from cards.operations.following import expire
from cards.tests.factories import NOW, balance, make_card, pay, told
from flowlet.identity.models import Customer
from ledger.queries.holds import owed_by
from ledger.queries.verification import verify
from wallets.models import LimitUse

pytestmark = pytest.mark.django_db
WALLET = 10_000
Step = tuple[str, int] | tuple[str, int, bool]


@pytest.mark.parametrize(
    ("asked", "steps", "posted", "held", "owed", "counted", "state"),
    [
        (4_000, [], 10_000, 4_000, 0, 4_000, "OPEN"),
        (0, [], 10_000, 0, 0, 0, "CLEARED"),
        (10_000, [], 10_000, 10_000, 0, 10_000, "OPEN"),
        (10_001, [], 10_000, 0, 0, 0, "DECLINED"),
        (4_000, [("CLEAR", 4_000)], 6_000, 0, 0, 4_000, "CLEARED"),
        (4_000, [("CLEAR", 3_000)], 7_000, 0, 0, 3_000, "CLEARED"),
        (4_000, [("CLEAR", 1_000, False)], 9_000, 3_000, 0, 4_000, "OPEN"),
        (4_000, [("CLEAR", 1_000, False), ("CLEAR", 1_500)], 7_500, 0, 0, 2_500, "CLEARED"),
        (4_000, [("CLEAR", 2_500, False), ("CLEAR", 1_500, False)], 6_000, 0, 0, 4_000, "CLEARED"),
        (4_000, [("CLEAR", 5_000)], 5_000, 0, 0, 5_000, "CLEARED"),
        (9_000, [("CLEAR", 12_500)], 0, 0, 2_500, 12_500, "CLEARED"),
        (4_000, [("REVERSE", 1_000)], 10_000, 3_000, 0, 3_000, "OPEN"),
        (4_000, [("REVERSE", 4_000)], 10_000, 0, 0, 0, "REVERSED"),
        (4_000, [("REVERSE", 9_000)], 10_000, 0, 0, 0, "REVERSED"),
        (4_000, [("REVERSE", 1_000), ("CLEAR", 3_000)], 7_000, 0, 0, 3_000, "CLEARED"),
        (4_000, [("CLEAR", 4_000), ("REVERSE", 4_000)], 6_000, 0, 0, 4_000, "CLEARED"),
        (4_000, [("INCREMENT", 2_000)], 10_000, 6_000, 0, 6_000, "OPEN"),
        (4_000, [("INCREMENT", 2_000), ("CLEAR", 6_000)], 4_000, 0, 0, 6_000, "CLEARED"),
        (4_000, [("EXPIRE", 0)], 10_000, 0, 0, 0, "EXPIRED"),
        (4_000, [("EXPIRE", 0), ("CLEAR", 4_000)], 6_000, 0, 0, 4_000, "CLEARED"),
        (4_000, [("CLEAR", 1_000, False), ("EXPIRE", 0)], 9_000, 0, 0, 1_000, "CLEARED"),
        (4_000, [("CLEAR", 4_000), ("REFUND", 1_500)], 7_500, 0, 0, 4_000, "CLEARED"),
        (4_000, [("CLEAR", 4_000), ("REFUND", 4_000)], 10_000, 0, 0, 4_000, "CLEARED"),
        (4_000, [("CLEAR", 12_000), ("REFUND", 3_000)], 1_000, 0, 0, 12_000, "CLEARED"),
        (10_001, [("CLEAR", 3_000)], 7_000, 0, 0, 0, "DECLINED"),
    ],
)
def test_hold_books_debt_and_counters_are_exact_after_each_life(
    customer: Customer,
    asked: int,
    steps: list[Step],
    posted: int,
    held: int,
    owed: int,
    counted: int,
    state: str,
) -> None:
    card = make_card(customer, minor=WALLET)
    authorization = pay(card, asked)

    for kind, minor, *final in steps:
        if kind == "EXPIRE":
            expire(authorization_id=authorization.pk, now=NOW)
        else:
            told(card, kind, minor, of=authorization, final=final != [False])

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    authorization.refresh_from_db()
    found = balance(card)
    assert (found.posted.minor, found.held.minor) == (posted, held)
    debt = owed_by(card.wallet.account_id)
    assert (debt.minor if debt else 0) == owed
    assert (authorization.state, authorization.counted_minor) == (state, counted)
    assert {row.amount_minor for row in SpendCounter.objects.filter(card=card)} <= {counted}
    assert verify().clean


def test_the_tiers_limit_counts_what_is_promised_and_gets_back_what_was_not_taken(customer: Customer) -> None:
    card = make_card(customer, minor=WALLET)
    authorization = pay(card, 4_000)
    pay(card, 99_999)

    def used() -> set[int]:
        rows = LimitUse.objects.filter(customer=customer, kind="CARD", interval__in=("DAY", "MONTH"))
        return set(rows.values_list("amount_minor", flat=True))

    assert used() == {4_000}
    told(card, "CLEAR", 1_000, of=authorization)
    assert used() == {1_000}
