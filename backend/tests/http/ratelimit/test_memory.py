"""The rate limiter in memory: contract, memory bound and performance."""

import pytest

from crewai_runner.http.ratelimit import memory
from crewai_runner.http.ratelimit.memory import MemoryRateLimiter
from crewai_runner.http.ratelimit.port import Rate
from tests.http.ratelimit.contract import SLOW, Advance, RateLimiterContract
from tests.support.machine_speed import cpu_limit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestMemoryRateLimiter(RateLimiterContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def limiter(self, clock: Clock) -> MemoryRateLimiter:
        return MemoryRateLimiter(SLOW, clock)

    @pytest.fixture
    def advance(self, clock: Clock) -> Advance:
        async def go(seconds: float) -> None:
            clock.now += seconds

        return go


class TestMemory:
    async def test_drops_the_least_recently_used_bucket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "MAX_BUCKETS", 3)
        limiter = MemoryRateLimiter(Rate(per_minute=6, burst=1), Clock())
        for caller in ("a", "b", "c", "a", "d"):
            await limiter.take(caller)

        assert len(limiter) == 3
        assert not (await limiter.take("a")).allowed
        assert (await limiter.take("b")).allowed

    async def test_clock_going_back_changes_nothing(self) -> None:
        clock = Clock()
        limiter = MemoryRateLimiter(SLOW, clock)
        await limiter.take("a")

        clock.now -= 500

        assert (await limiter.take("a")).remaining == SLOW.burst - 2

    async def test_take_is_fast(self) -> None:
        limiter = MemoryRateLimiter(Rate(per_minute=600_000, burst=100_000))

        with cpu_limit(80):  # of which it takes about 3
            for _ in range(10_000):
                await limiter.take("ws_default/api-key")
