"""A disk that takes no writes: requests say so, reading and stopping work, runs continue afterwards."""

import asyncio
import errno
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError

from crewai_runner.db.failures import StorageFailure, find_storage_failure, is_temporary
from crewai_runner.domain.run import RunResult
from crewai_runner.executor.port import Completed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions import event_writer
from tests.support.builders import call, completed, started
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE, TIMEOUT_SECONDS, RunHarness

pytestmark = pytest.mark.each_database

UNLIMITED_PAGES = 2**30
BIG = "x" * 3_000_000


class Disk:
    """The disk below the database: `full` (SQLite only) and `read_only` apply to every later transaction."""

    def __init__(self, harness: RunHarness) -> None:
        self.full = self.read_only = False
        self.refused = asyncio.Semaphore(0)
        self._loop = asyncio.get_running_loop()
        for engine in (harness.container.engine.sync_engine, harness.container.writer.engine):
            is_sqlite = engine.dialect.name == "sqlite"
            event.listen(engine, *(("checkout", self._set_up) if is_sqlite else ("begin", self._begin)))
            event.listen(engine, "handle_error", self._count_refusal)

    def _set_up(self, connection: DBAPIConnection, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA query_only = {int(self.read_only)}")
        cursor.execute(f"PRAGMA max_page_count = {1 if self.full else UNLIMITED_PAGES}")
        cursor.close()

    def _begin(self, connection: Connection) -> None:
        if self.read_only:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    def _count_refusal(self, _context: ExceptionContext) -> None:
        self._loop.call_soon_threadsafe(self.refused.release)

    async def wait_until_refused(self, times: int) -> None:
        for _ in range(times):
            await asyncio.wait_for(self.refused.acquire(), TIMEOUT_SECONDS)


@pytest.fixture
async def disk(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disk]:
    monkeypatch.setattr(event_writer, "RETRY_SECONDS", (0.02,))
    disk = Disk(harness)
    yield disk
    disk.full = disk.read_only = False


class GatedRun:
    """A run whose first task has begun and whose end follows after `gate`."""

    def __init__(self, harness: RunHarness) -> None:
        self.harness, self.gate = harness, asyncio.Event()
        self.run_id = ""

    async def start(self) -> "asyncio.Task[None]":
        events = [started("research"), call(10)]
        self.harness.executor = ScriptedExecutor(
            Script(events, Completed(RunResult(raw="done")), gate=self.gate)
        )
        self.run_id = await self.harness.create()
        running = asyncio.create_task(self.harness.execute(self.run_id, 1))
        await self.harness.wait_for_state(self.run_id, "running")
        while (await self.harness.get_run(self.run_id)).llm_calls == 0:
            await self.harness.container.event_writer.flush()
        return running

    def emit(self) -> None:
        sink = self.harness.container.event_writer.open_sink(self.run_id, 1, lambda: None)
        sink(completed("research", BIG))


class TestRequests:
    async def test_read_only(self, harness: RunHarness, client: httpx.AsyncClient, disk: Disk) -> None:
        run_id = await harness.create()
        disk.read_only = True

        refused = await client.post(f"/runs/{run_id}/stop")
        read = await client.get(f"/runs/{run_id}")

        assert (refused.status_code, read.status_code) == (503, 200)
        assert "Nothing was changed. The disk of the database is read-only" in refused.json()["detail"]

    @ON_SQLITE
    async def test_full(self, harness: RunHarness, disk: Disk) -> None:
        disk.full = True
        with pytest.raises(DBAPIError) as raised:
            async with harness.session() as session:
                await session.execute(text("CREATE TABLE big AS SELECT randomblob(1000000) AS content"))

        assert find_storage_failure(raised.value) is StorageFailure.FULL
        assert is_temporary(raised.value)


class TestRuns:
    @pytest.mark.parametrize("failure", ["full", "read_only"])
    async def test_run_continues_when_the_disk_takes_writes_again(
        self, harness: RunHarness, disk: Disk, failure: str
    ) -> None:
        if harness.container.engine.dialect.name == "postgresql":
            failure = "read_only"
        run = GatedRun(harness)
        running = await run.start()

        setattr(disk, failure, True)
        run.emit()
        run.gate.set()
        await disk.wait_until_refused(3)
        setattr(disk, failure, False)
        await asyncio.wait_for(running, TIMEOUT_SECONDS)

        assert (await harness.get_run(run.run_id)).state == "completed"
        assert (await harness.event_types(run.run_id))[-2:] == ["task.completed", "run.completed"]

    async def test_stop_works(self, harness: RunHarness, client: httpx.AsyncClient, disk: Disk) -> None:
        run = GatedRun(harness)
        running = await run.start()
        disk.read_only = True

        answer = await client.post(f"/runs/{run.run_id}/stop")
        disk.read_only = False
        await asyncio.wait_for(running, TIMEOUT_SECONDS)

        assert answer.status_code == 503
        assert answer.json()["detail"].startswith("The crew was stopped.")
        assert (await harness.get_run(run.run_id)).state == "stopped"


class TestFailures:
    @pytest.mark.parametrize(
        ("number", "failure"),
        [
            (errno.ENOSPC, StorageFailure.FULL),
            (errno.EROFS, StorageFailure.READ_ONLY),
            (errno.EIO, StorageFailure.BROKEN),
            (errno.ENOENT, None),
        ],
    )
    def test_of_files(self, number: int, failure: StorageFailure | None) -> None:
        assert find_storage_failure(OSError(number, "x")) is failure

    @ON_POSTGRESQL
    @pytest.mark.parametrize(
        ("sqlstate", "failure", "temporary"),
        [
            ("53100", StorageFailure.FULL, True),
            ("58030", StorageFailure.BROKEN, True),
            ("57P03", None, True),
            ("54000", None, False),
            ("22003", None, False),
        ],
    )
    async def test_of_postgresql(
        self, harness: RunHarness, sqlstate: str, failure: StorageFailure | None, temporary: bool
    ) -> None:
        statement = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{sqlstate}'; END $$"
        with pytest.raises(DBAPIError) as raised:
            async with harness.session() as session:
                await session.execute(text(statement))

        assert (find_storage_failure(raised.value), is_temporary(raised.value)) == (failure, temporary)
