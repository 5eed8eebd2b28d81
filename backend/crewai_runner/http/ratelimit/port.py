"""The port: how many requests a caller may make, whoever counts them."""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

MOST_BUCKETS = 10_000
"""Callers whose buckets a process remembers; the one who was silent longest is forgotten first."""

_ALMOST = 1e-9  # sums of binary fractions fall short of a whole token by this much


class Verdict(NamedTuple):
    """Whether a request may go on, and what is left.

    `remaining` requests may follow at once; the bucket is full again in `reset_seconds`. A refused
    request may be tried again in `retry_seconds`.
    """

    allowed: bool
    remaining: int
    reset_seconds: int
    retry_seconds: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket holds `burst` tokens and gains `per_minute` of them a minute; a request takes one."""

    per_minute: int
    burst: int

    @property
    def per_second(self) -> float:
        return self.per_minute / 60

    @property
    def window_seconds(self) -> int:
        """How long an empty bucket takes to be full."""
        return math.ceil(self.burst / self.per_second)

    def refilled(self, tokens: float, seconds: float) -> float:
        return min(self.burst, tokens + max(0.0, seconds) * self.per_second)

    def verdict(self, tokens: float, *, allowed: bool) -> Verdict:
        """What to tell a caller whose bucket holds so many tokens after this request."""
        left = int(tokens + _ALMOST)
        reset = math.ceil((self.burst - tokens) / self.per_second - _ALMOST)
        retry = 0 if allowed else max(1, math.ceil((1 - tokens) / self.per_second - _ALMOST))
        return Verdict(allowed, max(0, left), max(0, reset), retry)

    def holds_one(self, tokens: float) -> bool:
        return tokens + _ALMOST >= 1


class RateLimiter(Protocol):
    """Counts the requests of each caller."""

    async def take(self, caller: str) -> Verdict:
        """Take a token out of the caller's bucket, if it holds one. Never raises."""
        ...
