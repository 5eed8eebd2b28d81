"""What waits for a connection of a full pool is repeated, as after a lost connection."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from crewai_runner.db import session as session_module
from crewai_runner.db.failures import is_temporary
from crewai_runner.db.session import (
    Sessions,
    make_sessions,
    read_session,
    retry_while_unavailable,
    unit_of_work,
    with_retry,
)


@pytest.fixture
async def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sessions]:
    """Sessions on one connection, which they do not wait for."""
    monkeypatch.setattr(session_module, "RETRY_WAITS", (0.0,))
    monkeypatch.setattr(session_module, "RETRY_SECONDS", 0.0)
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    yield make_sessions(engine)
    await engine.dispose()


class _Occupied:
    """The only connection, held until its third time-out."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions, self._released = sessions, asyncio.Event()
        self.timeouts = 0

    async def occupy(self, occupied: asyncio.Event) -> None:
        async with unit_of_work(self._sessions) as session:
            await session.execute(text("SELECT 1"))
            occupied.set()
            await self._released.wait()

    def count(self, error: BaseException) -> None:
        self.timeouts += 1
        if self.timeouts == 3:
            self._released.set()
        assert is_temporary(error)

    async def read(self) -> int:
        try:
            async with read_session(self._sessions) as session:
                return int(await session.scalar(text("SELECT 42")) or 0)
        except PoolTimeout as error:
            self.count(error)
            raise


@pytest.mark.parametrize("retry", [with_retry, retry_while_unavailable])
async def test_pool_timeout_is_repeated(sessions: Sessions, retry: object) -> None:
    occupied, holder = asyncio.Event(), _Occupied(sessions)
    holding = asyncio.create_task(holder.occupy(occupied))
    await occupied.wait()

    result = await retry(holder.read)  # type: ignore[operator]

    assert result == 42
    assert holder.timeouts >= 3
    await holding
