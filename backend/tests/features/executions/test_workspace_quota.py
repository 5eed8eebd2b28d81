"""A workspace that stores too much or has too many runs starts no further ones; those it has continue."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session
from crewai_runner.domain.run import RunFailure, RunResult, RunState, TaskResult
from crewai_runner.domain.run_event_payloads import TaskCompletedData
from crewai_runner.domain.run_events import TaskReused
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Completed, Failed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.runs.deletion import RunDeletionService
from crewai_runner.features.runs.service import NewRun
from crewai_runner.features.workspaces import quota as quota_module
from crewai_runner.features.workspaces.repository import WorkspaceUsageRepository
from tests.support.builders import FAILURE, call, completed, definition, started, task
from tests.support.harness import HOUR, ON_SQLITE, RunHarness, request_approval
from tests.support.principals import OWNER, STRANGER
from tests.support.server_process import TWO_TASKS

pytestmark = pytest.mark.each_database

BODY = {"workflow": TWO_TASKS}
LARGE = "x" * 200_000
RESULT = RunResult(raw=LARGE, tasks={"research": TaskResult(raw=LARGE)})
FILES = definition(tasks=[task("research", "researcher", output_file="out/täa.md"), task("report")])


@pytest.fixture(autouse=True)
def _count_at_each_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_module, "MIN_COUNT_SECONDS", 0.0)


async def complete_run(harness: RunHarness, result: RunResult = RESULT) -> str:
    output = result.tasks["research"].raw
    events = [started("research", "researcher"), call(), completed("research", output, "researcher")]
    harness.executor = ScriptedExecutor(Script(events, Completed(result)))
    run_id = await harness.create(NewRun(FILES, {"topic": "tea"}))
    await harness.execute(run_id, 1)
    assert (await harness.get_run(run_id)).state == RunState.COMPLETED
    return run_id


async def fail_run(harness: RunHarness) -> str:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, RunFailure(code="x", message="no"))
    return run_id


@pytest.mark.harness(workspace_max_stored_mb=0.5)
@ON_SQLITE
class TestStorage:
    async def test_full_workspace_starts_no_run(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        run_id = await complete_run(harness)

        requests = [
            ("/runs", BODY),
            (f"/runs/{run_id}/retry", {}),
            (f"/runs/{run_id}/fork", {"fromTask": "report"}),
        ]
        responses = [await client.post(path, json=body) for path, body in requests]

        assert [response.status_code for response in responses] == [507] * 3
        problem = responses[0].json()
        assert problem["type"].endswith("/workspace-storage-full")
        assert problem["limit"] == "WORKSPACE_MAX_STORED_MB"
        assert problem["currentValue"] > problem["limitValue"] == 0.5
        for name in (
            "WORKSPACE_MAX_STORED_MB",
            "RUNS_KEPT_DAYS",
            "EVENTS_KEPT_DAYS",
            "crewai-runner compact",
        ):
            assert name in problem["detail"]

    async def test_deleting_runs_makes_room_at_once(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await complete_run(harness)
        assert (await client.post("/runs", json=BODY)).status_code == 507

        await client.delete(f"/runs/{run_id}")

        assert (await client.post("/runs", json=BODY)).status_code == 202

    async def test_runs_that_exist_continue(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        failed, (waiting, approval_id) = await fail_run(harness), await request_approval(harness)
        await complete_run(harness)

        resumed = await client.post(f"/runs/{failed}/resume", json={})
        async with harness.approvals() as approvals:
            await approvals.resolve(OWNER, approval_id, ApprovalResolve(action="approve"))

        assert resumed.status_code == 202
        assert (await harness.get_run(waiting)).state == RunState.QUEUED

    async def test_preflight_reports_it(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        await complete_run(harness)

        report = (await client.post("/runs/preflight", json=BODY)).json()

        assert (report["ready"], [found["code"] for found in report["problems"]]) == (
            False,
            ["workspace-storage-full"],
        )

    async def test_other_workspaces_are_not_affected(self, harness: RunHarness) -> None:
        await complete_run(harness)
        quota = harness.container.workspace_quota

        await quota.check_storage(STRANGER)

        with pytest.raises(quota_module.WorkspaceStorageFull):
            await quota.check_storage(OWNER)

    async def test_start_with_room_counts_nothing(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await client.post("/runs", json=BODY)
        statements: list[str] = []
        for engine in (harness.container.engine.sync_engine, harness.container.writer.engine):
            event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

        await client.post("/runs", json=BODY)

        assert statements
        assert not [statement for statement in statements if "sum(" in statement]


class TestStoredBytes:
    async def test_are_those_of_all_rows(self, harness: RunHarness) -> None:
        """The running count agrees with what the migration counts from the rows."""
        output = "Tea. " * 5_000
        await complete_run(harness, RunResult(raw=output, tasks={"research": TaskResult(raw=output)}))
        _, approval_id = await request_approval(harness)
        async with harness.approvals() as approvals:
            await approvals.resolve(OWNER, approval_id, ApprovalResolve(action="approve", edited=output))

        await check_stored_bytes(harness)

    @pytest.mark.parametrize("policy", [OnWorkerLoss.RESUME, OnWorkerLoss.RESTART])
    async def test_count_what_was_replaced_once(self, harness: RunHarness, policy: OnWorkerLoss) -> None:
        """A lost attempt, one that fails, one that repeats a finished task, and a fork."""
        output = "Tea. " * 5_000
        new = NewRun(FILES.model_copy(update={"on_worker_loss": policy}), {"topic": "tea"})
        first = [started("research"), completed("research", output)]
        reused = TaskReused(task_key="research", data=TaskCompletedData(raw=output))
        again = [reused] if policy is OnWorkerLoss.RESUME else first
        last = [started("report"), completed("report", output)]
        harness.executor = ScriptedExecutor(
            Script([*again, *last], Failed(FAILURE)),
            Script([reused, *last], Completed(RunResult(raw="Tea."))),
        )
        run_id = await harness.create_running(new)
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None, files=FILES.output_files())
        for one in first:
            sink(one)
        await harness.container.event_writer.flush()

        await harness.execute(run_id, 1)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")
        await harness.execute(run_id, 2)
        fork = await harness.create(replace(new, reused={"research": TaskResult(raw=output)}))
        await harness.execute(fork, 1)

        assert (await harness.get_run(run_id)).state == (await harness.get_run(fork)).state == "completed"
        await check_stored_bytes(harness)

    async def test_shrink_with_deleted_events(self, harness: RunHarness) -> None:
        run_id = await complete_run(harness)
        before = (await harness.get_run(run_id)).stored_bytes
        frames = sum(len(one.model_dump_json().encode()) for one in await harness.events(run_id))

        deletion = RunDeletionService(harness.container.sessions, harness.container.queue)
        await deletion.delete_events_before(now() + HOUR)

        assert await harness.events(run_id) == []
        assert (await harness.get_run(run_id)).stored_bytes == before - frames

    @ON_SQLITE
    async def test_sum_of_finished_runs_reads_the_index_only(self, harness: RunHarness) -> None:
        await complete_run(harness)
        plans: list[str] = []
        engine = harness.container.engine.sync_engine

        def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if "sum(" in statement and "EXPLAIN" not in statement:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans.append(" ".join(row.detail for row in rows))

        event.listen(engine, "before_cursor_execute", explain)
        async with read_session(harness.container.sessions) as session:
            totals = await WorkspaceUsageRepository(session).sum_by_workspace()

        assert totals.keys() == {OWNER.workspace_id}
        assert "USING COVERING INDEX ix_runs_stored" in plans[0]
        assert re.search("ix_runs_(state|unfinished)", plans[1])


async def check_stored_bytes(harness: RunHarness) -> None:
    """Compare the running count of each run with what its rows store."""
    async with read_session(harness.container.sessions) as session:
        is_sqlite = session.get_bind().dialect.name == "sqlite"
        rows = await session.execute(text(_COUNT.format(**_DIALECTS[is_sqlite])))
        for name, counted, stored in rows:
            assert counted == pytest.approx(stored, rel=0.05), name


_DIALECTS = {True: {"size": "length", "text": "BLOB"}, False: {"size": "octet_length", "text": "TEXT"}}
_COUNT = """
SELECT runs.id, stored_bytes,
  {size}(CAST(definition AS {text})) + {size}(CAST(inputs AS {text})) + {size}(CAST(metadata AS {text}))
  + coalesce({size}(CAST(result AS {text})), 0)
  + (SELECT coalesce(sum({size}(CAST(frame AS {text}))), 0) FROM run_events WHERE run_id = runs.id)
  + (SELECT coalesce(sum(size), 0) FROM artifacts WHERE run_id = runs.id)
  + (SELECT coalesce(sum({size}(CAST(result AS {text}))), 0) FROM run_tasks WHERE run_id = runs.id)
  + (SELECT coalesce(sum({size}(CAST(output AS {text}))), 0) FROM approvals WHERE run_id = runs.id)
