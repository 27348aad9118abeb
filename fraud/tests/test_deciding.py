import json
import math
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections

from flowlet.core.errors import InvalidInput
from fraud import policies, queries
from fraud.choices import Action, Degraded
from fraud.errors import SourceReused
from fraud.features.sets import features_of
from fraud.models import Decision, HistoryEvent, RuleHit, RuleVersion
from fraud.operations import deciding
from fraud.operations.deciding import decide, preview
from fraud.policies import Costs
from fraud.rules.registry import RULES
from fraud.values import Hit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installed")]


def test_a_small_payment_without_a_model_is_allowed_and_says_that_only_rules_decided(request_for, now):
    decision = decide(request=request_for(minor=2_000), now=now)

    assert decision.action == Action.ALLOW
    assert decision.probability is None
    assert decision.degraded == (Degraded.RULES_ONLY,)
    stored = Decision.objects.get(public_id=decision.public_id)
    assert stored.degraded == ["RULES_ONLY"]
    assert len(stored.vector) == len(features_of("live_v1"))
    assert HistoryEvent.objects.filter(pk=stored.event_id, snapshot__contains=":").exists()


def test_a_large_payment_without_a_model_is_stepped_up_and_a_huge_one_reviewed(request_for, now):
    larger = decide(request=request_for(minor=100_001), now=now)
    huge = decide(request=request_for(minor=500_001), now=now)

    assert (larger.action, huge.action) == (Action.STEP_UP, Action.REVIEW)


def test_the_same_source_again_gets_its_first_decision(request_for, now):
    request = request_for(source_id="pay_once")
    first = decide(request=request, now=now)

    again = decide(request=request, now=now + timedelta(hours=1))

    assert again.public_id == first.public_id
    assert again.replayed
    assert Decision.objects.count() == 1


def test_the_same_source_with_other_values_is_refused(request_for, now):
    decide(request=request_for(source_id="pay_once", minor=100), now=now)

    with pytest.raises(SourceReused):
        decide(request=request_for(source_id="pay_once", minor=101), now=now)


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"product": "LOTTERY"}, "/product"),
        ({"customer": ""}, "/customer"),
    ],
)
def test_a_value_that_cannot_be_scored_is_named_and_nothing_is_stored(request_for, now, values, pointer):
    with pytest.raises(InvalidInput) as refused:
        decide(request=request_for(**values), now=now)

    assert refused.value.errors[0].pointer == pointer
    assert not HistoryEvent.objects.exists()


def test_an_event_more_than_five_minutes_ahead_is_refused_and_five_minutes_are_not(request_for, now):
    decide(request=request_for(at=now + timedelta(minutes=5)), now=now)

    with pytest.raises(InvalidInput):
        decide(request=request_for(at=now + timedelta(minutes=5, microseconds=1)), now=now)


def test_a_negative_amount_is_refused(request_for, now):
    with pytest.raises(InvalidInput):
        decide(request=request_for(minor=-1), now=now)


def test_a_preview_stores_nothing(request_for, now):
    told = preview(request=request_for(minor=600_000), now=now)

    assert told.action == Action.REVIEW
    assert not HistoryEvent.objects.exists()
    assert not Decision.objects.exists()


def test_history_that_is_not_read_in_time_is_flagged_and_lowers_the_limits(request_for, now, settings):
    # A second connection holds the labels, so that the feature query runs into its budget.
    blocker = connections.create_connection("default")
    blocker.settings_dict = {**connections["default"].settings_dict}
    try:
        with blocker.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE fraud_label IN ACCESS EXCLUSIVE MODE")
            small = decide(request=request_for(minor=20_000), now=now)
            larger = decide(request=request_for(minor=20_001), now=now)
            cursor.execute("ROLLBACK")
    finally:
        blocker.close()

    assert Degraded.CHEAP_FEATURES in small.degraded
    assert (small.action, larger.action) == (Action.ALLOW, Action.REVIEW)
    vector = dict(zip(features_of("live_v1"), Decision.objects.order_by("pk").first().vector, strict=True))
    assert math.isnan(vector["customer_count_1d"])
    assert vector["amount_ln"] > 0


