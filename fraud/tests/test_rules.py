from datetime import timedelta

import pytest

from fraud.choices import Action
from fraud.rules.registry import RULES, Line, Seen, ask, bounded, defaults_of, parameters_of
from fraud.tests.patient import decide

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


def _codes(decision):
    return {hit.code for hit in decision.hits}


def test_the_fifth_small_amount_in_an_hour_is_declined_and_the_fourth_is_not(request_for, now):
    decisions = [
        decide(
            request=request_for(minor=200 + step, at=now + timedelta(minutes=step)),
            now=now + timedelta(minutes=step),
        )
        for step in range(5)
    ]

    assert [decision.action for decision in decisions] == [Action.ALLOW] * 4 + [Action.DECLINE]
    assert _codes(decisions[4]) == {"card_testing"}


def test_small_amounts_more_than_an_hour_apart_are_no_testing(request_for, now):
    decisions = [
        decide(
            request=request_for(minor=200, at=now + timedelta(minutes=61 * step)),
            now=now + timedelta(minutes=61 * step),
        )
        for step in range(6)
    ]

    assert all("card_testing" not in _codes(decision) for decision in decisions)


@pytest.mark.parametrize(
    ("values", "hit"),
    [
        ({"minor": 80_00, "balance_minor": 100_00, "device": "new"}, False),  # below the amount
        ({"minor": 100_00, "balance_minor": 125_00, "device": "new"}, True),  # 80 per cent
        ({"minor": 100_00, "balance_minor": 125_01, "device": "new"}, False),
        ({"minor": 100_00, "balance_minor": 100_00, "device": "known"}, False),
    ],
)
def test_draining_from_a_new_device_is_held(request_for, now, values, hit):
    decide(request=request_for(device="known", at=now - timedelta(days=2)), now=now - timedelta(days=2))

    decision = decide(request=request_for(**values), now=now)

    assert ("new_device_drain" in _codes(decision)) is hit
    assert (decision.action == Action.REVIEW) is hit


@pytest.mark.parametrize(
    ("minor", "hours", "recipient", "hit"),
    [
        (20_000, 48, "wal_new", True),
        (20_000, 49, "wal_new", False),
        (19_999, 1, "wal_new", False),
        (20_000, 1, "wal_known", False),
    ],
)
def test_money_to_a_new_recipient_soon_after_a_change_is_held(request_for, now, minor, hours, recipient, hit):
    decide(
        request=request_for(counterparty="wal_known", at=now - timedelta(days=3)), now=now - timedelta(days=3)
    )

    decision = decide(
        request=request_for(
            minor=minor, counterparty=recipient, details_changed_at=now - timedelta(hours=hours)
        ),
        now=now,
    )

    assert ("change_then_payout" in _codes(decision)) is hit


def test_the_fourth_equal_payment_in_ten_minutes_asks_for_a_second_factor(request_for, now):
    actions = [
        decide(
            request=request_for(at=now + timedelta(minutes=step)), now=now + timedelta(minutes=step)
        ).action
        for step in range(4)
    ]
    other = decide(
        request=request_for(minor=2_501, at=now + timedelta(minutes=5)), now=now + timedelta(minutes=5)
    )

    assert actions == [Action.ALLOW] * 3 + [Action.STEP_UP]
    assert "duplicate_burst" not in _codes(other)


def test_the_ninth_payer_of_a_recipient_in_a_day_is_held_and_the_eighth_is_not(request_for, now):
    found = [
        _codes(
            decide(
                request=request_for(
                    customer=f"cus_{step}", counterparty="wal_mule", at=now + timedelta(minutes=step)
                ),
                now=now + timedelta(minutes=step),
            )
        )
        for step in range(9)
    ]

    assert [bool(codes) for codes in found] == [False] * 8 + [True]
    assert found[8] == {"mule_inflow"}


@pytest.mark.parametrize(
    ("percentile", "age_days", "action"),
    [(0.995, 60, Action.STEP_UP), (0.994, 60, None), (0.999, 61, None)],
)
def test_an_odd_payment_of_a_young_account_asks_for_a_second_factor(
    request_for, percentile, age_days, action
):
    rule = RULES.get("anomaly_newcomer")
    seen = Seen(request_for(), {"account_age_days": age_days}, None, None, percentile, sandbox=False)

    assert rule.check(seen, rule.parameters()) == action


@pytest.mark.parametrize(
    ("wish", "action"), [("normal", Action.ALLOW), ("elevated", Action.REVIEW), ("highest", Action.DECLINE)]
)
def test_partners_try_out_each_outcome_in_the_sandbox(request_for, now, settings, wish, action):
    settings.FLOWLET_MODE = "sandbox"

    assert decide(request=request_for(sandbox_risk=wish), now=now).action == action


def test_in_live_mode_nobody_can_ask_for_an_outcome(request_for, now, settings):
    settings.FLOWLET_MODE = "live"

    assert decide(request=request_for(sandbox_risk="highest"), now=now).action == Action.ALLOW


@pytest.mark.parametrize("code", list(RULES))
def test_every_rule_has_a_title_a_coarse_reason_and_bounded_parameters(code):
    rule = RULES.get(code)

    assert rule.title
    assert rule.reason
    assert parameters_of(rule, defaults_of(rule)) == rule.parameters()
    with pytest.raises(ValueError, match="no parameter"):
        parameters_of(rule, {"unheard_of": 1})


def test_a_parameter_out_of_its_bounds_is_refused():
    rule = RULES.get("card_testing")

    assert parameters_of(rule, {"small_count_min": 50}).small_count_min == 50
    with pytest.raises(ValueError, match="between"):
        parameters_of(rule, {"small_count_min": 51})
    assert bounded(1, 0, 2).metadata == {"low": 0, "high": 2}


def test_a_rule_that_is_not_in_the_code_counts_as_hit(request_for):
    seen = Seen(request_for(), {}, None, None, None, sandbox=False)

    asked = ask([Line(1, "gone", live=True, values={})], seen)

    assert asked.failed
    assert asked.hits[0].action == Action.REVIEW
