"""The circuit breaker: when it opens, who probes, when it closes, and that it works without Redis."""

import time

import pytest

from flowlet.core.money import Money
from flowlet.core.outcomes import Outcome
from flowlet.integrations import breaker as breakers
from flowlet.integrations.breaker import FAILURES, OPEN_S, WINDOW_S, Breaker
from flowlet.integrations.simulation.faults import Plan
from flowlet.integrations.stripe import client as stripe

AT = 1_000_000.0


@pytest.fixture
def breaker():
    return Breaker("example")


def _fail(breaker, count, *, at=AT):
    for number in range(count):
        breaker.record(ok=False, at=at + number / 100)


def test_four_failures_leave_it_closed_and_the_fifth_opens_it(breaker):
    _fail(breaker, FAILURES - 1)
    closed = breaker.allow(at=AT + 1)

    _fail(breaker, 1)

    assert closed
    assert not breaker.allow(at=AT + 1)


def test_failures_that_lie_apart_do_not_open_it(breaker):
    for number in range(20):
        breaker.record(ok=False, at=AT + number * WINDOW_S / 4)

    assert breaker.allow(at=AT + 20 * WINDOW_S / 4)


def test_successes_between_keep_it_closed_when_failures_are_fewer_than_half(breaker):
    for number in range(30):
        breaker.record(ok=number % 3 != 0, at=AT + number / 100)

    assert breaker.allow(at=AT + 1)


def test_after_the_pause_one_probe_goes_through_and_only_one(breaker):
    _fail(breaker, FAILURES)
    later = AT + OPEN_S + 1

    asked = [breaker.allow(at=later) for _ in range(5)]

    assert asked == [True, False, False, False, False]


def test_another_worker_sees_that_it_is_open_and_does_not_probe_as_well(breaker):
    other = Breaker("example")
    _fail(breaker, FAILURES)

    assert not other.allow(at=AT + 1)
    assert breaker.allow(at=AT + OPEN_S + 1)
    assert not other.allow(at=AT + OPEN_S + 1)


def test_a_good_probe_closes_it_for_everybody(breaker):
    other = Breaker("example")
    _fail(breaker, FAILURES)
    breaker.allow(at=AT + OPEN_S + 1)

    breaker.record(ok=True, at=AT + OPEN_S + 1)

    assert breaker.allow(at=AT + OPEN_S + 2)
    assert other.allow(at=AT + OPEN_S + 2)


def test_a_bad_probe_opens_it_again(breaker):
    _fail(breaker, FAILURES)
    breaker.allow(at=AT + OPEN_S + 1)

    breaker.record(ok=False, at=AT + OPEN_S + 1)

    assert not breaker.allow(at=AT + OPEN_S + 2)
    assert breaker.allow(at=AT + 2 * OPEN_S + 2)


def test_without_redis_each_worker_decides_alone(breaker, settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0", "KEY_PREFIX": "gone"}
    }

    _fail(breaker, FAILURES)

    assert not breaker.allow(at=AT + 1)
    assert [breaker.allow(at=AT + OPEN_S + 1) for _ in range(2)] == [True, False]


@pytest.mark.django_db
def test_an_open_breaker_means_not_sent_and_the_vendor_is_left_alone(vendors):
    vendors.faults.plans = [
        Plan.read({"match": {"path": "/v1/payment_intents"}, "do": "error_before_effect"})
    ]

    def pay(number):
        return stripe.create_intent(
            amount=Money(100, "EUR"), our_reference=f"pay_{number}", payment_method="pm_card_visa"
        )

    answers = [pay(number) for number in range(FAILURES + 3)]

    assert [answer.code for answer in answers] == ["vendor_fault"] * FAILURES + ["breaker_open"] * 3
    assert answers[-1].outcome is Outcome.NOT_SENT
    assert vendors.faults.plans[0].seen == FAILURES
    assert breakers.breaker_for("stripe").open_until() > time.time()
