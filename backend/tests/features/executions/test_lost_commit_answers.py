"""A commit whose answer is lost is repeated, and changes nothing the second time."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db import session as session_module
from crewai_runner.db.base import Base
from crewai_runner.db.session import read_session
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.domain.run import RunResult, StopMode, TaskResult
from crewai_runner.domain.usage import Usage
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, OutOfBudget
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions import event_writer as event_writer_module
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, call, completed, definition, failed_call, started, task
from tests.support.harness import ON_POSTGRESQL, RunHarness
from tests.support.principals import OWNER

pytestmark = ON_POSTGRESQL

RESULT = RunResult(raw="End.", tasks={"research": TaskResult(raw="R"), "report": TaskResult(raw="End.")})
EVENTS = [
    started("research"),
    call(10),
    failed_call(),
    completed("research", "R"),
    started("report"),
    call(20),
    completed("report", "End."),
]
OUTCOMES = {
    "completed": Completed(RESULT),
    "failed": Failed(FAILURE),
    "needs human": NeedsHuman("report", "writer", "P"),
    "out of budget": OutOfBudget(BudgetLimit.TOKENS, Usage(), 1.0),
}
TABLES = ("runs", "run_tasks", "llm_calls", "artifacts", "approvals", "run_events")
VARYING = {"id", "run_id", "claim", "frame", "receipt", "seconds_at_work", "last_seq"}
"""Columns that differ between any two runs: ids, times, and texts that contain them."""


class CommitCutter:
    """Loses the answer of one commit: it is stored, and the session reports that the connection is lost."""

    def __init__(self) -> None:
        self.commits = 0
        self._cut_at: int | None = None
        self._original = AsyncSession.commit

    @contextmanager
    def cut(self, number: int | None) -> Iterator[None]:
        """Count the commits inside the block; lose the answer of this one."""
        self.commits, self._cut_at = 0, number
        yield
        self._cut_at = None

    async def commit(self, session: AsyncSession) -> None:
        await self._original(session)
        self.commits += 1
        if self.commits == self._cut_at:
            raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))


@pytest.fixture
def cutter(monkeypatch: pytest.MonkeyPatch) -> CommitCutter:
    cutter = CommitCutter()

    async def commit(session: AsyncSession) -> None:
        await cutter.commit(session)

    monkeypatch.setattr(AsyncSession, "commit", commit)
    monkeypatch.setattr(session_module, "RETRY_WAITS", (0.0,) * 5)
    monkeypatch.setattr(event_writer_module, "RETRY_SECONDS", (0.0,))
    return cutter


async def read_rows(harness: RunHarness, run_id: str) -> dict[str, list[dict[str, Any]]]:
    """Everything stored about a run, without what differs between any two runs."""
    rows: dict[str, list[dict[str, Any]]] = {}
    async with read_session(harness.container.sessions) as session:
        for name in TABLES:
            table = Base.metadata.tables[name]
            key = table.c.id if name == "runs" else table.c.run_id
            found = (await session.execute(select(table).where(key == run_id))).mappings().all()
            rows[name] = [
                {
                    column: value
                    for column, value in row.items()
                    if column not in VARYING and column != "at" and not column.endswith("_at")
                }
                for row in found
            ]
    rows["run_events"] = sorted(rows["run_events"], key=lambda row: row["seq"])
    return rows


async def compare_every_cut(
    harness: RunHarness, cutter: CommitCutter, run: Callable[[CommitCutter, int | None], Any]
) -> None:
    """Run uncut, then once for each commit with its answer lost; the rows must be the same."""
    expected = await read_rows(harness, await run(cutter, None))
    for number in itertools.count(1):
        run_id = await run(cutter, number)
        if cutter.commits < number:
            assert number > 2
            return
        assert await read_rows(harness, run_id) == expected, f"commit {number}"


class TestEveryCommitOfAWorker:
    @pytest.mark.parametrize("outcome", OUTCOMES)
    async def test_attempt(self, harness: RunHarness, cutter: CommitCutter, outcome: str) -> None:
        tasks = [task("research", "researcher"), task("report", output_file="report.md")]
        new = NewRun(definition(tasks=tasks, on_worker_loss=OnWorkerLoss.FAIL), {})

        async def run(cutter: CommitCutter, number: int | None) -> str:
            harness.executor = _FlushesOften(Script(EVENTS, OUTCOMES[outcome]), harness=harness)
            run_id = await harness.create(new)
            with cutter.cut(number):
                await harness.execute(run_id, 1)
            return run_id

        await compare_every_cut(harness, cutter, run)

    async def test_lost_worker(self, harness: RunHarness, cutter: CommitCutter) -> None:
        async def run(cutter: CommitCutter, number: int | None) -> str:
            harness.executor = ScriptedExecutor(Script(EVENTS, OUTCOMES["completed"]))
            run_id = await harness.create_running()
            with cutter.cut(number):
                await harness.execute(run_id, 1)
            return run_id

        await compare_every_cut(harness, cutter, run)

    async def test_stop(self, harness: RunHarness, cutter: CommitCutter) -> None:
        async def run(cutter: CommitCutter, number: int | None) -> str:
            executor = harness.executor = ScriptedExecutor(Script(EVENTS[:2], gate=asyncio.Event()))
            run_id = await harness.create()
            job = asyncio.ensure_future(harness.execute(run_id, 1))
            await harness.wait_for_state(run_id, "running")
            while not executor.specs or (await harness.get_run(run_id)).llm_calls == 0:
                await asyncio.sleep(0.005)
            with cutter.cut(number):
                response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)
                await job
            assert response.status == "stopped"
            return run_id

        await compare_every_cut(harness, cutter, run)

    async def test_stop_of_a_queued_run(self, harness: RunHarness, cutter: CommitCutter) -> None:
        run_id = await harness.create()
        with cutter.cut(1):
            response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

        assert response.status == "stopped"
        skipped = ["task.skipped"] * 2
        assert await harness.event_types(run_id) == ["run.queued", *skipped, "run.stopped"]

    async def test_return_to_the_queue(self, harness: RunHarness, cutter: CommitCutter) -> None:
        async def run(cutter: CommitCutter, number: int | None) -> str:
            executor = harness.executor = ScriptedExecutor(Script(EVENTS[:2], gate=asyncio.Event()))
            run_id = await harness.create()
            with cutter.cut(number):
                job = asyncio.ensure_future(harness.execute(run_id, 1))
                while not executor.specs:
                    await asyncio.sleep(0.005)
                await harness.container.event_writer.flush()
                job.cancel()
                await asyncio.wait([job])
            assert job.cancelled()
            return run_id

        await compare_every_cut(harness, cutter, run)


class _FlushesOften(ScriptedExecutor):
    """Stores its events in several batches."""

    def __init__(self, script: Script, *, harness: RunHarness) -> None:
        super().__init__(script)
        self._harness = harness

    async def execute(self, spec: Any, sink: Any, control: Any) -> Any:
        script = self._scripts[0]
        assert isinstance(script, Script)
        for index, event in enumerate(script.events):
            sink(event)
            if index % 3 == 2:
                await self._harness.container.event_writer.flush()
        return script.outcome
