"""Start, retry, resume, fork and status of runs."""

import contextlib

import pytest

from crewai_runner.core.setting_choices import Role
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import IllegalTransition, TaskResult, WaitReason
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.executions.errors import (
    DefinitionInvalid,
    NoModel,
    ProviderConfigNotHere,
    TaskUnknown,
)
from crewai_runner.features.executions.schemas import ForkBody, ResumeBody, RetryBody, RunStart
from crewai_runner.features.executions.service import ExecutionService, RunReader
from crewai_runner.features.executions.spec_builder import RunSpecBuilder
from crewai_runner.features.runs.errors import InputsInvalid, RunNotFound, RunNotResumable
from crewai_runner.features.runs.schemas import RunRead
from crewai_runner.features.runs.service import NewRun, RunService
from tests.domain.test_schema_expansion import doubling
from tests.support.builders import FAILURE, completed, definition, task
from tests.support.harness import RunHarness, request_approval
from tests.support.principals import OWNER, STRANGER
from tests.support.server_process import TWO_TASKS


async def start(harness: RunHarness, **request: object) -> str:
    async with harness.session() as session:
        body = RunStart.model_validate({"workflow": TWO_TASKS} | request)
        return (await ExecutionService(session, harness.deps).start(OWNER, body)).run_id


async def resume(harness: RunHarness, run_id: str, budget: Budget | None = None) -> RunRead:
    async with harness.session() as session:
        return await ExecutionService(session, harness.deps).resume(OWNER, run_id, ResumeBody(budget=budget))


async def create_failed_run(harness: RunHarness, workflow: WorkflowDefinition | None = None) -> str:
    """Create a run that failed after its first task."""
    run_id = await harness.create_running(
        NewRun(workflow or definition(), {"topic": "tea"}, metadata={"a": 1})
    )
    harness.container.event_writer.open_sink(run_id, 1, lambda: None)(completed("research", "Known."))
    await harness.container.event_writer.flush()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
    return run_id


