"""The rate limiter port: token buckets by caller."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MAX_BUCKETS = 10_000
"""Callers whose buckets a process keeps in memory; the least recently used are dropped."""

_EPSILON = 1e-9  # rounding errors of floating-point sums


class RateLimitDecision(NamedTuple):
    """Whether a request is allowed, and the state of the bucket after it.

    `remaining` requests may follow immediately; the bucket is full again in `reset_seconds`. A rejected
    request may be retried in `retry_seconds`.
    """

    allowed: bool
    remaining: int
    reset_seconds: int
    retry_seconds: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket holds up to `burst` tokens and is refilled with `per_minute`; a request takes one."""

    per_minute: int
    burst: int

    @property
    def per_second(self) -> float:
        return self.per_minute / 60

    @property
    def window_seconds(self) -> int:
        """The time to refill an empty bucket."""
        return math.ceil(self.burst / self.per_second)

    def refill(self, tokens: float, seconds: float) -> float:
        """Return the tokens of a bucket after some seconds without requests."""
        return min(self.burst, tokens + max(0.0, seconds) * self.per_second)

    def has_token(self, tokens: float) -> bool:
        return tokens + _EPSILON >= 1

    def decide(self, tokens: float, *, allowed: bool) -> RateLimitDecision:
        """Describe the decision for a bucket with this many tokens after the request."""
        remaining = int(tokens + _EPSILON)
        reset = math.ceil((self.burst - tokens) / self.per_second - _EPSILON)
        retry = 0 if allowed else max(1, math.ceil((1 - tokens) / self.per_second - _EPSILON))
        return RateLimitDecision(allowed, max(0, remaining), max(0, reset), retry)


class RateLimiter(Protocol):
    """Limits the request rate of each caller."""

    async def take(self, caller: str) -> RateLimitDecision:
        """Take a token from the caller's bucket if it has one. Never raises."""
        ...
