"""The contract of all rate limiters."""

import asyncio
from collections.abc import Awaitable, Callable

from crewai_runner.http.ratelimit.port import Rate, RateLimitDecision, RateLimiter

# Slow enough that no token is refilled during a test.
SLOW = Rate(per_minute=6, burst=20)
Advance = Callable[[float], Awaitable[None]]


async def take_many(limiter: RateLimiter, count: int, caller: str = "ws/key") -> list[RateLimitDecision]:
    return [await limiter.take(caller) for _ in range(count)]


def count_allowed(decisions: list[RateLimitDecision]) -> int:
    return sum(decision.allowed for decision in decisions)


class RateLimiterContract:
    """`limiter` has the rate SLOW; `advance` moves its clock forward."""

    async def test_allows_one_burst(self, limiter: RateLimiter) -> None:
        decisions = await take_many(limiter, SLOW.burst + 5)

        assert [decision.allowed for decision in decisions] == [True] * SLOW.burst + [False] * 5

    async def test_remaining_is_never_negative(self, limiter: RateLimiter) -> None:
        decisions = await take_many(limiter, SLOW.burst + 3)

        assert [decision.remaining for decision in decisions] == [*reversed(range(SLOW.burst)), 0, 0, 0]

    async def test_rejection_has_retry_and_reset_times(self, limiter: RateLimiter) -> None:
        *_, last, refused = await take_many(limiter, SLOW.burst + 1)

        assert last.retry_seconds == 0
        assert 9 <= refused.retry_seconds <= 10
        assert 190 <= refused.reset_seconds <= 200

    async def test_refills_at_the_rate(self, limiter: RateLimiter, advance: Advance) -> None:
        await take_many(limiter, SLOW.burst + 1)

        await advance(30.5)

        assert count_allowed(await take_many(limiter, 5)) == 3

    async def test_allowed_after_the_retry_time(self, limiter: RateLimiter, advance: Advance) -> None:
        refused = (await take_many(limiter, SLOW.burst + 1))[-1]

        await advance(refused.retry_seconds)

        assert (await limiter.take("ws/key")).allowed

    async def test_refills_up_to_one_burst(self, limiter: RateLimiter, advance: Advance) -> None:
        await take_many(limiter, SLOW.burst)

        await advance(100_000)

        assert count_allowed(await take_many(limiter, 2 * SLOW.burst)) == SLOW.burst

    async def test_callers_are_independent(self, limiter: RateLimiter) -> None:
        await take_many(limiter, SLOW.burst + 1, "ws/busy")

        assert (await limiter.take("ws/other")).allowed
        assert (await limiter.take("other/busy")).allowed

    async def test_concurrent_requests_share_one_bucket(self, limiter: RateLimiter) -> None:
        decisions = await asyncio.gather(*(limiter.take("ws/key") for _ in range(5 * SLOW.burst)))

        assert count_allowed(decisions) == SLOW.burst