class TestStart:
    async def test_queues_the_run_with_default_inputs(self, harness: RunHarness) -> None:
        run_id = await start(harness, metadata={"who": "me"})

        row = await harness.get_run(run_id)
        assert (row.state, row.inputs, row.extra) == ("queued", {"topic": "tea"}, {"who": "me"})
        assert await harness.count_queued() == 1
        assert await harness.event_types(run_id) == ["run.queued"]

    @pytest.mark.parametrize(
        ("request_body", "error"),
        [
            ({"workflow": None}, DefinitionInvalid),
            ({"workflowId": "wf_1"}, DefinitionInvalid),
            ({"workflow": "name: x"}, DefinitionInvalid),
            ({"inputs": {"topic": 3}}, InputsInvalid),
            ({"inputs": {"tpoic": "x"}}, InputsInvalid),
        ],
    )
    async def test_invalid_request_is_rejected_and_nothing_is_queued(
        self, harness: RunHarness, request_body: dict[str, object], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            await start(harness, **request_body)

        assert await harness.count_queued() == 0

    async def test_error_without_a_model_says_what_to_do(self, harness: RunHarness) -> None:
        async with harness.session() as session:
            await session.delete(await session.get_one(ModelRow, "mdl_1"))

        with pytest.raises(NoModel, match="Register one"):
            await start(harness)

    @pytest.mark.parametrize("role", [Role.API, Role.ALL])
    async def test_inline_provider_is_accepted_only_where_runs_execute(
        self, harness: RunHarness, role: Role
    ) -> None:
        harness.container.settings.role = role
        inline = {"name": "mine", "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
        request = {"providerConfig": inline | {"apiKey": "sk-of-one-run-42", "models": ["m"]}}
        failed = await create_failed_run(harness)
        before = await harness.count_queued()
        expectation = (
            contextlib.nullcontext()
            if role is Role.ALL
            else pytest.raises(ProviderConfigNotHere, match="Register")
        )

        with expectation:
            await start(harness, **request)
        for verb, body in (
            ("retry", RetryBody(**request)),
            ("fork", ForkBody(from_task="report", **request)),
        ):
            async with harness.session() as session:
                with expectation:
                    await getattr(ExecutionService(session, harness.deps), verb)(OWNER, failed, body)

        assert await harness.count_queued() == before + (3 if role is Role.ALL else 0)


class TestRetry:
    async def test_creates_a_new_run_with_the_same_inputs(self, harness: RunHarness) -> None:
        old = await create_failed_run(harness)

        async with harness.session() as session:
            new = (await ExecutionService(session, harness.deps).retry(OWNER, old, RetryBody())).run

        assert (new.status, new.forked_from, new.inputs, new.metadata) == (
            "queued",
            old,
            {"topic": "tea"},
            {"a": 1},
        )
        assert {task.result for task in (await harness.tasks(new.id)).values()} == {None}
        assert (await harness.get_run(old)).state == "failed"

    async def test_stored_schema_that_is_too_large_is_rejected(self, harness: RunHarness) -> None:
        bomb = definition(tasks=[task("research", "researcher", output_json=doubling(16))])
        old = await harness.create(NewRun(bomb, {}))

        async with harness.session() as session:
            with pytest.raises(DefinitionInvalid, match="more than 600 values") as raised:
                await ExecutionService(session, harness.deps).retry(OWNER, old, RetryBody())

        assert raised.value.extra["errors"][0]["pointer"] == "/workflow/tasks/research/output_json"

    async def test_saved_schema_that_is_too_large_is_rejected(self, harness: RunHarness) -> None:
        bomb = definition(tasks=[task("research", "researcher", output_json=doubling(16))])
        async with harness.session() as session:
            session.add(WorkflowRow(id="wf_old", workspace_id=OWNER.workspace_id, name="Old"))
            await session.flush()
            stored = bomb.model_dump(mode="json", by_alias=False)
            session.add(
                WorkflowVersionRow(workflow_id="wf_old", number=1, yaml="", definition=stored, created_by="o")
            )

        with pytest.raises(DefinitionInvalid, match="more than 600 values"):
            await start(harness, workflow=None, workflowId="wf_old")


class TestResume:
    async def test_keeps_finished_tasks(self, harness: RunHarness) -> None:
        run_id = await create_failed_run(harness)

        run = await resume(harness, run_id)

        assert (run.status, run.attempt, run.error) == ("queued", 2, None)
        known = (await harness.tasks(run_id))["research"].result
        assert known is not None
        assert known.raw == "Known."

    async def test_resets_the_time_limit_but_not_the_budget(self, harness: RunHarness) -> None:
        run_id = await create_failed_run(harness)
        async with harness.transaction(run_id) as (run, _):
            run.active_seconds = 7.0

        await resume(harness, run_id)

        spec = (await RunSpecBuilder(harness.deps).build(run_id, 2)).spec
        assert (spec.timeout_seconds_used, spec.budget_seconds_used) == (0.0, 7.0)

    async def test_raised_budget_keeps_the_other_limits(self, harness: RunHarness) -> None:
        run_id = await harness.create_running(
            NewRun(definition(), {}, budget=Budget(max_tokens=5, max_llm_calls=1))
        )
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.wait(run, WaitReason.BUDGET)

        run_read = await resume(harness, run_id, Budget(max_llm_calls=9))

        assert (run_read.status, run_read.budget) == ("queued", Budget(max_tokens=5, max_llm_calls=9))
        assert (await harness.get_run(run_id)).budget_raised

    @pytest.mark.parametrize("state", ["queued", "running", "waiting"])
    async def test_unfinished_run_is_rejected(self, harness: RunHarness, state: str) -> None:
        run_id = await (harness.create() if state == "queued" else harness.create_running())
        if state == "waiting":
            await request_approval(harness, run_id=run_id)

        with pytest.raises(RunNotResumable):
            await resume(harness, run_id)

        assert (await harness.get_run(run_id)).attempt == 1

    async def test_second_resume_is_rejected(self, harness: RunHarness) -> None:
        run_id = await create_failed_run(harness)
        await resume(harness, run_id)

        with pytest.raises((RunNotResumable, IllegalTransition)):
            await resume(harness, run_id)

        assert (await harness.get_run(run_id)).attempt == 2


class TestFork:
    async def test_has_the_files_of_reused_tasks(self, harness: RunHarness) -> None:
        tasks = [task("research", "researcher", output_file="out/a.md"), task("report")]
        old = await create_failed_run(harness, definition(tasks=tasks))

        async with harness.session() as session:
            service = ExecutionService(session, harness.deps)
            fork = (await service.fork(OWNER, old, ForkBody(from_task="report"))).run

        async with harness.session() as session:
            assert (await RunService(session).get_artifact(fork.id, "out/a.md")).content == b"Known."
        assert await harness.event_types(fork.id) == ["run.queued", "artifact.saved"]

    async def test_reuses_the_results_before_the_task(self, harness: RunHarness) -> None:
        old = await create_failed_run(harness)

        async with harness.session() as session:
            service = ExecutionService(session, harness.deps)
            late = (await service.fork(OWNER, old, ForkBody(from_task="report"))).run
            early = (await service.fork(OWNER, old, ForkBody(from_task="research"))).run

        assert (await harness.tasks(late.id))["research"].result == TaskResult(raw="Known.")
        assert (await harness.tasks(early.id))["research"].result is None
        async with harness.session() as session:
            with pytest.raises(TaskUnknown, match="research, report"):
                await ExecutionService(session, harness.deps).fork(OWNER, old, ForkBody(from_task="x"))


class TestAccess:
    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        run_id = await create_failed_run(harness)

        async with harness.session() as session:
            service = ExecutionService(session, harness.deps)
            for call in (
                service.retry(STRANGER, run_id, RetryBody()),
                service.resume(STRANGER, run_id, ResumeBody()),
                service.fork(STRANGER, run_id, ForkBody(from_task="report")),
                service.status(STRANGER, run_id),
                RunReader(harness.container.reader, harness.container).get(STRANGER, run_id),
            ):
                with pytest.raises(RunNotFound):
                    await call


class TestStatus:
    async def test_reports_progress_and_agent_states(self, harness: RunHarness) -> None:
        run_id = await create_failed_run(harness)

        async with harness.session() as session:
            status = await ExecutionService(session, harness.deps).status(OWNER, run_id)

        assert (status.status, status.progress, status.current_task) == ("failed", 50, None)
        assert [(agent.name, agent.status) for agent in status.agents] == [
            ("researcher", "completed"),
            ("writer", "idle"),
        ]
        assert status.error == FAILURE
