"""How the parts of one process come up and go down."""

import asyncio
from pathlib import Path

import pytest

from crewai_runner import wiring
from crewai_runner.core.errors import Unavailable
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.settings import Role
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.queue.inline import InlineQueue
from crewai_runner.queue.port import RunJob
from crewai_runner.wiring import Container, LateQueue
from tests.support.database import fresh_database
from tests.support.runs import CANARY, SECRET_KEY, settings_for


class BrokenQueue(InlineQueue):
    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        raise ConnectionError("the database refuses")


class SlowExecutor(ScriptedExecutor):
    def __init__(self) -> None:
        super().__init__()
        self.loads = 0

    async def load(self) -> None:
        self.loads += 1


def parts(folder: Path, url: str, queue: InlineQueue, role: Role = Role.ALL) -> Container:
    return Container(settings_for(url, folder, role=role), executor=SlowExecutor(), queue=queue)


async def test_a_process_comes_up_with_a_workspace_a_queue_and_its_engine(tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        process = parts(tmp_path / "new" / "folder", url, InlineQueue())
        await process.start()
        try:
            await process.queue_open()
            await asyncio.wait_for(process.executor_ready(), 10)
            async with read_session(process.sessions) as session:
                assert await session.get(WorkspaceRow, BUILTIN_WORKSPACE) is not None
            assert process.executor.loads == 1  # type: ignore[attr-defined]
            assert (await process.queue.stats()).waiting == 0
        finally:
            await process.stop()


async def test_an_api_process_loads_no_engine(tmp_path: Path) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        process = parts(tmp_path, url, InlineQueue(), Role.API)
        await process.start()
        await process.queue_open()
        await process.stop()

    assert process.executor.loads == 0  # type: ignore[attr-defined]


async def test_a_queue_that_does_not_open_is_said_with_when_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "QUEUE_PATIENCE_SECONDS", 0.0)
    with fresh_database("sqlite", tmp_path) as url:
        process = parts(tmp_path, url, BrokenQueue())
        await process.start()
        await asyncio.wait(process._tasks)

        with pytest.raises(Unavailable, match="the database refuses") as refused:
            await process.queue_open()

        await process.stop()
    assert refused.value.status == 503
    assert refused.value.extra["headers"] == {"Retry-After": "5"}


@pytest.mark.parametrize("comes", ["before", "after"])
async def test_a_queue_that_has_failed_is_not_waited_for(tmp_path: Path, comes: str) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        process = parts(tmp_path, url, BrokenQueue())
        asking = asyncio.create_task(process.queue_open()) if comes == "before" else None
        await process.start()
        try:
            # Its patience is 20 s; the failure is known at once.
            async with asyncio.timeout(wiring.QUEUE_PATIENCE_SECONDS / 2):
                with pytest.raises(Unavailable, match="the database refuses"):
                    await (asking or process.queue_open())
        finally:
            await process.stop()


async def test_before_the_queue_is_open_its_callers_are_told_to_come_again() -> None:
    queue = LateQueue()

    for ask in (queue.stats, queue.orphans, lambda: queue.cancel("run_1", 1), lambda: queue.requeue([])):
        with pytest.raises(Unavailable) as refused:
            await ask()
        assert refused.value.extra["headers"] == {"Retry-After": "2"}


async def test_the_process_s_own_secrets_are_masked(tmp_path: Path) -> None:
    process = parts(tmp_path, f"sqlite:///{tmp_path}/x.db", InlineQueue())

    assert process.mask(f"{CANARY} {SECRET_KEY}") == "•••••• ••••••"
    await process.engine.dispose()
