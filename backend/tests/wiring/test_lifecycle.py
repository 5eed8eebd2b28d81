"""The start and stop of one process."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crewai_runner.core.errors import Unavailable
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.setting_choices import Role
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.metrics.service import Telemetry
from crewai_runner.queue import dbos, deferred
from crewai_runner.queue.deferred import DeferredQueue
from crewai_runner.queue.in_process import InProcessQueue
from crewai_runner.queue.port import QueueStats, RunJob
from crewai_runner.wiring.container import Container
from crewai_runner.wiring.lifecycle import CLOSING_SECONDS, MIN_PART_SECONDS, ProcessLifecycle
from tests.queue.harness import eventually
from tests.support.database import fresh_database
from tests.support.harness import API_KEY, SECRET_KEY, make_settings


class BrokenQueue(InProcessQueue):
    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        raise ConnectionError("the database refuses")


class CountingExecutor(ScriptedExecutor):
    def __init__(self) -> None:
        super().__init__()
        self.loads = 0

    async def load(self) -> None:
        self.loads += 1


def make_container(url: str, folder: Path, role: Role = Role.ALL) -> tuple[Container, CountingExecutor]:
    executor = CountingExecutor()
    return Container(make_settings(url, folder, role=role), executor=executor), executor


@asynccontextmanager
async def started(container: Container, queue: InProcessQueue | None) -> AsyncIterator[ProcessLifecycle]:
    lifecycle = ProcessLifecycle(container, queue=queue)
    await lifecycle.start()
    try:
        yield lifecycle
    finally:
        await lifecycle.stop()


class TestStart:
    async def test_creates_the_workspace_opens_the_queue_and_loads_the_engine(self, tmp_path: Path) -> None:
        with fresh_database("sqlite", tmp_path) as url:
            container, executor = make_container(url, tmp_path / "new" / "folder")
            async with started(container, InProcessQueue()):
                await container.queue.wait_until_open()
                await asyncio.wait_for(container.loader.wait_until_loaded(), 10)
                async with read_session(container.sessions) as session:
                    assert await session.get(WorkspaceRow, BUILTIN_WORKSPACE) is not None
                assert executor.loads == 1
                assert (await container.queue.stats()).waiting == 0

    async def test_api_process_does_not_load_the_engine(self, tmp_path: Path) -> None:
        with fresh_database("sqlite", tmp_path) as url:
            container, executor = make_container(url, tmp_path, Role.API)
            async with started(container, InProcessQueue()):
                await container.queue.wait_until_open()

        assert executor.loads == 0

    async def test_queue_that_does_not_open_is_refused_with_retry_after(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deferred, "OPEN_TIMEOUT_SECONDS", 0.0)
        with fresh_database("sqlite", tmp_path) as url:
            container, _ = make_container(url, tmp_path)
            async with started(container, BrokenQueue()) as lifecycle:
                await lifecycle._queue_tried.wait()

                with pytest.raises(Unavailable, match="the database refuses") as refused:
                    await container.queue.wait_until_open()

        assert refused.value.status == 503
        assert refused.value.extra["headers"] == {"Retry-After": "5"}

    @pytest.mark.parametrize("waits", ["before", "after"])
    async def test_failed_queue_is_refused_at_once(self, tmp_path: Path, waits: str) -> None:
        with fresh_database("sqlite", tmp_path) as url:
            container, _ = make_container(url, tmp_path)
            waiting = asyncio.create_task(container.queue.wait_until_open()) if waits == "before" else None
            async with started(container, BrokenQueue()):
                # The limit is 20 s; the failure is known much earlier.
                async with asyncio.timeout(deferred.OPEN_TIMEOUT_SECONDS / 2):
                    with pytest.raises(Unavailable, match="the database refuses"):
                        await (waiting or container.queue.wait_until_open())


class TestJobsOfOtherProcesses:
    async def test_start_without_waiting_for_a_poll(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dbos, "_POLL_SECONDS", {"postgresql": 3600.0})
        with fresh_database("postgresql", tmp_path) as url:
            api, _ = make_container(url, tmp_path / "api", Role.API)
            worker, _ = make_container(url, tmp_path / "worker", Role.WORKER)
            async with started(api, None), started(worker, None):
                await asyncio.gather(api.queue.wait_until_open(), worker.queue.wait_until_open())

                async with unit_of_work(api.sessions) as session:
                    await api.queue.submit(session, "run_of_nothing", 1, tenant="t")

                await eventually(api.queue.stats, QueueStats(waiting=0, running=0, oldest_wait_seconds=None))


class TestStop:
    async def test_ends_soon_after_the_drain_although_no_part_ends(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop, passed = asyncio.get_running_loop(), 0.0
        wait, clock = asyncio.wait, loop.time

        async def pass_time(tasks: Iterable[asyncio.Task[None]], *, timeout: float | None = None) -> object:
            """Wait for tasks that end; for others let the clock jump to the end of the timeout."""
            nonlocal passed
            if timeout is not None and any(task.get_coro().__name__ == "hang" for task in tasks):
                passed += timeout
                return await wait(tasks, timeout=0)
            return await wait(tasks, timeout=timeout)

        async def hang(*_: object) -> None:
            await asyncio.Event().wait()

        with fresh_database("sqlite", tmp_path) as url:
            container, _ = make_container(url, tmp_path)
            async with started(container, InProcessQueue()) as lifecycle:
                await container.queue.wait_until_open()
                with monkeypatch.context() as patched:
                    for part, name in (
                        (DeferredQueue, "drain"),
                        (Telemetry, "close"),
                        (type(container.notifier), "stop"),
                    ):
                        patched.setattr(part, name, hang)
                    patched.setattr(asyncio, "wait", pass_time)
                    patched.setattr(loop, "time", lambda: clock() + passed)
                    await lifecycle.stop()

        assert passed > container.settings.drain_seconds
        assert passed <= container.settings.drain_seconds + CLOSING_SECONDS + 5 * MIN_PART_SECONDS


async def test_own_secrets_are_masked(tmp_path: Path) -> None:
    container, _ = make_container(f"sqlite:///{tmp_path}/x.db", tmp_path)

    assert container.mask(f"{API_KEY} {SECRET_KEY}") == "•••••• ••••••"
    await container.engine.dispose()
