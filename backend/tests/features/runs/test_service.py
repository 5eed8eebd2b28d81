"""Stored runs: creating, listing, filtering, summing usage and comparing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import encode_cursor
from crewai_runner.db.session import read_session
from crewai_runner.domain.run import RunFailure, RunResult, TaskResult, TaskState
from crewai_runner.domain.run_event_payloads import TaskFailedData
from crewai_runner.domain.run_events import RunEvent, TaskFailed
from crewai_runner.domain.usage import Usage
from crewai_runner.features.runs.errors import ArtifactNotFound, RunNotFound
from crewai_runner.features.runs.schemas import RunUsage
from crewai_runner.features.runs.service import NewRun, RunFilter, RunService
from tests.support.builders import call, completed, definition, failed_call, started
from tests.support.harness import RunHarness
from tests.support.principals import OWNER, STRANGER

NO_FILTER = RunFilter()


async def list_ids(harness: RunHarness, run_filter: RunFilter) -> list[str]:
    async with read_session(harness.container.sessions) as session:
        return [run.id for run in (await RunService(session).list_page(OWNER, run_filter, 50, None)).runs]


async def create_with_metadata(harness: RunHarness, **metadata: object) -> str:
    return await harness.create(NewRun(definition(), {}, metadata=metadata))


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


class TestListPage:
    async def test_pages_are_consecutive_newest_first(self, harness: RunHarness) -> None:
        made = {await harness.create() for _ in range(5)}
        seen: list[str] = []
        cursor = None

        async with read_session(harness.container.sessions) as session:
            for _ in range(3):
                page = await RunService(session).list_page(OWNER, NO_FILTER, 2, cursor)
                seen += [run.id for run in page.runs]
                cursor = page.next_cursor

        assert cursor is None
        assert seen == sorted(made, reverse=True)

    @pytest.mark.parametrize(
        "cursor", ["x", encode_cursor("\x00"), encode_cursor(1), encode_cursor("mdl_1"), ""]
    )
    async def test_invalid_cursor_is_rejected(self, harness: RunHarness, cursor: str) -> None:
        async with read_session(harness.container.sessions) as session:
            with pytest.raises(BadRequest):
                await RunService(session).list_page(OWNER, NO_FILTER, 2, cursor)


class TestFilters:
    async def test_by_state(self, harness: RunHarness) -> None:
        queued, running = await harness.create(), await harness.create_running()

        assert await list_ids(harness, RunFilter(states=["queued"])) == [queued]
        assert set(await list_ids(harness, RunFilter(states=["queued", "running"]))) == {queued, running}
        assert await list_ids(harness, RunFilter(states=["failed"])) == []

    async def test_by_workflow(self, harness: RunHarness) -> None:
        mine = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))
        await harness.create(NewRun(definition(), {}, workflow_id="wf_2"))

        assert await list_ids(harness, RunFilter(workflow_id="wf_1")) == [mine]

    @pytest.mark.parametrize(
        ("name", "text", "hit"),
        [
            ("Tea 100% green", "100% g", True),
            ("Tea 1000 green", "100%", False),
            ("tea_brief", "tea_b", True),
            ("teaXbrief", "tea_b", False),
            ("back\\slash", "k\\s", True),
            ("Morning Brief", "mORNING", True),
        ],
    )
    async def test_by_part_of_the_name_without_wildcards(
        self, harness: RunHarness, name: str, text: str, hit: bool
    ) -> None:
        run_id = await harness.create(NewRun(definition(name), {}))

        assert await list_ids(harness, RunFilter(text=text)) == ([run_id] if hit else [])

    async def test_by_part_of_the_id(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        await harness.create()

        assert await list_ids(harness, RunFilter(text=run_id[-12:])) == [run_id]

    async def test_by_time_from_inclusive_to_exclusive(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        moment = (await harness.get_run(run_id)).created_at
        later = moment + timedelta(milliseconds=1)

        assert await list_ids(harness, RunFilter(since=moment, until=later)) == [run_id]
        assert await list_ids(harness, RunFilter(until=moment)) == []
        assert await list_ids(harness, RunFilter(since=later)) == []

    @pytest.mark.parametrize(
        ("stored", "text"),
        [("blue", "blue"), (3, "3"), (True, "true"), (False, "false"), (1.5, "1.5"), ("", "")],
    )
    async def test_by_metadata_as_text(self, harness: RunHarness, stored: object, text: str) -> None:
        run_id = await create_with_metadata(harness, colour=stored)
        await create_with_metadata(harness, colour="other", shade=stored)
        await create_with_metadata(harness)

        assert await list_ids(harness, RunFilter(metadata={"colour": text})) == [run_id]

    @pytest.mark.parametrize("key", ["a.b", 'quo"te', "$", "0", "sp ace", "a'b", "ключ", "[0]", "%s"])
    async def test_by_metadata_under_any_key(self, harness: RunHarness, key: str) -> None:
        run_id = await create_with_metadata(harness, **{key: "v"})
        await create_with_metadata(harness, a={"b": "v"})

        assert await list_ids(harness, RunFilter(metadata={key: "v"})) == [run_id]

    async def test_all_metadata_must_match_and_null_matches_nothing(self, harness: RunHarness) -> None:
        both = await create_with_metadata(harness, a="1", b="2")
        await create_with_metadata(harness, a="1", b=None)

        assert await list_ids(harness, RunFilter(metadata={"a": "1", "b": "2"})) == [both]
        assert await list_ids(harness, RunFilter(metadata={"b": ""})) == []


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
            await RunService(session).reset_tasks(run_id)
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
            assert (await RunService(session).list_page(STRANGER, NO_FILTER, 50, None)).runs == []

    async def test_resolves_a_workflow_id_to_its_newest_run(self, harness: RunHarness) -> None:
        await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))
        second = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))
        newest = max(await list_ids(harness, RunFilter(workflow_id="wf_1")))

        async with read_session(harness.container.sessions) as session:
            runs = RunService(session)
            assert await runs.resolve(OWNER, "wf_1") == newest
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
                await RunService(session).save_artifact(run_id, "report", "out/report.md", output)

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
