"""The quotas of a workspace hold when runs start and while they go on, in every process."""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text, update

from crewai_runner.core.clock import now
from crewai_runner.core.errors import TooManyRequests
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceQuotaRow
from crewai_runner.domain.run import RunFailure, RunResult, RunState
from crewai_runner.domain.workspace_quota import SPENDING_EXCEEDED, QuotaLimits
from crewai_runner.executor.port import Completed, Failed, Outcome, RunControl, RunSpec
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.workspaces import quota as quota_module
from tests.support.builders import call, started
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE, RunHarness, open_harness
from tests.support.principals import OWNER, STRANGER
from tests.support.server_process import TWO_TASKS

pytestmark = pytest.mark.each_database

BODY = {"workflow": TWO_TASKS}
DOLLAR = {"amount": "1", "currency": "USD"}


async def set_quotas(harness: RunHarness, **limits: Any) -> None:
    async with harness.session() as session:
        by_owner = QuotaLimits.model_validate(limits).model_dump(mode="json", exclude_none=True)
        row = WorkspaceQuotaRow(workspace_id=BUILTIN_WORKSPACE, by_owner=by_owner, by_administrator={})
        await session.merge(row)


async def start_many(client: httpx.AsyncClient, count: int) -> list[httpx.Response]:
    """Start runs at once, every second one with an idempotency key, which takes another way."""
    keys = [{"Idempotency-Key": f"key-{number}"} if number % 2 else {} for number in range(count)]
    return await asyncio.gather(*(client.post("/runs", json=BODY, headers=key) for key in keys))


def problem(response: httpx.Response) -> tuple[Any, ...]:
    found = response.json()
    slug = found["type"].rpartition("/")[2]
    return slug, found["quota"], found["limitValue"], found["currentValue"], found["resetsAt"]


class SpendsUntilRefused(ScriptedExecutor):
    """Makes model calls of 0.5 USD each until one is refused, or `calls` are made."""

    def __init__(self, calls: int = 100) -> None:
        super().__init__()
        self.calls = calls
        self.made = 0

    async def execute(self, spec: RunSpec, sink: Any, control: RunControl) -> Outcome:
        sink(started("research"))
        for _ in range(self.calls):
            if control.limits_spending:
                await control.wait_until_stored()
            if control.refusal is not None:
                return Failed(control.refusal)
            self.made += 1
            sink(call(cost="0.5"))
        return Completed(RunResult(raw="done"))


