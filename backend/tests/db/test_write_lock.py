"""The lock of the writers of one SQLite file: fair, and never held twice or lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crewai_runner.db.session import Sessions, make_engine, make_sessions, read_session, unit_of_work
from crewai_runner.db.write_lock import WriteLock
from tests.support.harness import ON_SQLITE


async def acquire(lock: WriteLock, order: list[str], name: str, *, first: bool = False) -> None:
    await lock.acquire(first=first)
    order.append(name)


async def let_others_run() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


class TestOrder:
    async def test_first_come_first_served_after_those_that_go_first(self) -> None:
        lock, order = WriteLock(), list[str]()
        await lock.acquire()
        waiting = [asyncio.create_task(acquire(lock, order, name)) for name in ("a", "b")]
        await let_others_run()
        waiting.append(asyncio.create_task(acquire(lock, order, "events", first=True)))
        await let_others_run()

        for _ in range(3):
            lock.release()
            await let_others_run()

        assert order == ["events", "a", "b"]

    async def test_newcomer_does_not_overtake_the_next_waiter(self) -> None:
        lock, order = WriteLock(), list[str]()
        await lock.acquire()
        waiting = asyncio.create_task(acquire(lock, order, "waiting"))
        await let_others_run()
        lock.release()
        newcomer = asyncio.create_task(acquire(lock, order, "newcomer"))
        await let_others_run()

        assert order == ["waiting"]
        lock.release()
        await asyncio.gather(waiting, newcomer)

    @pytest.mark.parametrize("is_released_before", [False, True])
    async def test_cancelled_waiter_does_not_keep_the_lock(self, is_released_before: bool) -> None:
        lock = WriteLock()
        await lock.acquire()
        waiting = asyncio.create_task(lock.acquire())
        await let_others_run()
        if is_released_before:
            lock.release()
        waiting.cancel()
        await asyncio.wait([waiting])
        if not is_released_before:
            lock.release()

        await asyncio.wait_for(lock.acquire(), 10)


@ON_SQLITE
class TestUnitOfWork:
    @pytest.fixture
    async def lock(self) -> WriteLock:
        return WriteLock()

    @pytest.fixture
    async def sessions(self, database_url: str, lock: WriteLock) -> AsyncIterator[Sessions]:
        engine = make_engine(database_url, write_lock=lock)
        yield make_sessions(engine)
        await engine.dispose()

    async def test_waits_for_the_lock_and_a_read_does_not(self, sessions: Sessions, lock: WriteLock) -> None:
        await lock.acquire()
        writing = asyncio.create_task(self.write(sessions))

        async with read_session(sessions) as session:
            await session.execute(text("SELECT 1 FROM runs"))
        assert not writing.done()

        lock.release()
        await asyncio.wait_for(writing, 10)

    @pytest.mark.parametrize("ending", ["commit", "broken statement", "cancelled"])
    async def test_returns_the_lock_however_it_ends(
        self, sessions: Sessions, lock: WriteLock, ending: str
    ) -> None:
        if ending == "broken statement":
            with pytest.raises(DBAPIError):
                await self.write(sessions, table="nothing")
        elif ending == "cancelled":
            task = asyncio.create_task(self.write(sessions, asyncio.Event()))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.wait([task])
        else:
            await self.write(sessions)

        await asyncio.wait_for(lock.acquire(), 10)

    async def test_cancelled_while_it_waits_leaves_the_lock_to_others(
        self, sessions: Sessions, lock: WriteLock
    ) -> None:
        await lock.acquire()
        writing = asyncio.create_task(self.write(sessions))
        await asyncio.sleep(0.1)
        writing.cancel()
        await asyncio.wait([writing])
        lock.release()

        await asyncio.wait_for(self.write(sessions), 10)

    @staticmethod
    async def write(sessions: Sessions, gate: asyncio.Event | None = None, table: str = "runs") -> None:
        async with unit_of_work(sessions) as session:
            await session.execute(text(f"DELETE FROM {table}"))
            if gate is not None:
                await gate.wait()
