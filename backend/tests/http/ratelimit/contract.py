"""What every limiter promises, whoever keeps the buckets."""

import asyncio
from collections.abc import Awaitable, Callable

from crewai_runner.http.ratelimit.port import Rate, RateLimiter, Verdict

# Slow enough that the time a test takes brings no token back.
SLOW = Rate(per_minute=6, burst=20)
Advance = Callable[[float], Awaitable[None]]


async def many(limiter: RateLimiter, count: int, caller: str = "ws/key") -> list[Verdict]:
    return [await limiter.take(caller) for _ in range(count)]


def allowed(verdicts: list[Verdict]) -> int:
    return sum(verdict.allowed for verdict in verdicts)


class RateLimiterContract:
    """`limiter` holds everybody to SLOW; `advance` lets so many seconds go by."""

    async def test_a_burst_passes_and_no_more(self, limiter: RateLimiter) -> None:
        verdicts = await many(limiter, SLOW.burst + 5)

        assert [verdict.allowed for verdict in verdicts] == [True] * SLOW.burst + [False] * 5

    async def test_what_is_left_is_told_and_never_less_than_nothing(self, limiter: RateLimiter) -> None:
        verdicts = await many(limiter, SLOW.burst + 3)

        assert [verdict.remaining for verdict in verdicts] == [*reversed(range(SLOW.burst)), 0, 0, 0]

    async def test_a_refused_caller_is_told_when_to_come_again(self, limiter: RateLimiter) -> None:
        *_, last, refused = await many(limiter, SLOW.burst + 1)

        assert last.retry_seconds == 0
        assert 9 <= refused.retry_seconds <= 10
        assert 190 <= refused.reset_seconds <= 200

    async def test_tokens_come_back_at_the_rate(self, limiter: RateLimiter, advance: Advance) -> None:
        await many(limiter, SLOW.burst + 1)

        await advance(30.5)

        assert allowed(await many(limiter, 5)) == 3

    async def test_who_waits_as_told_is_let_in(self, limiter: RateLimiter, advance: Advance) -> None:
        refused = (await many(limiter, SLOW.burst + 1))[-1]

        await advance(refused.retry_seconds)

        assert (await limiter.take("ws/key")).allowed

    async def test_a_long_silence_saves_up_one_burst_only(
        self, limiter: RateLimiter, advance: Advance
    ) -> None:
        await many(limiter, SLOW.burst)

        await advance(100_000)

        assert allowed(await many(limiter, 2 * SLOW.burst)) == SLOW.burst

    async def test_callers_do_not_take_from_each_other(self, limiter: RateLimiter) -> None:
        await many(limiter, SLOW.burst + 1, "ws/loud")

        assert (await limiter.take("ws/quiet")).allowed
        assert (await limiter.take("other/loud")).allowed

    async def test_requests_at_the_same_time_share_one_bucket(self, limiter: RateLimiter) -> None:
        verdicts = await asyncio.gather(*(limiter.take("ws/key") for _ in range(5 * SLOW.burst)))

        assert allowed(verdicts) == SLOW.burst