def test_the_statement_timeout_of_the_caller_is_put_back(request_for, now):
    with connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '7s'")
        decide(request=request_for(), now=now)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "7s"


class _Broken:
    title, reason, hard = "Broken", "listed", False
    parameters = RULES.get("sandbox_risk").parameters

    def check(self, *_):
        raise KeyError("nothing of that name")


@pytest.fixture
def broken_rule(now):
    code = f"broken_{uuid4().hex[:8]}"
    RULES.register(code)(_Broken())
    RuleVersion.objects.create(
        code=code, version=1, kind="CODED", status="LIVE", approval="release", created_at=now
    )
    yield code
    RULES._entries.pop(code)


def test_a_rule_that_fails_counts_as_hit_and_is_flagged(request_for, now, broken_rule):
    decision = decide(request=request_for(minor=100), now=now)

    assert decision.action == Action.REVIEW
    assert Degraded.RULE_ERROR in decision.degraded
    assert broken_rule in {hit.code for hit in decision.hits}
    assert decision.coarse_reasons == ("check_unavailable",)


@pytest.mark.parametrize(("product", "action"), [("CARD", Action.DECLINE), ("PAYMENT", Action.REVIEW)])
def test_when_nothing_works_a_card_is_declined_and_a_payment_held(request_for, now, product, action):
    # A vector of another length takes judging itself down.
    gathered = queries.gather(request=request_for(product=product), now=now)
    lineup = queries.lineup(stream="live", product=product)
    object.__setattr__(gathered, "vector", gathered.vector[:3])
    judged = deciding._judge_or_hold(gathered, lineup)

    assert judged.action == action
    assert Degraded.NOTHING_WORKED in judged.degraded


def test_shadow_rules_are_recorded_and_do_not_act(request_for, now):
    RuleVersion.objects.filter(code="sandbox_risk").update(status="SHADOW")

    decision = decide(request=request_for(sandbox_risk="highest"), now=now)

    assert decision.action == Action.ALLOW
    assert [(hit.code, hit.live) for hit in decision.hits] == [("sandbox_risk", False)]
    assert RuleHit.objects.get().live is False


def test_a_missing_field_leaves_a_rule_unknown_and_is_recorded(request_for, now):
    decision = decide(request=request_for(minor=15_000, balance_minor=15_000), now=now)

    assert not decision.hits
    unknown = Decision.objects.get(public_id=decision.public_id).unknown
    assert unknown["new_device_drain"] == ["new_device"]


def test_the_decision_is_published_in_the_house_only(request_for, now):
    decision = decide(request=request_for(), now=now)

    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT visibility, data FROM events_event WHERE object_id = %s", [decision.public_id])
        visibility, data = cursor.fetchone()
    assert visibility == "INTERNAL"
    assert (data if isinstance(data, dict) else json.loads(data))["action"] == "ALLOW"


def test_the_cheapest_action_grows_stricter_with_the_probability():
    costs = Costs()
    actions = [policies.cheapest(p / 1000, 50_000, costs) for p in range(1001)]

    assert actions[0] == Action.ALLOW
    assert actions[-1] == Action.DECLINE
    expected = policies.expected_costs(0.4, 50_000, costs)
    assert policies.cheapest(0.4, 50_000, costs) == min(expected, key=expected.__getitem__)


def test_review_needs_a_probability_worth_a_look():
    costs = Costs(review_from=0.5, step_up_minor=10**9)

    assert policies.cheapest(0.49, 100_000, costs) != Action.REVIEW
    assert (
        policies.cheapest(
            0.01, 10_000_000, Costs(review_from=0.0, step_up_minor=10**9, decline_friction_minor=10**9)
        )
        == Action.REVIEW
    )


def test_rules_raise_an_action_and_never_lower_it():
    soft = Hit("x", 1, live=True, action="STEP_UP", reason="listed")

    assert policies.strictest(Action.ALLOW, [soft]) == Action.STEP_UP
    assert policies.strictest(Action.DECLINE, [soft]) == Action.DECLINE


@pytest.mark.parametrize("values", [{"nothing": 1}, {"loss_share": True}, {"review_minor": -1}])
def test_a_policy_with_unknown_or_negative_costs_is_refused(values):
    with pytest.raises(ValueError, match="no cost"):
        policies.costs_of(values)
