"""The rate limiter in the database: contract, several processes, database failures."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from crewai_runner.core.clock import now
from crewai_runner.db.session import Sessions, make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.rate_limits import RateBucketRow
from crewai_runner.http.ratelimit import shared
from crewai_runner.http.ratelimit.port import Rate
from crewai_runner.http.ratelimit.repository import RateBucketRepository
from crewai_runner.http.ratelimit.shared import SharedRateLimiter
from tests.http.ratelimit.contract import SLOW, Advance, RateLimiterContract, count_allowed, take_many
from tests.support.database import fresh_database

# Batches of up to 5 tokens.
SHARED = Rate(per_minute=6, burst=100)


class Clock:
    """The clock of the process; the database has its own."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.offset


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def advance(sessions: Sessions, clock: Clock) -> Advance:
    async def go(seconds: float) -> None:
        clock.offset += seconds
        earlier = text("UPDATE rate_buckets SET refilled_at = refilled_at - make_interval(secs => :seconds)")
        async with unit_of_work(sessions) as session:
            await session.execute(earlier, {"seconds": seconds})

    return go


class TestSharedRateLimiter(RateLimiterContract):
    @pytest.fixture
    def limiter(self, sessions: Sessions, clock: Clock) -> SharedRateLimiter:
        return SharedRateLimiter(sessions, SLOW, clock)


class StatementCounter:
    """Counts the statements on the bucket table."""

    def __init__(self, sessions: Sessions) -> None:
        self.count = 0
        event.listen(sessions.kw["bind"].sync_engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.count += "rate_buckets" in statement


class TestDatabaseFailure:
    async def test_requests_are_allowed_without_the_database(self, clock: Clock) -> None:
        engine = make_engine("postgresql://user:wrong@127.0.0.1:1/nothing")
        limiter = SharedRateLimiter(make_sessions(engine), SLOW, clock)

        assert count_allowed(await take_many(limiter, 3)) == 3

        await engine.dispose()

    async def test_recovers_after_an_error(self, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
        async def fail(*_: object) -> None:
            raise OperationalError("", {}, ConnectionError())

        limiter = SharedRateLimiter(sessions, SLOW)
        with monkeypatch.context() as broken:
            broken.setattr(RateBucketRepository, "take", fail)
            assert (await limiter.take("ws/key")).allowed

        assert (await limiter.take("ws/key")).allowed
        async with sessions() as session:
            assert await session.scalar(select(RateBucketRow.tokens)) == SLOW.burst - 1


class TestSharedBuckets:
    async def test_processes_share_one_burst(self, sessions: Sessions) -> None:
        replicas = [SharedRateLimiter(sessions, SHARED) for _ in range(4)]

        decisions = await asyncio.gather(
            *(replica.take("ws/key") for _ in range(2 * SHARED.burst) for replica in replicas)
        )

        # Every token is taken from the bucket once, and all of them are used, as all processes keep asking.
        assert count_allowed(decisions) == SHARED.burst

    async def test_only_unused_batches_are_unavailable(self, sessions: Sessions) -> None:
        replicas = [SharedRateLimiter(sessions, SHARED) for _ in range(4)]
        first, *others = replicas
        passed = 0
        for other in others:
            # Busy for a moment, so that the batches grow to the maximum and most of the last one is unused.
            for _ in range(8):
                passed += (await other.take("ws/key")).allowed

        decisions = await take_many(first, SHARED.burst)

        unused = SHARED.burst - passed - count_allowed(decisions)
        assert 0 < unused <= len(others) * (first.max_batch - 1)

    async def test_excess_is_limited_to_unused_batches(self, sessions: Sessions, advance: Advance) -> None:
        replicas = [SharedRateLimiter(sessions, SHARED) for _ in range(4)]
        for replica in replicas:
            await take_many(replica, 8)

        await advance(100_000)
        decisions = [v for replica in replicas for v in await take_many(replica, SHARED.burst)]

        excess = count_allowed(decisions) - SHARED.burst
        assert 0 < excess <= len(replicas) * replicas[0].max_batch

    async def test_one_statement_per_batch(self, sessions: Sessions) -> None:
        rate = Rate(per_minute=6, burst=2000)
        limiter, statements = SharedRateLimiter(sessions, rate), StatementCounter(sessions)
        assert limiter.max_batch == 100

        await limiter.take("ws/idle")
        assert statements.count == 1
        async with sessions() as session:
            assert await session.scalar(select(RateBucketRow.tokens)) == rate.burst - 1

        assert count_allowed(await take_many(limiter, 1000, "ws/busy")) == 1000
        assert statements.count <= 20

    async def test_rejections_need_no_statement(self, sessions: Sessions) -> None:
        limiter, statements = SharedRateLimiter(sessions, SLOW), StatementCounter(sessions)
        await take_many(limiter, SLOW.burst + 1)
        before = statements.count

        assert count_allowed(await take_many(limiter, 500)) == 0

        assert statements.count == before

    async def test_cancelled_request_does_not_lose_the_batch(self, sessions: Sessions) -> None:
        limiter = SharedRateLimiter(sessions, SLOW)
        cancelled = asyncio.create_task(limiter.take("ws/key"))
        waiting = asyncio.create_task(limiter.take("ws/key"))
        await asyncio.sleep(0)

        cancelled.cancel()

        assert (await waiting).allowed
        assert count_allowed(await take_many(limiter, SLOW.burst)) == SLOW.burst - 1

    async def test_drops_the_least_recently_used_batch(
        self, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shared, "MAX_BUCKETS", 3)
        limiter = SharedRateLimiter(sessions, SLOW)

        for number in range(6):
            await limiter.take(f"ws/{number}")

        assert len(limiter) == 3


class TestBucketTable:
    async def test_deletes_unused_buckets(self, sessions: Sessions, advance: Advance) -> None:
        limiter = SharedRateLimiter(sessions, SLOW)
        await limiter.take("ws/old")
        await advance(7200)
        await limiter.take("ws/new")

        async with unit_of_work(sessions) as session:
            await RateBucketRepository(session).delete_unused(now() - timedelta(hours=1))

        async with sessions() as session:
            assert (await session.scalars(select(RateBucketRow.caller))).all() == ["ws/new"]

    async def test_is_unlogged(self, sessions: Sessions) -> None:
        async with sessions() as session:
            kind = await session.scalar(
                text("SELECT relpersistence FROM pg_class WHERE relname = 'rate_buckets'")
            )

        assert kind in ("u", b"u")
