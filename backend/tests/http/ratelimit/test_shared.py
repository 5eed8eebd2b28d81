"""Buckets in the database: the contract, several processes on one bucket, a database that is away."""

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
from tests.http.ratelimit.contract import SLOW, Advance, RateLimiterContract, allowed, many
from tests.support.database import fresh_database

# In advance: 5 of 100.
SHARED = Rate(per_minute=6, burst=100)


class Clock:
    """The time of this process; the database has its own."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


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
        clock.ahead += seconds
        earlier = text("UPDATE rate_buckets SET refilled_at = refilled_at - make_interval(secs => :seconds)")
        async with unit_of_work(sessions) as session:
            await session.execute(earlier, {"seconds": seconds})

    return go


class TestSharedRateLimiter(RateLimiterContract):
    @pytest.fixture
    def limiter(self, sessions: Sessions, clock: Clock) -> SharedRateLimiter:
        return SharedRateLimiter(sessions, SLOW, clock)


class Statements:
    """Counts what is sent to the database."""

    def __init__(self, sessions: Sessions) -> None:
        self.count = 0
        event.listen(sessions.kw["bind"].sync_engine, "before_cursor_execute", self._one_more)

    def _one_more(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.count += "rate_buckets" in statement


async def test_several_processes_let_one_burst_pass_between_them(sessions: Sessions) -> None:
    replicas = [SharedRateLimiter(sessions, SHARED) for _ in range(4)]

    verdicts = await asyncio.gather(
        *(replica.take("ws/key") for _ in range(2 * SHARED.burst) for replica in replicas)
    )

    # What passes was in the row once: never more than the burst, and all of it as all of them go on asking.
    assert allowed(verdicts) == SHARED.burst


async def test_what_lies_in_other_processes_is_all_that_a_caller_may_miss(sessions: Sessions) -> None:
    replicas = [SharedRateLimiter(sessions, SHARED) for _ in range(4)]
    first, *others = replicas
    passed = 0
    for other in others:
        # Busy for a moment, so that their batches grow to the largest, and are left with most of one.
        for _ in range(8):
            passed += (await other.take("ws/key")).allowed

    verdicts = await many(first, SHARED.burst)

    missed = SHARED.burst - passed - allowed(verdicts)
    assert 0 < missed <= len(others) * (first.in_advance - 1)


async def test_a_full_bucket_beside_unused_batches_is_the_most_that_passes(
    sessions: Sessions, advance: Advance
) -> None:
    replicas = [SharedRateLimiter(sessions, SHARED) for _ in range(4)]
    for replica in replicas:
        await many(replica, 8)

    await advance(100_000)
    verdicts = [v for replica in replicas for v in await many(replica, SHARED.burst)]

    beyond = allowed(verdicts) - SHARED.burst
    assert 0 < beyond <= len(replicas) * replicas[0].in_advance


async def test_a_busy_caller_costs_a_statement_for_a_batch_and_an_idle_one_takes_one(
    sessions: Sessions,
) -> None:
    rate = Rate(per_minute=6, burst=2000)
    limiter, statements = SharedRateLimiter(sessions, rate), Statements(sessions)
    assert limiter.in_advance == 100

    await limiter.take("ws/idle")
    assert statements.count == 1
    async with sessions() as session:
        assert await session.scalar(select(RateBucketRow.tokens)) == rate.burst - 1

    assert allowed(await many(limiter, 1000, "ws/busy")) == 1000
    assert statements.count <= 20


async def test_a_caller_who_goes_on_when_refused_is_answered_without_the_database(
    sessions: Sessions,
) -> None:
    limiter, statements = SharedRateLimiter(sessions, SLOW), Statements(sessions)
    await many(limiter, SLOW.burst + 1)
    before = statements.count

    assert allowed(await many(limiter, 500)) == 0

    assert statements.count == before


async def test_a_caller_who_leaves_does_not_take_the_batch_with_them(sessions: Sessions) -> None:
    limiter = SharedRateLimiter(sessions, SLOW)
    impatient = asyncio.create_task(limiter.take("ws/key"))
    patient = asyncio.create_task(limiter.take("ws/key"))
    await asyncio.sleep(0)

    impatient.cancel()

    assert (await patient).allowed
    assert allowed(await many(limiter, SLOW.burst)) == SLOW.burst - 1


async def test_without_the_database_requests_pass(clock: Clock) -> None:
    engine = make_engine("postgresql://nobody:wrong@127.0.0.1:1/nothing")
    limiter = SharedRateLimiter(make_sessions(engine), SLOW, clock)

    assert allowed(await many(limiter, 3)) == 3

    await engine.dispose()


async def test_an_error_of_the_database_does_not_lock_the_bucket(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OperationalError("", {}, ConnectionError())

    limiter = SharedRateLimiter(sessions, SLOW)
    with monkeypatch.context() as broken:
        broken.setattr(RateBucketRepository, "take", away)
        assert (await limiter.take("ws/key")).allowed

    assert (await limiter.take("ws/key")).allowed
    async with sessions() as session:
        assert await session.scalar(select(RateBucketRow.tokens)) == SLOW.burst - 1


async def test_memory_is_bounded(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST_BUCKETS", 3)
    limiter = SharedRateLimiter(sessions, SLOW)

    for number in range(6):
        await limiter.take(f"ws/{number}")

    assert len(limiter) == 3


async def test_rows_of_silent_callers_are_forgotten(sessions: Sessions, advance: Advance) -> None:
    limiter = SharedRateLimiter(sessions, SLOW)
    await limiter.take("ws/old")
    await advance(7200)
    await limiter.take("ws/new")

    async with unit_of_work(sessions) as session:
        await RateBucketRepository(session).forget(now() - timedelta(hours=1))

    async with sessions() as session:
        assert (await session.scalars(select(RateBucketRow.caller))).all() == ["ws/new"]


async def test_the_table_needs_no_log(sessions: Sessions) -> None:
    async with sessions() as session:
        kind = await session.scalar(
            text("SELECT relpersistence FROM pg_class WHERE relname = 'rate_buckets'")
        )

    assert kind in ("u", b"u")
