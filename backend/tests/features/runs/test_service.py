"""Stored runs: creating, listing, filtering, summing usage and comparing."""

from decimal import Decimal

import pytest

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import RunFailure, RunResult, TaskResult, TaskState
from crewai_runner.domain.run_event_payloads import TaskFailedData
from crewai_runner.domain.run_events import RunEvent, TaskFailed
from crewai_runner.domain.usage import Usage
from crewai_runner.features.runs.errors import ArtifactNotFound, RunNotFound
from crewai_runner.features.runs.schemas import RunUsage
from crewai_runner.features.runs.service import NewRun, RunService
from tests.support.builders import call, completed, definition, failed_call, started
from tests.support.harness import RunHarness
from tests.support.principals import OWNER, STRANGER

pytestmark = pytest.mark.each_database


async def emit(harness: RunHarness, run_id: str, *events: RunEvent) -> None:
    sink = harness.container.event_writer.open_sink(
        run_id, (await harness.get_run(run_id)).fencing_token, lambda: None
    )
    for event in events:
        sink(event)
    await harness.container.event_writer.flush()


class TestCreateRun:
    async def test_stores_the_definition_and_one_row_per_task(self, harness: RunHarness) -> None:
        reused = {"research": TaskResult(raw="known", agent="researcher")}

        run_id = await harness.create(
            NewRun(definition(), {"topic": "tea"}, metadata={"a": 1}, reused=reused)
        )

        row, tasks = await harness.get_run(run_id), await harness.tasks(run_id)
        assert (row.state, row.attempt, row.created_by, row.inputs) == (
            "queued",
            1,
            "owner",
            {"topic": "tea"},
        )
        assert list(tasks) == ["research", "report"]
        assert tasks["research"].result == reused["research"]
        assert {task.status for task in tasks.values()} == {TaskState.PENDING}


class TestUsage:
    async def get_usage(self, harness: RunHarness, *events: RunEvent) -> RunUsage:
        run_id = await harness.create_running()
        await emit(harness, run_id, *events)
        async with read_session(harness.container.sessions) as session:
            runs = RunService(session)
            return await runs.get_usage(await runs.get(OWNER, run_id))

    async def test_calls_sum_to_every_total(self, harness: RunHarness) -> None:
        usage = await self.get_usage(
            harness, call(10, "0.25"), call(20, "0.0000001"), call(30, "9.75", key="report", agent="writer")
        )

        assert usage.total.total_tokens == 60 == sum(c.usage.total_tokens or 0 for c in usage.calls)
        assert usage.total.cost is not None
        assert usage.total.cost.amount == Decimal("10.0000001")
        for split in (usage.by_task, usage.by_agent, usage.by_model):
            total = Usage()
            for part in split.values():
                total = total.plus(part)
            assert total == usage.total
        assert usage.by_task["report"].total_tokens == 30
        assert usage.by_agent["researcher"].llm_calls == 2

    async def test_unknown_call_leaves_the_known_total(self, harness: RunHarness) -> None:
        usage = await self.get_usage(harness, call(10, "1"), call(None, None), call(5, "1"))

        assert (usage.total.total_tokens, usage.total.llm_calls) == (15, 3)
        assert usage.total.cost is not None
        assert usage.total.cost.amount == 2
        assert (usage.total.calls_without_usage, usage.total.calls_without_cost) == (1, 1)

    async def test_a_failed_call_is_one_of_the_calls(self, harness: RunHarness) -> None:
        usage = await self.get_usage(harness, failed_call(), call(10, "1"), failed_call())

        assert usage.total.llm_calls == 3 == len(usage.calls)
        assert usage.total.cost is not None
        assert usage.total.cost.amount == 1

    async def test_amounts_are_written_without_an_exponent(self, harness: RunHarness) -> None:
        usage = await self.get_usage(harness, call(10, "100"))

        assert '"amount":"100"' in usage.model_dump_json()


