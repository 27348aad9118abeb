"""What repeats and what stands out: both sides of every rule."""

from datetime import date, timedelta

import pytest

from analytics.patterns import Paid, recurring_of, unusual_of

TODAY = date(2026, 11, 30)


def paid(*rows: tuple[int, int], merchant: str = "Lumen Streaming", count: int = 1) -> list[Paid]:
    """Payments as (days ago, minor)."""
    return [
        Paid(
            date=TODAY - timedelta(days=ago),
            merchant=merchant,
            category="ENTERTAINMENT",
            amount_minor=minor,
            count=count,
        )
        for ago, minor in rows
    ]


@pytest.mark.parametrize(
    ("rows", "every"),
    [
        ([(14, 100), (7, 100), (0, 100)], "WEEKLY"),
        ([(28, 100), (14, 100), (0, 100)], "BIWEEKLY"),
        ([(61, 100), (30, 109), (0, 100)], "MONTHLY"),
        ([(180, 100), (90, 100), (0, 100)], "QUARTERLY"),
    ],
)
def test_even_gaps_and_amounts_are_recurring(rows, every):
    [found] = recurring_of(paid(*rows), today=TODAY)

    assert found.every == every


@pytest.mark.parametrize(
    "rows",
    [
        [(30, 100), (0, 100)],
        [(60, 100), (30, 120), (0, 100)],
        [(50, 100), (30, 100), (0, 100)],
        [(160, 100), (130, 100), (100, 100)],
    ],
    ids=["twice only", "amounts apart", "gaps apart", "over since long"],
)
def test_anything_else_is_not(rows):
    assert recurring_of(paid(*rows), today=TODAY) == []


def test_only_what_is_over_three_times_the_usual_stands_out():
    usual = paid((50, 100), (40, 120), (30, 100), (20, 90), (10, 100))

    assert unusual_of([*usual, *paid((0, 300))], first=TODAY) == []
    [found] = unusual_of([*usual, *paid((0, 301))], first=TODAY)
    assert (found.amount_minor, found.usual_minor) == (301, 100)
    assert unusual_of([*usual[1:], *paid((0, 301))], first=TODAY) == []
