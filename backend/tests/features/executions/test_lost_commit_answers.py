"""A commit whose answer is lost is repeated, and changes nothing the second time."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.db import session as session_module
from crewai_runner.db.base import Base
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.idempotency import IdempotencyRow
from crewai_runner.domain.budget import BudgetLimit
from crewai_runner.domain.run import RunResult, StopMode, TaskResult
from crewai_runner.domain.run_event_payloads import MessageAnsweredData, MessageDeliveredData
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered, RunEvent
from crewai_runner.domain.usage import Usage
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, OutOfBudget
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions import event_writer as event_writer_module
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.idempotency.service import RETENTION
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.deletion import RunDeletionService
from crewai_runner.features.runs.retention import RetentionPeriods, RunRetention
from crewai_runner.features.runs.service import NewRun
from crewai_runner.wiring.periodic_tasks import PeriodicTasks
from tests.features.runs.test_deletion import create_finished_run
from tests.support.builders import FAILURE, call, completed, definition, failed_call, started, task
from tests.support.commit_proxy import CommitProxy, open_commit_proxy
from tests.support.harness import ON_POSTGRESQL, RunHarness, open_harness, request_approval
from tests.support.principals import OWNER
from tests.support.server_process import TWO_TASKS

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
TABLES = ("runs", "run_tasks", "llm_calls", "artifacts", "approvals", "messages", "run_events")
DAYS = 30
VARYING = {
    "id",
    "run_id",
    "claim",
    "frame",
    "receipt",
    "seconds_at_work",
    "last_seq",
    "stored_bytes",
    "forked_from",
}
"""Columns that differ between any two runs: ids, times, and texts that contain them."""


@pytest.fixture
async def proxy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CommitProxy]:
    monkeypatch.setattr(session_module, "RETRY_WAITS", (0.0,) * 5)
    monkeypatch.setattr(event_writer_module, "RETRY_SECONDS", (0.0,))
    async with open_commit_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def harness(proxy: CommitProxy, tmp_path: Path) -> AsyncIterator[RunHarness]:
    async with open_harness(proxy.url, tmp_path, rate_limit_per_minute=0) as harness:
        yield harness


@contextmanager
def cut(proxy: CommitProxy, number: int | None) -> Iterator[None]:
    """Count the commits inside the block; lose the answer of this one."""
    proxy.cut(*(() if number is None else (number,)))
    yield
    proxy.keep_answers()


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
    harness: RunHarness,
    proxy: CommitProxy,
    run: Callable[[CommitProxy, int | None], Any],
    commits: int = 2,
) -> None:
    """Run uncut, then once for each commit with its answer lost; the rows must be the same.

    There must be at least `commits` of them.
    """
    expected = await read_rows(harness, await run(proxy, None))
    for number in itertools.count(1):
        run_id = await run(proxy, number)
        if proxy.commits < number:
            assert number > commits
            return
        assert await read_rows(harness, run_id) == expected, f"commit {number}"


class TestEveryCommitOfAWorker:
    @pytest.mark.parametrize("outcome", OUTCOMES)
    async def test_attempt(self, harness: RunHarness, proxy: CommitProxy, outcome: str) -> None:
        tasks = [task("research", "researcher"), task("report", output_file="report.md")]
        new = NewRun(definition(tasks=tasks, on_worker_loss=OnWorkerLoss.FAIL), {})

        async def run(proxy: CommitProxy, number: int | None) -> str:
            harness.executor = _FlushesOften(Script(EVENTS, OUTCOMES[outcome]), harness=harness)
            run_id = await harness.create(new)
            with cut(proxy, number):
                await harness.execute(run_id, 1)
            return run_id

        await compare_every_cut(harness, proxy, run)

    async def test_lost_worker(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            harness.executor = ScriptedExecutor(Script(EVENTS, OUTCOMES["completed"]))
            run_id = await harness.create_running()
            with cut(proxy, number):
                await harness.execute(run_id, 1)
            return run_id

        await compare_every_cut(harness, proxy, run)

    async def test_stop(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            executor = harness.executor = ScriptedExecutor(Script(EVENTS[:2], gate=asyncio.Event()))
            run_id = await harness.create()
            job = asyncio.ensure_future(harness.execute(run_id, 1))
            await harness.wait_for_state(run_id, "running")
            while not executor.specs or (await harness.get_run(run_id)).llm_calls == 0:
                await asyncio.sleep(0.005)
            with cut(proxy, number):
                response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)
                await job
            assert response.status == "stopped"
            return run_id

        await compare_every_cut(harness, proxy, run)

    async def test_stop_of_a_queued_run(self, harness: RunHarness, proxy: CommitProxy) -> None:
        run_id = await harness.create()
        with cut(proxy, 1):
            response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

        assert response.status == "stopped"
        skipped = ["task.skipped"] * 2
        assert await harness.event_types(run_id) == ["run.queued", *skipped, "run.stopped"]

    async def test_return_to_the_queue(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            executor = harness.executor = ScriptedExecutor(Script(EVENTS[:2], gate=asyncio.Event()))
            run_id = await harness.create()
            with cut(proxy, number):
                job = asyncio.ensure_future(harness.execute(run_id, 1))
                while not executor.specs:
                    await asyncio.sleep(0.005)
                await harness.container.event_writer.flush()
                job.cancel()
                await asyncio.wait([job])
            assert job.cancelled()
            return run_id

        await compare_every_cut(harness, proxy, run)

    async def test_message_delivery(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            run_id = await harness.create()
            async with harness.session() as session:
                message = MessageService(session).create(run_id, "Shorter!", None, "owner")
            harness.executor = _FlushesOften(
                Script(_delivery(message.id), OUTCOMES["completed"]), harness=harness
            )
            with cut(proxy, number):
                await harness.execute(run_id, 1)
            return run_id

        await compare_every_cut(harness, proxy, run)


def _delivery(message_id: str) -> list[RunEvent]:
    """The events of a run whose agent receives and answers a message."""
    delivered = MessageDeliveredData(message_id=message_id, call=1)
    answered = MessageAnsweredData(message_id=message_id, text="Done.", by="agent")
    return [
        *EVENTS[:2],
        MessageDelivered(task_key="research", agent="researcher", data=delivered),
        MessageAnswered(task_key="research", agent="researcher", data=answered),
        *EVENTS[3:],
    ]


async def create_failed_run(harness: RunHarness) -> str:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
    return run_id


class TestEveryCommitOfARequest:
    """A request whose effect is stored is answered 2xx, and its effect is stored once."""

    @pytest.mark.parametrize(
        ("resolution", "state"),
        [
            ({"action": "approve", "edited": "Mine."}, "queued"),
            ({"action": "revise", "feedback": "Shorter."}, "queued"),
            ({"action": "reject"}, "failed"),
        ],
    )
    async def test_answer_to_an_approval(
        self,
        harness: RunHarness,
        proxy: CommitProxy,
        client: httpx.AsyncClient,
        resolution: dict[str, str],
        state: str,
    ) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            run_id, approval_id = await request_approval(harness)
            with cut(proxy, number):
                response = await client.post(f"/approvals/{approval_id}/resolve", json=resolution)
            assert response.status_code == 200, response.text
            assert (await harness.get_run(run_id)).state == state
            return run_id

        await compare_every_cut(harness, proxy, run, commits=1)

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/runs/{}/resume", {}),
            ("POST", "/runs/{}/retry", {}),
            ("POST", "/chat", {"workflowId": "{}", "message": "Why?"}),
        ],
    )
    async def test_request_about_a_failed_run(
        self,
        harness: RunHarness,
        proxy: CommitProxy,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        body: dict[str, str],
    ) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            run_id = await create_failed_run(harness)
            filled = {name: value.format(run_id) for name, value in body.items()}
            with cut(proxy, number):
                response = await client.request(method, path.format(run_id), json=filled)
            assert response.is_success, response.text
            return run_id

        await compare_every_cut(harness, proxy, run, commits=1)

    async def test_message_to_a_running_run(
        self, harness: RunHarness, proxy: CommitProxy, client: httpx.AsyncClient
    ) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            run_id = await harness.create_running()
            with cut(proxy, number):
                response = await client.post(f"/runs/{run_id}/messages", json={"text": "Shorter!"})
            assert response.is_success, response.text
            return run_id

        await compare_every_cut(harness, proxy, run, commits=1)

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "start-{}"}], ids=["plain", "with key"])
    async def test_start(
        self,
        harness: RunHarness,
        proxy: CommitProxy,
        client: httpx.AsyncClient,
        headers: dict[str, str],
    ) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            named = {name: value.format(number) for name, value in headers.items()}
            before = await harness.count_queued()
            with cut(proxy, number):
                response = await client.post("/runs", json={"workflow": TWO_TASKS}, headers=named)
            assert response.status_code == 202, response.text
            assert await harness.count_queued() == before + 1
            if named:
                repeated = await client.post("/runs", json={"workflow": TWO_TASKS}, headers=named)
                assert repeated.json() == response.json()
            run_id: str = response.json()["runId"]
            return run_id

        await compare_every_cut(harness, proxy, run, commits=1)

    async def test_deletion(self, harness: RunHarness, proxy: CommitProxy, client: httpx.AsyncClient) -> None:
        run_id = await create_failed_run(harness)
        with cut(proxy, 1):
            response = await client.delete(f"/runs/{run_id}")

        assert response.is_success
        assert (await client.get(f"/runs/{run_id}")).status_code == 404

    async def test_objects_with_names(self, proxy: CommitProxy, client: httpx.AsyncClient) -> None:
        """A repeated creation would be told that the name is taken."""
        provider = {"name": "P", "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
        with cut(proxy, 1):
            created = await client.post("/providers", json={"provider": provider})
        with cut(proxy, 1):
            saved = await client.post("/workflows", json={"yaml": TWO_TASKS})

        assert (created.status_code, saved.status_code) == (201, 201), (created.text, saved.text)

    async def test_commit_that_failed_is_answered_503(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id, approval_id = await request_approval(harness)
        monkeypatch.setattr(AsyncSession, "commit", _break_connection)

        response = await client.post(f"/approvals/{approval_id}/resolve", json={"action": "approve"})

        monkeypatch.undo()
        assert response.status_code == 503
        assert (await harness.get_run(run_id)).state == "waiting"


async def _break_connection(session: AsyncSession) -> None:
    """The connection breaks before the database receives the commit."""
    await (await session.connection()).exec_driver_sql("ROLLBACK")
    raise OperationalError("COMMIT", None, Exception("the connection is closed"))


class TestEveryCommitOfASweep:
    async def test_lost_runs(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            run_id = await harness.create_running()
            harness.queue.lose(run_id, 1)
            with cut(proxy, number):
                await PeriodicTasks(harness.container).settle_lost_runs()
            return run_id

        await compare_every_cut(harness, proxy, run, commits=1)

    async def test_overdue_approvals(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async def run(proxy: CommitProxy, number: int | None) -> str:
            run_id, _ = await request_approval(harness, timedelta(0))
            with cut(proxy, number):
                await PeriodicTasks(harness.container).expire_approvals()
            return run_id

        await compare_every_cut(harness, proxy, run, commits=1)

    async def test_retention(self, harness: RunHarness, proxy: CommitProxy) -> None:
        for number in (1, 2, 3):
            for _ in range(3):
                await create_finished_run(harness, DAYS + 1)
            retention = RunRetention(
                RunDeletionService(harness.container.sessions, harness.container.queue),
                RetentionPeriods(DAYS, 0),
            )
            with cut(proxy, number):
                counts = await retention.delete_expired()
            assert counts.runs == 3

    async def test_expired_sessions_and_keys(self, harness: RunHarness, proxy: CommitProxy) -> None:
        async with harness.session() as session:
            session.add(
                IdempotencyRow(
                    workspace_id=OWNER.workspace_id,
                    key="k",
                    route="runs",
                    body_hash="x",
                    created_at=now() - 2 * RETENTION,
                )
            )
        with cut(proxy, 1):
            await PeriodicTasks(harness.container).delete_expired_keys()

        assert proxy.commits >= 1


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