FROM runs
"""


class TestRunCounts:
    @pytest.mark.harness(workspace_max_queued_runs=3)
    async def test_concurrent_starts_stay_within_the_queue(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        responses = await asyncio.gather(*(client.post("/runs", json=BODY) for _ in range(12)))

        accepted = [response for response in responses if response.status_code == 202]
        refused = [response for response in responses if response.status_code == 429]
        assert (len(accepted), len(refused)) == (3, 9)
        assert int(refused[0].headers["Retry-After"]) > 0
        problem = refused[0].json()
        assert problem["type"].endswith("/too-many-runs")
        assert (problem["limit"], problem["limitValue"]) == ("WORKSPACE_MAX_QUEUED_RUNS", 3)
        assert "WORKSPACE_MAX_QUEUED_RUNS" in problem["detail"]

    @pytest.mark.harness(workspace_max_active_runs=2)
    @ON_SQLITE
    async def test_waiting_and_running_runs_count_as_active(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        ended = await fail_run(harness)
        await request_approval(harness)
        running = await harness.create_running()

        refused = [
            await client.post("/runs", json=BODY),
            await client.post("/runs", json=BODY, headers={"Idempotency-Key": "k"}),
            await client.post(f"/runs/{ended}/retry", json={}),
        ]
        report = (await client.post("/runs/preflight", json=BODY)).json()
        async with harness.transaction(running) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="x", message="no"))
        accepted = await client.post("/runs", json=BODY, headers={"Idempotency-Key": "k"})
        repeated = await client.post("/runs", json=BODY, headers={"Idempotency-Key": "k"})

        assert [response.status_code for response in refused] == [429] * 3
        assert [found["code"] for found in report["problems"]] == ["too-many-runs"]
        assert (accepted.status_code, repeated.json()) == (202, accepted.json())
