"""What is pure: positions, limits, lists, dates, digits."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import policies
from cards.choices import DECLINE_RANK, DECLINE_WORDS, NETWORK_CODES, LimitSpan
from cards.policies import position


@dataclass(frozen=True)
class Event:
    kind: str
    amount_minor: int
    final: bool = False


@pytest.mark.parametrize(
    ("events", "held", "state"),
    [
        ([("AUTHORIZE", 100)], 100, "OPEN"),
        ([("AUTHORIZE", 100), ("INCREMENT", 50)], 150, "OPEN"),
        ([("AUTHORIZE", 100), ("REVERSE", 30)], 70, "OPEN"),
        ([("AUTHORIZE", 100), ("REVERSE", 100)], 0, "REVERSED"),
        ([("AUTHORIZE", 100), ("REVERSE", 60), ("REVERSE", 60)], 0, "REVERSED"),
        ([("AUTHORIZE", 100), ("CLEAR", 40)], 60, "OPEN"),
        ([("AUTHORIZE", 100), ("CLEAR", 40, True)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("CLEAR", 40), ("CLEAR", 60)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("CLEAR", 130, True)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("EXPIRE", 0)], 0, "EXPIRED"),
        ([("AUTHORIZE", 100), ("EXPIRE", 0), ("CLEAR", 100)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("CLEAR", 40), ("EXPIRE", 0)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("CLEAR", 100, True), ("REFUND", 100)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("CLEAR", 100, True), ("REVERSE", 100)], 0, "CLEARED"),
        ([("CLEAR", 70, True)], 0, "CLEARED"),
        ([("AUTHORIZE", 0)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("REVERSE", 30), ("CLEAR", 70)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("REVERSE", 30), ("CLEAR", 50)], 20, "OPEN"),
        ([("AUTHORIZE", 100), ("INCREMENT", 20), ("REVERSE", 120)], 0, "REVERSED"),
        ([("AUTHORIZE", 100), ("INCREMENT", 20), ("CLEAR", 60), ("CLEAR", 60)], 0, "CLEARED"),
        ([("AUTHORIZE", 100), ("REFUND", 10)], 100, "OPEN"),
        ([("AUTHORIZE", 100), ("EXPIRE", 0), ("REVERSE", 100)], 0, "REVERSED"),
    ],
)
def test_each_life_ends_at_its_hold_and_state_in_any_order(
    events: list[tuple[object, ...]], held: int, state: str
) -> None:
    told = [Event(*event) for event in events]  # type: ignore[arg-type]

    for order in permutations(told):
        found = position(order)
        assert (found.held, found.state) == (held, state)


EVENTS = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from(["AUTHORIZE", "INCREMENT", "REVERSE", "CLEAR", "REFUND", "EXPIRE"]),
        amount_minor=st.integers(0, 10**9),
        final=st.booleans(),
    ),
    max_size=12,
)


@given(events=EVENTS, seed=st.randoms())
def test_order_never_matters_and_nothing_is_held_below_zero(events: list[Event], seed: object) -> None:
    found = position(events)
    mixed = list(events)
    seed.shuffle(mixed)  # type: ignore[attr-defined]

    assert position(mixed) == found
    assert 0 <= found.held <= max(found.authorized, 0)
    assert found.state == "OPEN" or found.held == 0
    assert found.counted >= 0


def test_no_limit_is_none_and_zero_lets_nothing_through() -> None:
    assert policies.check_limit("day", asked=10**9, limit=None, used=5).passed
    assert not policies.check_limit("day", asked=1, limit=0, used=0).passed
    just = policies.check_limit("day", asked=60, limit=100, used=40)
    assert (just.passed, just.left) == (True, 60)
    assert not policies.check_limit("day", asked=61, limit=100, used=40).passed
    assert policies.check_limit("day", asked=1, limit=100, used=140).left == 0


def test_block_wins_over_allow_and_unknown_codes_are_legal() -> None:
    def passed(value: str, allow: list[str] | None, block: list[str]) -> bool:
        return policies.check_list("mcc", value=value, allow=allow, block=block).passed

    assert passed("0001", None, [])
    assert passed("5942", ["5942"], [])
    assert not passed("5942", ["5942"], ["5942"])
    assert not passed("0001", ["5942"], [])


def test_days_and_months_are_those_of_the_programmes_zone() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)

    assert policies.buckets(late, "UTC") == {
        LimitSpan.DAY: date(2026, 11, 30),
        LimitSpan.MONTH: date(2026, 11, 1),
    }
    assert policies.buckets(late, "Europe/Oslo") == {
        LimitSpan.DAY: date(2026, 12, 1),
        LimitSpan.MONTH: date(2026, 12, 1),
    }


def test_stays_hold_longest_and_a_present_card_shortest() -> None:
    assert policies.expiry_of(mcc="7011", channel="PRESENT") == timedelta(days=30)
    assert policies.expiry_of(mcc="3504", channel="PRESENT") == timedelta(days=30)
    assert policies.expiry_of(mcc="5942", channel="ECOMMERCE") == timedelta(days=10)
    assert policies.expiry_of(mcc="5942", channel="PRESENT") == timedelta(days=5)


def test_a_restaurant_may_clear_a_tip_and_a_shop_nothing_more() -> None:
    assert not policies.is_over(mcc="5812", authorized=100, cleared=120)
    assert policies.is_over(mcc="5812", authorized=100, cleared=121)
    assert policies.is_over(mcc="5942", authorized=100, cleared=101)


@pytest.mark.parametrize("number", ["4111111111111111", "5555555555554444", "378282246310005"])
def test_check_digits_are_those_of_published_test_numbers(number: str) -> None:
    assert policies.luhn_digit(number[:-1]) == number[-1]


def test_every_reason_has_a_network_answer_and_words() -> None:
    assert set(NETWORK_CODES) == set(DECLINE_WORDS) == set(DECLINE_RANK)
