"""The bucket is exact over threads, says what is left, and its loss closes what must not be guessed."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from flowlet.gateway import limits
from flowlet.gateway.limits import Bucket, Limiter, LimiterDown
from flowlet.gateway.tests.factories import Api, make_client
from flowlet.identity.models import Partner


def small(key: str = "a", *, size: int = 20, rate: float = 0.001, cost: int = 1) -> Bucket:
    return limits.Bucket("client", f"{limits.bucket('client', owner='t', subject=key).key}", size, rate, cost)


def test_fifty_threads_take_exactly_what_is_there() -> None:
    start, limiter = threading.Barrier(50), Limiter()

    def take(_: int) -> bool:
        start.wait()
        return limiter.take([small()]).allowed

    with ThreadPoolExecutor(50) as pool:
        taken = sum(pool.map(take, range(50)))

    assert taken == 20


def test_all_buckets_give_or_none_does() -> None:
    limiter, empty, full = Limiter(), small("empty", size=1), small("full", size=10)
    limiter.take([empty])

    refused = limiter.take([full, empty])
    after = limiter.take([full])

    assert not refused.allowed
    assert refused.left == (10, 0)
    assert after.left == (9,)


def test_the_wait_is_what_is_missing_over_the_rate() -> None:
    limiter = Limiter()
    limiter.take([small(size=4, rate=0.1, cost=4)])

    verdict = limiter.take([small(size=4, rate=0.1, cost=3)])

    assert 29 < verdict.wait_s <= 30


@pytest.mark.django_db(transaction=True)
def test_a_client_is_let_through_exactly_as_often_as_its_bucket_holds(
    partner: Partner, settings: Any
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "client": (15, 0.001)}
    api, neighbour = Api(make_client(partner)), Api(make_client(partner))

    def call(_: int) -> int:
        try:
            return int(api.get("me").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(call, range(30)))
    refused = api.get("me")

    assert statuses == [200] * 15 + [429] * 15
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["type"].endswith("#quota-exceeded")
    assert refused.json()["violated-policies"] == ["client"]
    assert int(refused.headers["Retry-After"]) == refused.json()["retry"]["after_s"] > 100
    assert neighbour.get("me").status_code == 200


def test_every_answer_says_what_is_left(api: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "client": (200, 100.0), "writes": (5, 0.001)}

    read = api.get("me")
    write = api.post("customers", {}, key="k-1")

    assert read.headers["RateLimit-Policy"] == '"client";q=200;w=2'
    assert re.fullmatch(r'"client";r=199;t=1', read.headers["RateLimit"])
    assert write.headers["RateLimit-Policy"] == '"client";q=200;w=2, "writes";q=5;w=5000'
    assert write.headers["RateLimit"].endswith('"writes";r=4;t=1000')
    assert "X-RateLimit-Limit" not in read.headers


def test_lists_cost_more(api: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "client": (5, 0.001)}

    statuses = [api.get("customers").status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_bad_tokens_are_counted_by_address(api: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "anyone": (3, 0.001)}

    statuses = [api.get("me", Authorization="Bearer x").status_code for _ in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    assert api.get("me").status_code == 200


@pytest.mark.usefixtures("redis_lost")
def test_without_redis_each_worker_counts_its_share(api: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "client": (8, 0.001)}
    settings.WEB_WORKERS = 4
    before = limits.DEGRADED._value.get()

    statuses = [api.get("me").status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    assert limits.DEGRADED._value.get() == before + 4


@pytest.mark.usefixtures("redis_lost")
def test_a_lost_redis_is_left_alone_for_a_while() -> None:
    limiter = Limiter()
    with pytest.raises(LimiterDown) as first:
        limiter.take([small()])
    with pytest.raises(LimiterDown) as second:
        limiter.take([small()])

    assert first.value.__cause__ is not None
    assert second.value.__cause__ is None