class TestRunsAtOnce:
    @pytest.mark.parametrize("quota", ["runs_at_once", "runs_per_day"])
    async def test_starts_at_the_same_time_stay_within_it(
        self, harness: RunHarness, client: httpx.AsyncClient, quota: str
    ) -> None:
        await set_quotas(harness, **{quota: 3})

        responses = await start_many(client, 12)

        assert sorted(response.status_code for response in responses) == [202] * 3 + [429] * 9

    @ON_POSTGRESQL
    @pytest.mark.parametrize("quota", ["runs_at_once", "runs_per_day"])
    async def test_two_processes_share_it(
        self, harness: RunHarness, database_url: str, tmp_path: Path, quota: str
    ) -> None:
        await set_quotas(harness, **{quota: 3})

        async def start(process: RunHarness) -> int:
            with contextlib.suppress(TooManyRequests):
                async with process.session() as session:
                    request = RunStart.model_validate(BODY)
                    await ExecutionService(session, process.deps).start(OWNER, request)
                    return 1
            return 0

        async with open_harness(database_url, tmp_path / "other", seed_models=False) as other:
            started_runs = await asyncio.gather(*(start(one) for one in (harness, other) * 8))

        assert sum(started_runs) == 3

    @ON_SQLITE
    async def test_says_which_quota_and_makes_room_when_a_run_ends(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await set_quotas(harness, runs_at_once=1)
        running = await harness.create_running()

        refused = await client.post("/runs", json=BODY)
        report = (await client.post("/runs/preflight", json=BODY)).json()
        async with harness.transaction(running) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="x", message="no"))
        accepted = await client.post("/runs", json=BODY)

        assert problem(refused) == ("workspace-quota-reached", "runsAtOnce", 1, 1, None)
        assert "1 runs that have not ended" in refused.json()["detail"]
        assert [found["code"] for found in report["problems"]] == ["workspace-quota-reached"]
        assert accepted.status_code == 202

    @ON_SQLITE
    async def test_a_finished_run_needs_room_to_continue(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        ended = await harness.create_running()
        async with harness.transaction(ended) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="x", message="no"))
        await set_quotas(harness, runs_at_once=1, runs_per_day=1)
        running = await harness.create_running()

        refused = await client.post(f"/runs/{ended}/resume", json={})
        async with harness.transaction(running) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="x", message="no"))
        accepted = await client.post(f"/runs/{ended}/resume", json={})

        assert (refused.status_code, accepted.status_code) == (429, 202)

    @ON_SQLITE
    async def test_without_a_quota_nothing_more_is_executed(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await client.post("/runs", json=BODY)
        statements: list[str] = []
        for engine in (harness.container.engine.sync_engine, harness.container.writer.engine):
            event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

        run_id = (await client.post("/runs", json=BODY)).json()["runId"]
        harness.executor = SpendsUntilRefused(calls=3)
        await harness.execute(run_id, 1)

        assert statements
        assert not [one for one in statements if "workspace_quotas" in one or "workspace_usage" in one]


@ON_SQLITE
class TestRunsPerDay:
    async def test_runs_that_were_started_or_deleted_before_count(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        old, *recent = [await harness.create() for _ in range(3)]
        async with harness.session() as session:
            yesterday = now() - timedelta(days=1)
            await session.execute(update(RunRow).where(RunRow.id == old).values(created_at=yesterday))
        await set_quotas(harness, runs_per_day=3)

        assert (await client.post("/runs", json=BODY)).status_code == 202
        async with harness.session() as session:
            await session.execute(text("DELETE FROM runs WHERE id = :id"), {"id": recent[0]})
        refused = await client.post("/runs", json=BODY)

        slug, quota, limit, used, resets_at = problem(refused)
        assert (slug, quota, limit, used) == ("workspace-quota-reached", "runsPerDay", 3, 3)
        assert resets_at == f"{now() + timedelta(days=1):%Y-%m-%d}T00:00:00Z"
        assert 0 < int(refused.headers["Retry-After"]) <= 86_400

    async def test_a_refused_start_does_not_count(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await set_quotas(harness, runs_per_day=1)

        responses = [await client.post("/runs", json=BODY) for _ in range(3)]
        await set_quotas(harness, runs_per_day=2)
        later = await client.post("/runs", json=BODY)

        assert [response.status_code for response in responses] == [202, 429, 429]
        assert later.status_code == 202


class TestSpendPerMonth:
    async def test_stops_the_next_call_of_every_run(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await set_quotas(harness, spend_per_month=DOLLAR)
        spender, other = await harness.create(), await harness.create()
        harness.executor = executor = SpendsUntilRefused()

        await harness.execute(spender, 1)
        await harness.execute(other, 1)
        refused = await client.post("/runs", json=BODY)
        resumed = await client.post(f"/runs/{spender}/resume", json={})

        assert executor.made == 2
        for run_id in (spender, other):
            run = await harness.get_run(run_id)
            assert (run.state, run.error and run.error["code"]) == (RunState.FAILED, SPENDING_EXCEEDED)
            assert run.error is not None
            assert "limit of 1 USD" in run.error["message"]
        assert problem(refused)[:4] == (SPENDING_EXCEEDED, "spendPerMonth", "1", "1")
        assert (refused.json()["currency"], resumed.status_code) == ("USD", 429)

    async def test_a_run_continues_when_the_limit_is_raised(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await set_quotas(harness, spend_per_month=DOLLAR)
        harness.executor = SpendsUntilRefused(calls=3)
        run_id = await harness.create()
        await harness.execute(run_id, 1)

        await set_quotas(harness, spend_per_month={"amount": "9"})
        resumed = await client.post(f"/runs/{run_id}/resume", json={})
        await harness.execute(run_id, 2)

        assert resumed.status_code == 202
        assert (await harness.get_run(run_id)).state == RunState.COMPLETED

    @ON_SQLITE
    async def test_what_was_spent_before_counts_and_other_currencies_do_not(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        harness.executor = SpendsUntilRefused(calls=2)
        await harness.execute(await harness.create(), 1)
        await set_quotas(harness, spend_per_month={"amount": "1", "currency": "EUR"})
        assert (await client.post("/runs", json=BODY)).status_code == 202
        await set_quotas(harness, spend_per_month=DOLLAR)

        refused = await client.post("/runs", json=BODY)
        use = (await client.get("/workspace/quotas")).json()["use"]

        assert refused.status_code == 429
        assert use["spentThisMonth"] == [{"amount": "1", "currency": "USD"}]

    @ON_SQLITE
    async def test_events_that_are_stored_again_are_counted_once(self, harness: RunHarness) -> None:
        """A retry after a commit whose answer was lost stores and counts nothing."""
        await set_quotas(harness, spend_per_month={"amount": "9"})
        run_id = await harness.create_running()
        writer = harness.container.event_writer
        emit = writer.open_sink(run_id, 1, lambda: None, workspace_id=BUILTIN_WORKSPACE)
        original, batches = writer._write, []

        async def write_twice(given: Any) -> Any:
            batches.append(given)
            await original(given)
            return await original(given)

        writer._write = write_twice  # type: ignore[method-assign]
        emit(call(cost="0.5"))
        await writer.flush()

        async with harness.session() as session:
            amounts = list(await session.scalars(text("SELECT amount FROM workspace_usage")))
        assert batches
        assert [float(amount) for amount in amounts] == [0.5]


@ON_SQLITE
class TestStorageAndRetention:
    @pytest.fixture(autouse=True)
    def _count_at_each_refusal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(quota_module, "MIN_COUNT_SECONDS", 0.0)

    async def test_storage(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        harness.executor = ScriptedExecutor(Script(outcome=Completed(RunResult(raw="x" * 200_000))))
        run_id = await harness.create()
        await harness.execute(run_id, 1)
        await set_quotas(harness, stored_mb=0.1)

        refused = await client.post("/runs", json=BODY)

        assert refused.status_code == 507
        assert problem(refused)[:3] == ("workspace-storage-quota-reached", "storedMb", 0.1)

    async def test_runs_are_deleted_after_the_days_of_their_workspace(self, harness: RunHarness) -> None:
        own, foreign = await harness.create(), await harness.create(principal=STRANGER)
        for run_id in (own, foreign):
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.begin(run, "scripted 1", native=True)
                await lifecycle.fail(run, RunFailure(code="x", message="no"))
                run.finished_at = now() - timedelta(days=8)
        await set_quotas(harness, kept_days=7)

        counts = await harness.container.retention.delete_expired()

        assert counts.runs == 1
        assert (await harness.get_run(foreign)).state == RunState.FAILED