class TestTaskResults:
    async def test_repeated_task_clears_its_earlier_failure(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        failed = TaskFailed(
            task_key="research", data=TaskFailedData(error=RunFailure(code="timeout", message="late"))
        )
        await emit(harness, run_id, started("research"), failed)
        before = (await harness.tasks(run_id))["research"]

        await emit(harness, run_id, started("research"))
        again = (await harness.tasks(run_id))["research"]
        await emit(harness, run_id, completed("research"))
        after = (await harness.tasks(run_id))["research"]

        assert before.error is not None
        assert (again.status, again.error, again.finished_at) == (TaskState.RUNNING, None, None)
        assert (after.status, after.error) == (TaskState.COMPLETED, None)

    async def test_are_kept_until_the_tasks_are_reset(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        await emit(harness, run_id, started("research"), completed("research", "Tea."))

        async with harness.session() as session:
            kept = await RunService(session).get_task_results(run_id)
            await RunService(session).reset_tasks(await session.get_one(RunRow, run_id))
        async with read_session(harness.container.sessions) as session:
            left = await RunService(session).get_task_results(run_id)

        assert {key: result.raw for key, result in kept.items()} == {"research": "Tea."}
        assert left == {}


class TestGetRun:
    @pytest.mark.parametrize(
        "identifier", ["run_nothing", "wf_x", "", "run_\x00", "run_'; --", "run_" + "a" * 500]
    )
    async def test_unknown_id_is_not_found(self, harness: RunHarness, identifier: str) -> None:
        async with read_session(harness.container.sessions) as session:
            with pytest.raises(RunNotFound):
                await RunService(session).get(OWNER, identifier)

    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        run_id = await harness.create()

        async with read_session(harness.container.sessions) as session:
            with pytest.raises(RunNotFound):
                await RunService(session).get(STRANGER, run_id)

    async def test_resolves_a_workflow_id_to_its_newest_run(self, harness: RunHarness) -> None:
        await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))
        second = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))

        async with read_session(harness.container.sessions) as session:
            runs = RunService(session)
            assert await runs.resolve(OWNER, "wf_1") == second
            assert await runs.resolve(OWNER, second) == second
            with pytest.raises(RunNotFound):
                await runs.resolve(STRANGER, "wf_1")


class TestDiff:
    async def test_compares_inputs_definition_and_outputs(self, harness: RunHarness) -> None:
        a = await harness.create(NewRun(definition(), {"topic": "tea", "n": 1}))
        b = await harness.create(NewRun(definition("Coffee"), {"topic": "coffee", "n": 1}))
        for run_id, raw in ((a, "T"), (b, "C")):
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.begin(run, "e", native=True)
                await lifecycle.complete(run, RunResult(raw=raw))

        async with read_session(harness.container.sessions) as session:
            diff = await RunService(session).diff(OWNER, a, b)
            with pytest.raises(RunNotFound):
                await RunService(session).diff(STRANGER, a, b)

        assert [(c.path, c.a, c.b) for c in diff.inputs] == [("/topic", "tea", "coffee")]
        assert [c.path for c in diff.definition] == ["/name"]
        assert [(c.path, c.a, c.b) for c in diff.outputs] == [("/raw", "T", "C")]


class TestArtifacts:
    async def test_saving_again_replaces_and_listing_omits_the_content(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        for output in ("first", "second one"):
            async with harness.session() as session:
                run = await session.get_one(RunRow, run_id)
                await RunService(session).save_artifact(run, "report", "out/report.md", output)

        async with read_session(harness.container.sessions) as session:
            (listed,) = await RunService(session).list_artifacts(run_id)
            artifact = await RunService(session).get_artifact(run_id, "out/report.md")

        assert (listed.name, listed.size) == ("out/report.md", 10)
        assert artifact.content == b"second one"

    @pytest.mark.parametrize("name", ["absent.md", "", "\x00"])
    async def test_unknown_name_is_not_found(self, harness: RunHarness, name: str) -> None:
        run_id = await harness.create_running()

        async with read_session(harness.container.sessions) as session:
            with pytest.raises(ArtifactNotFound):
                await RunService(session).get_artifact(run_id, name)
