"""Each scenario finds the pattern that is planted and leaves everyday money alone: payroll, shops, rent, households."""

from dataclasses import fields
from typing import Any

import pytest

from compliance.errors_monitoring import ParameterOutOfBounds
from compliance.scenario_base import SCENARIOS, Move, defaults, read
from compliance.tests.watching import at, found_by, move


def payroll_employer() -> list[Move]:
    """Tops up from the own bank, then pays twenty salaries within hours, every month."""
    moves = []
    for month in range(4):
        moves.append(move(month * 30, "IN", 60_000, channel="BANK", counterparty="ba_own", own=True))
        moves += [
            move(month * 30 + 0.1 + n / 1000, "OUT", 2_900, counterparty=f"cus_worker{n}") for n in range(20)
        ]
    return moves


def employee() -> list[Move]:
    """Gets a salary, pays rent and shops, sweeps nothing."""
    moves = []
    for month in range(5):
        moves.append(move(month * 30, "IN", 3_100, counterparty="cus_employer"))
        moves.append(move(month * 30 + 1, "OUT", 1_150, counterparty="cus_landlord"))
        moves += [move(month * 30 + 2 + n * 3, "OUT", 120, counterparty=f"cus_shop{n % 3}") for n in range(8)]
    return moves


def landlord() -> list[Move]:
    """Six tenants pay within two days, every month; the mortgage goes out after them."""
    moves = []
    for month in range(5):
        moves += [move(month * 30 + n * 0.3, "IN", 950, counterparty=f"cus_tenant{n}") for n in range(6)]
        moves.append(move(month * 30 + 4, "OUT", 4_000, channel="BANK", counterparty="ba_own", own=True))
    return moves


def shop() -> list[Move]:
    """Sells to a few new people and some regulars each day, sweeps to the own bank on Fridays, pays cash in weekly."""
    moves = []
    for day in range(120):
        moves += [
            move(day + n / 10, "IN", 35 + n, counterparty=f"cus_buyer{day * 3 + n}" if n else "cus_regular")
            for n in range(4)
        ]
        if day % 7 == 4:
            moves.append(move(day + 0.9, "OUT", 900, channel="BANK", counterparty="ba_own", own=True))
            moves.append(move(day + 0.8, "IN", 2_300, channel="CASH"))
    return moves


def household() -> list[Move]:
    """Two people share a wallet: money from the own bank, friends split a dinner, a holiday abroad."""
    friends = [move(40 + n / 100, "IN", 45, counterparty=f"cus_friend{n}") for n in range(9)]
    own = [move(month * 30, "IN", 1_500, channel="BANK", own=True) for month in range(4)]
    return [*friends, *own, move(50, "OUT", 700, country="MM", counterparty="cus_guide")]


DECOYS: list[tuple[list[Move], dict[str, Any]]] = [
    (payroll_employer(), {"business": True}),
    (employee(), {}),
    (landlord(), {}),
    (shop(), {"business": True}),
    (household(), {}),
]


@pytest.mark.parametrize("code", list(SCENARIOS))
@pytest.mark.parametrize(
    "number", range(len(DECOYS)), ids=["payroll", "employee", "rent", "shop", "household"]
)
def test_everyday_money_raises_nothing(code: str, number: int) -> None:
    moves, facts = DECOYS[number]

    assert found_by(code, moves, **facts) == []


def test_structuring_names_exactly_the_deposits_below_the_limit() -> None:
    planted = [move(40 + n * 2, "IN", 9_400 - n * 300, channel="CASH") for n in range(4)]
    around = [move(39, "IN", 12_000, channel="CASH"), move(43, "IN", 200, channel="CASH"), *employee()]

    (episode,) = found_by("structuring", [*around, *planted])

    assert list(episode.moves) == planted
    assert episode.amount_minor == 3_580_000


def test_deposits_at_the_limit_or_too_far_apart_are_no_structuring() -> None:
    at_limit = [move(n, "IN", 10_000, channel="CASH") for n in range(5)]
    far_apart = [move(n * 9, "IN", 9_000, channel="CASH") for n in range(5)]

    assert found_by("structuring", at_limit) == []
    assert found_by("structuring", far_apart) == []


def test_pass_through_names_what_came_and_what_left() -> None:
    came = [move(60 + n / 10, "IN", 3_000, counterparty=f"cus_victim{n}") for n in range(3)]
    left = [move(60.6, "OUT", 8_700, channel="BANK", counterparty="ba_own", own=True)]

    (episode,) = found_by("pass_through", [*employee()[:20], *came, *left])

    assert list(episode.moves) == [*came, *left]


def test_money_that_stays_or_comes_from_the_own_bank_passes_nothing_through() -> None:
    stays = [move(60, "IN", 9_000, counterparty="cus_aunt"), move(60.5, "OUT", 4_000, counterparty="cus_car")]
    own = [move(60, "IN", 9_000, channel="BANK", own=True), move(60.5, "OUT", 8_900, counterparty="cus_car")]

    assert found_by("pass_through", stays) == []
    assert found_by("pass_through", own) == []


def test_fan_in_names_the_first_payment_of_each_new_payer() -> None:
    planted = [move(70 + n / 4, "IN", 400, counterparty=f"cus_new{n}") for n in range(10)]
    again = [move(72, "IN", 400, counterparty="cus_new0")]

    (episode,) = found_by("fan_in", [*employee(), *planted, *again])

    assert list(episode.moves) == planted


def test_high_risk_country_counts_unless_it_is_home_or_habit() -> None:
    planted = [move(80 + n, "OUT", 900, country="IR", counterparty="cus_far") for n in range(2)]
    habit = [move(n * 10, "OUT", 900, country="IR", counterparty="cus_far") for n in range(8)]

    (episode,) = found_by("high_risk_geography", [*employee()[:10], *planted])

    assert list(episode.moves) == planted
    assert found_by("high_risk_geography", planted, home=frozenset({"IR"})) == []
    assert all(one.moves[-1].at < at(40) for one in found_by("high_risk_geography", habit))


def test_dormant_reactivation_starts_where_the_silence_ends() -> None:
    before = [move(n, "IN", 100) for n in range(3)]
    planted = [move(90, "IN", 2_000), move(92, "OUT", 1_900)]

    (episode,) = found_by("dormant_reactivation", [*before, *planted])

    assert list(episode.moves) == planted
    assert found_by("dormant_reactivation", [*before, move(90, "IN", 250)]) == []


@pytest.mark.parametrize("code", list(SCENARIOS))
def test_every_scenario_is_explained_and_bounded(code: str) -> None:
    scenario = SCENARIOS.get(code)

    assert scenario.title
    assert scenario.summary
    assert scenario.source
    assert read(scenario, defaults(scenario)) == scenario.parameters()
    for one in fields(scenario.parameters):
        assert one.metadata["low"] <= defaults(scenario)[one.name] <= one.metadata["high"]
        assert one.metadata["says"].endswith(".")
        with pytest.raises(ParameterOutOfBounds):
            read(scenario, {one.name: one.metadata["high"] + 1})
        with pytest.raises(ParameterOutOfBounds):
            read(scenario, {one.name: one.metadata["low"] - 1})


def test_a_value_that_is_no_whole_number_or_no_parameter_is_refused() -> None:
    scenario = SCENARIOS.get("structuring")

    for values in ({"count_min": True}, {"count_min": "4"}, {"colour": 3}):
        with pytest.raises(ParameterOutOfBounds):
            read(scenario, values)
