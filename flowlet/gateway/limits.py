"""Token buckets in Redis: one Lua script, one round trip for all buckets of a request, exact over all workers."""

import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django_redis import get_redis_connection
from prometheus_client import Counter
from redis.exceptions import RedisError

from flowlet.gateway.errors import RateLimited, Unavailable

_log = logging.getLogger(__name__)
DEGRADED = Counter(
    "flowlet_rate_limit_degraded_total", "Requests counted in process because Redis did not answer"
)
_PAUSE_S = (
    1.0  # after a failure Redis is left alone this long: a request must not wait for a time-out each time
)

# All or nothing: only when every bucket holds enough is anything taken. Time is Redis's own, so clocks of workers
# do not matter. A refusal writes nothing: the tokens are counted from the old time stamp again.
_SCRIPT = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local wait, left, answer = 0, {}, {}
for i, key in ipairs(KEYS) do
  local size, rate, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local state = redis.call('HMGET', key, 'tokens', 'at')
  local tokens, at = tonumber(state[1]) or size, tonumber(state[2]) or now
  left[i] = math.min(size, tokens + math.max(0, now - at) * rate)
  if left[i] < cost then wait = math.max(wait, (cost - left[i]) / rate) end
end
for i, key in ipairs(KEYS) do
  local size, rate, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  if wait == 0 then
    left[i] = left[i] - cost
    redis.call('HSET', key, 'tokens', left[i], 'at', now)
    redis.call('PEXPIRE', key, math.ceil(size / rate * 1000) + 1000)
  end
  answer[i] = math.floor(left[i])
end
table.insert(answer, 1, math.ceil(wait * 1000))
return answer
"""


@dataclass(frozen=True, slots=True)
class Bucket:
    """
    One quota: `policy` names it in the answer, `key` whom it counts.

    It holds `size` tokens and fills at `rate` tokens per second; a request takes `cost`.
    """

    policy: str
    key: str
    size: int
    rate: float
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the tokens were taken; else how long to wait, in seconds. `left` stands beside the buckets asked for."""

    wait_s: float
    left: tuple[int, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether the request may pass."""
        return self.wait_s == 0


class LimiterDown(RuntimeError):
    """Redis did not answer in time."""


def bucket(policy: str, *, owner: str, subject: str, cost: int = 1) -> Bucket:
    """
    Return the bucket of that policy (a name in `settings.RATE_LIMITS`) for one subject.

    Buckets of one owner share a hash tag, so that a cluster keeps them on one node.
    """
    size, rate = settings.RATE_LIMITS[policy]
    prefix = settings.CACHES["default"]["KEY_PREFIX"]
    return Bucket(policy, f"{prefix}:limit:{{{owner}}}:{policy}:{subject}", size, rate, cost)


class Limiter:
    """Takes tokens from buckets; one object for each process."""

    def __init__(self) -> None:
        self._script: Any = None
        self._down_until = 0.0
        self._lock = threading.Lock()
        self._local: dict[str, tuple[float, float]] = {}

    def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """
        Take the cost from all buckets, or from none.

        :raises LimiterDown: if Redis does not answer
        """
        if time.monotonic() < self._down_until:
            raise LimiterDown
        arguments = [number for each in buckets for number in (each.size, each.rate, each.cost)]
        try:
            if self._script is None:
                self._script = get_redis_connection("limits").register_script(_SCRIPT)
            wait_ms, *left = self._script(keys=[each.key for each in buckets], args=arguments)
        except RedisError as error:
            self._down_until = time.monotonic() + _PAUSE_S
            _log.warning("rate limiter lost Redis: %s", type(error).__name__)
            raise LimiterDown from error
        return Verdict(wait_ms / 1000, tuple(left))

    def take_locally(self, buckets: Sequence[Bucket]) -> Verdict:
        """Count in this process alone, each worker at its share of the rate: what is left when Redis is not."""
        DEGRADED.inc()
        share = 1 / max(1, settings.WEB_WORKERS)
        now = time.monotonic()
        with self._lock:
            if len(self._local) > 10_000:  # noqa: PLR2004 - a cap on memory while Redis is away, no tuning knob
                self._local.clear()
            left = []
            for each in buckets:
                tokens, at = self._local.get(each.key, (each.size * share, now))
                left.append(min(each.size * share, tokens + (now - at) * each.rate * share))
            waits = [
                (each.cost - tokens) / (each.rate * share)
                for each, tokens in zip(buckets, left, strict=True)
                if tokens < each.cost and each.size * share >= each.cost
            ]
            if not waits:
                for each, tokens in zip(buckets, left, strict=True):
                    self._local[each.key] = (max(0.0, tokens - each.cost), now)
        return Verdict(max(waits, default=0.0), tuple(int(tokens) for tokens in left))


LIMITER = Limiter()


def admit(buckets: Sequence[Bucket]) -> dict[str, str]:
    """
    Let an API request pass and return its RateLimit fields; goes on without Redis, counting in process.

    :raises RateLimited: with the policies that are used up
    """
    try:
        verdict = LIMITER.take(buckets)
    except LimiterDown:
        verdict = LIMITER.take_locally(buckets)
    _refuse(buckets, verdict)
    return fields(buckets, verdict)


def admit_or_close(buckets: Sequence[Bucket]) -> None:
    """
    Let a sign-in or token request pass; closes without Redis, since guessing must stay counted.

    :raises RateLimited: with the policies that are used up
    :raises Unavailable: if Redis does not answer
    """
    try:
        verdict = LIMITER.take(buckets)
    except LimiterDown:
        raise Unavailable(after_s=2) from None
    _refuse(buckets, verdict)


def _refuse(buckets: Sequence[Bucket], verdict: Verdict) -> None:
    if not verdict.allowed:
        empty = tuple(b.policy for b, left in zip(buckets, verdict.left, strict=True) if left < b.cost)
        raise RateLimited(policies=empty, after_s=math.ceil(verdict.wait_s))


def fields(buckets: Sequence[Bucket], verdict: Verdict) -> dict[str, str]:
    """Return RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10); times in whole seconds."""
    policies = [f'"{b.policy}";q={b.size};w={max(1, math.ceil(b.size / b.rate))}' for b in buckets]
    states = [
        f'"{b.policy}";r={left};t={math.ceil((b.size - left) / b.rate)}'
        for b, left in zip(buckets, verdict.left, strict=True)
    ]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}
