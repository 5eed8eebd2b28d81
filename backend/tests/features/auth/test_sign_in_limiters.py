"""Failed sign-ins are limited per address and account, over all processes."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from crewai_runner.core.clock import now
from crewai_runner.db.session import Sessions, make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.sign_in_limits import SignInLimitRow
from crewai_runner.features.auth import shared_sign_in_limiter
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.errors import InvalidApiKey, TooManySignInFailures
from crewai_runner.features.auth.repository import SignInLimitRepository
from crewai_runner.features.auth.rules import ACCOUNT_FACTOR
from crewai_runner.features.auth.service import AuthService, SignInLimiter
from crewai_runner.features.auth.shared_sign_in_limiter import READ_SECONDS, SharedSignInLimiter
from crewai_runner.features.auth.sign_in_limiter import MemorySignInLimiter
from tests.support.database import fresh_database

KEY = "cr_the-right-key"


class SignInLimiterContract:
    """What both limiters promise; `limiter` allows one failure per minute and address."""

    async def test_address_is_limited(self, limiter: SignInLimiter) -> None:
        assert await limiter.get_wait_seconds("a", "owner") == 0

        await limiter.record_failure("a", "owner")

        assert 50 < await limiter.get_wait_seconds("a", "owner") <= 60
        assert await limiter.get_wait_seconds("b", "owner") == 0

    async def test_account_is_limited_over_all_addresses(self, limiter: SignInLimiter) -> None:
        await exhaust_account(limiter)

        assert await limiter.get_wait_seconds("fresh", "owner") > 0
        assert await limiter.get_wait_seconds("fresh", "other") == 0

    async def test_known_address_is_exempt_from_the_limit_of_its_account_only(
        self, limiter: SignInLimiter
    ) -> None:
        await limiter.record_success("home", "owner")
        await exhaust_account(limiter)

        assert await limiter.get_wait_seconds("home", "owner") == 0
        await limiter.record_failure("home", "owner")
        assert await limiter.get_wait_seconds("home", "owner") > 0


async def exhaust_account(limiter: SignInLimiter) -> None:
    for number in range(ACCOUNT_FACTOR):
        assert await limiter.get_wait_seconds(f"guesser-{number}", "owner") == 0
        await limiter.record_failure(f"guesser-{number}", "owner")


class TestMemorySignInLimiter(SignInLimiterContract):
    @pytest.fixture
    def limiter(self) -> MemorySignInLimiter:
        return MemorySignInLimiter(1, lambda: 0.0)


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path) as url:
        yield url


@contextmanager
def count_statements(sessions: Sessions) -> Iterator[list[str]]:
    """Collect the statements on the table."""
    statements: list[str] = []
    engine = sessions.kw["bind"].sync_engine

    def add(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "sign_in_limits" in statement:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", add)
    yield statements
    event.remove(engine, "before_cursor_execute", add)


async def age_rows(sessions: Sessions, age: timedelta) -> None:
    async with unit_of_work(sessions) as session:
        await session.execute(
            text("UPDATE sign_in_limits SET updated_at = updated_at - CAST(:age AS interval)"), {"age": age}
        )


async def guess(*processes: AuthService, times: int = 1) -> int:
    """Send wrong keys to all processes at once; return how many were compared with the key."""
    guesses = [process.authenticate("Bearer no", "192.0.2.1") for process in processes for _ in range(times)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert all(isinstance(one, InvalidApiKey | TooManySignInFailures) for one in results)
    return sum(isinstance(one, InvalidApiKey) for one in results)


class TestSharedSignInLimiter(SignInLimiterContract):
    @pytest.fixture
    def limiter(self, sessions: Sessions) -> SharedSignInLimiter:
        return SharedSignInLimiter(sessions, 1)

    async def test_processes_share_the_limit(self, sessions: Sessions) -> None:
        processes = [
            AuthService(KEY, SharedSignInLimiter(sessions, 2), Credentials(Sessions())) for _ in range(3)
        ]

        assert [await guess(process) for process in processes] == [1, 1, 0]
        with pytest.raises(TooManySignInFailures):
            await processes[2].authenticate(f"Bearer {KEY}", "192.0.2.1")
        assert (await processes[2].authenticate(f"Bearer {KEY}", "192.0.2.2")).subject == "api-key"

    async def test_simultaneous_guesses_exceed_the_limit_by_one_per_process(self, sessions: Sessions) -> None:
        processes = [
            AuthService(KEY, SharedSignInLimiter(sessions, 4), Credentials(Sessions())) for _ in range(3)
        ]

        compared = await guess(*processes, times=20)

        assert 4 <= compared <= 4 + len(processes) - 1

    async def test_address_known_to_one_process_is_known_to_all(self, sessions: Sessions) -> None:
        here, there = (SharedSignInLimiter(sessions, 1) for _ in range(2))
        await here.record_success("home", "owner")

        await exhaust_account(here)

        assert await there.get_wait_seconds("home", "owner") == 0
        assert await there.get_wait_seconds("fresh", "owner") > 0

    async def test_refused_and_repeated_sign_ins_need_no_statement(self, sessions: Sessions) -> None:
        process = AuthService(KEY, SharedSignInLimiter(sessions, 2, lambda: 0.0), Credentials(Sessions()))
        with count_statements(sessions) as statements:
            assert await guess(process, times=30) == 2
            assert len(statements) == 3
            for _ in range(30):
                await process.authenticate(f"Bearer {KEY}", "192.0.2.2")
            assert len(statements) == 5

    async def test_counts_of_other_processes_are_read_again(self, sessions: Sessions) -> None:
        offset = 0.0
        here = SharedSignInLimiter(sessions, 1)
        there = SharedSignInLimiter(sessions, 1, lambda: time.monotonic() + offset)
        assert await there.get_wait_seconds("a", "owner") == 0

        await here.record_failure("a", "owner")
        offset = READ_SECONDS

        assert await there.get_wait_seconds("a", "owner") > 0

    async def test_without_the_database_each_process_limits_by_itself(self) -> None:
        engine = make_engine("postgresql://user:wrong@127.0.0.1:1/nothing")
        process = AuthService(KEY, SharedSignInLimiter(make_sessions(engine), 2), Credentials(Sessions()))

        assert await guess(process, times=10) == 2
        assert (await process.authenticate(f"Bearer {KEY}", "192.0.2.2")).subject == "api-key"

        await engine.dispose()

    async def test_database_that_does_not_answer_delays_no_sign_in_for_long(
        self, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        blocked = asyncio.Event()

        async def wait(*_: object) -> None:
            await blocked.wait()

        monkeypatch.setattr(SharedSignInLimiter, "_read", wait)
        monkeypatch.setattr(SharedSignInLimiter, "_store_failure", wait)
        monkeypatch.setattr(shared_sign_in_limiter, "DATABASE_SECONDS", 0.01)

        assert (
            await guess(AuthService(KEY, SharedSignInLimiter(sessions, 2), Credentials(Sessions())), times=5)
            == 2
        )

        blocked.set()
        await asyncio.sleep(0)


class TestTable:
    async def test_old_rows_are_deleted(self, sessions: Sessions) -> None:
        limiter = SharedSignInLimiter(sessions, 100)
        await limiter.record_failure("guesser", "owner")
        await limiter.record_success("home", "owner")
        await age_rows(sessions, timedelta(hours=2))
        await limiter.record_failure("recent", "owner")

        async with unit_of_work(sessions) as session:
            await SignInLimitRepository(session).delete_old(
                now() - timedelta(hours=1), now() - timedelta(hours=3)
            )

        async with sessions() as session:
            addresses = await session.scalars(select(SignInLimitRow.address).order_by(SignInLimitRow.address))
            assert addresses.all() == ["", "home", "recent"]

    async def test_failures_are_forgotten_with_time(self, sessions: Sessions) -> None:
        await SharedSignInLimiter(sessions, 1).record_failure("a", "owner")
        await age_rows(sessions, timedelta(minutes=1))

        assert await SharedSignInLimiter(sessions, 1).get_wait_seconds("a", "owner") == 0
