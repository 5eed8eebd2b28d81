"""Reads in threads: one snapshot for each function, and a new connection for a closed one."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, text

from crewai_runner.db import snapshot_reader
from crewai_runner.db.session import Sessions, make_reader_engine, unit_of_work
from crewai_runner.db.snapshot_reader import SnapshotReader
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE

pytestmark = pytest.mark.each_database


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[SnapshotReader]:
    reader = SnapshotReader(make_reader_engine(database_url))
    yield reader
    await reader.close()


def count_workspaces(connection: Connection) -> int:
    return connection.execute(text("SELECT count(*) FROM workspaces")).scalar_one()


class TestSnapshotReader:
    async def test_queries_of_a_function_see_one_moment(
        self, reader: SnapshotReader, sessions: Sessions
    ) -> None:
        loop = asyncio.get_running_loop()

        async def add_workspace() -> None:
            async with unit_of_work(sessions) as session:
                insert = (
                    "INSERT INTO workspaces (id, name, created_at) VALUES ('ws_new', 'new', '2026-01-01')"
                )
                await session.execute(text(insert))

        def read(connection: Connection) -> tuple[int, int]:
            before = count_workspaces(connection)
            asyncio.run_coroutine_threadsafe(add_workspace(), loop).result(20)
            return before, count_workspaces(connection)

        before, during = await reader.run(read)

        assert during == before
        assert await reader.run(count_workspaces) == before + 1

    async def test_error_of_the_function_is_raised(self, reader: SnapshotReader) -> None:
        def fail(_: Connection) -> None:
            raise LookupError("x")

        with pytest.raises(LookupError):
            await reader.run(fail)

    @ON_SQLITE
    async def test_few_quick_reads_run_at_once(
        self, reader: SnapshotReader, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(snapshot_reader, "SLOW_READ_SECONDS", 60)
        running, most, lock = 0, 0, threading.Lock()

        def read(_: Connection) -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with lock:
                running -= 1

        await asyncio.gather(*(reader.run(read) for _ in range(12)))

        assert most == snapshot_reader.QUICK_READS_ON_SQLITE

    async def test_slow_reads_do_not_delay_others(self, reader: SnapshotReader) -> None:
        end = threading.Event()
        slow = [asyncio.ensure_future(reader.run(lambda _: end.wait(30))) for _ in range(3)]
        try:
            async with asyncio.timeout(10):
                await reader.run(count_workspaces)
            assert not any(each.done() for each in slow)
        finally:
            end.set()
        assert await asyncio.gather(*slow) == [True] * 3

    async def test_cancelled_callers_leave_the_reader_usable(self, reader: SnapshotReader) -> None:
        waiting = [asyncio.ensure_future(reader.run(count_workspaces)) for _ in range(20)]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)

        async with asyncio.timeout(10):
            await asyncio.gather(*(reader.run(count_workspaces) for _ in range(20)))

    @ON_POSTGRESQL
    async def test_closed_connection_is_replaced(self, reader: SnapshotReader, sessions: Sessions) -> None:
        def get_process(connection: Connection) -> int:
            return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

        process = await reader.run(get_process)
        async with unit_of_work(sessions) as session:
            await session.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})

        assert await reader.run(get_process) != process
