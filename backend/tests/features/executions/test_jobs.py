"""One attempt of a run, from the queue to its outcome, whatever becomes of its worker."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from crewai_runner.db.session import read_session
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.run import RunFailure, RunResult, StopMode, TaskResult, TaskState
from crewai_runner.domain.usage import Usage
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome, OutOfBudget, Stopped
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.executions import jobs as jobs_module
from crewai_runner.features.runs.service import NewRun, RunService
from tests.support.builders import FAILURE, call, completed, definition, started, task
from tests.support.harness import ON_SQLITE, RunHarness, open_harness
from tests.support.principals import OWNER

RESULT = RunResult(
    raw="The end.", tasks={"research": TaskResult(raw="R"), "report": TaskResult(raw="The end.")}
)
STORY = [started("research"), call(10), completed("research", "R"), started("report"), completed("report")]
SCRIPTS: dict[str, tuple[Outcome, str, str]] = {
    "completed": (Completed(RESULT), "completed", "run.completed"),
    "failed": (Failed(FAILURE), "failed", "run.failed"),
    "stopped": (Stopped(1, 0, ("tool",)), "stopped", "run.stopped"),
    "needs human": (NeedsHuman("research", "researcher", "P"), "waiting", "run.waiting"),
    "out of budget": (OutOfBudget(BudgetLimit.COST, Usage(), 1.0), "waiting", "run.waiting"),
}


def play(harness: RunHarness, *scripts: Script | Exception) -> ScriptedExecutor:
    executor = ScriptedExecutor(*scripts)
    harness.executor = executor
    return executor


async def lost(harness: RunHarness, policy: OnWorkerLoss = OnWorkerLoss.RESUME) -> str:
    """A run whose worker died after the first task."""
    run_id = await harness.create_running(NewRun(definition(on_worker_loss=policy), {}))
    sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
    for event in STORY[:3]:
        sink(event)
    await harness.container.event_writer.flush()
    return run_id


@pytest.mark.parametrize("name", SCRIPTS)
async def test_each_outcome_has_its_state_and_its_last_event(harness: RunHarness, name: str) -> None:
    outcome, state, event = SCRIPTS[name]
    play(harness, Script([started("research")], outcome))
    run_id = await harness.create()

    await harness.execute(run_id, 1)

    assert (await harness.get_run(run_id)).state == state
    types = await harness.event_types(run_id)
    assert types[:3] == ["run.queued", "run.started", "task.started"]
    assert types[-1] == event


async def test_a_completed_run_has_its_result_usage_and_artifacts(harness: RunHarness) -> None:
    play(harness, Script(STORY, Completed(RESULT)))
    tasks = [task("research", "researcher"), task("report", output_file="report.html")]
    run_id = await harness.create(NewRun(definition(tasks=tasks), {}))

    await harness.execute(run_id, 1)

    row = await harness.get_run(run_id)
    assert row.result is not None
    assert (row.result["raw"], row.total_tokens) == ("The end.", 10)
    async with read_session(harness.container.sessions) as session:
        artifact = await RunService(session).get_artifact(run_id, "report.html")
    assert (artifact.content, artifact.media_type, artifact.task_key) == (b"The end.", "text/plain", "report")
    assert (await harness.event_types(run_id))[-2:] == ["artifact.saved", "run.completed"]


async def test_a_failure_keeps_the_engines_words(harness: RunHarness) -> None:
    play(harness, Script(outcome=Failed(FAILURE)))
    run_id = await harness.create()

    await harness.execute(run_id, 1)

    row = await harness.get_run(run_id)
    assert row.error is not None
    assert RunFailure.model_validate(row.error) == FAILURE


async def test_a_defect_of_the_engine_fails_the_run_and_leaves_nothing_at_work(harness: RunHarness) -> None:
    play(harness, RuntimeError("secret inner words"))
    run_id = await harness.create()

    await harness.execute(run_id, 1)

    row = await harness.get_run(run_id)
    assert row.error is not None
    assert (row.state, row.error["code"]) == ("failed", "internal-error")
    assert "secret inner words" not in str(row.error)
    assert len(harness.container.active_runs) == 0


async def test_an_exhausted_budget_waits_with_its_figures(harness: RunHarness) -> None:
    play(harness, Script(outcome=OutOfBudget(BudgetLimit.TOKENS, Usage(total_tokens=9, llm_calls=1), 2.5)))
    run_id = await harness.create(NewRun(definition(), {}, budget=Budget(max_tokens=5)))

    await harness.execute(run_id, 1)

    assert (await harness.get_run(run_id)).wait_reason == "budget"
    exceeded = (await harness.events(run_id))[-2]
    assert exceeded.type == "budget.exceeded"
    assert (exceeded.data.limit, exceeded.data.budget.max_tokens) == ("maxTokens", 5)


async def test_the_attempt_is_given_what_it_needs(harness: RunHarness) -> None:
    executor = play(harness, Script())
    run_id = await harness.create(NewRun(definition(), {"topic": "tea"}, workflow_id="wf_1"))

    await harness.execute(run_id, 1)

    (spec,) = executor.specs
    assert (spec.run_id, spec.attempt, spec.inputs) == (run_id, 1, {"topic": "tea"})
    assert spec.models[spec.default_model].provider_name == "scripted"
    assert spec.memory_scope == "ws_default/wf_1"
    assert spec.timeout_seconds == harness.container.settings.run_timeout_seconds


async def test_a_person_s_feedback_reaches_the_next_attempt(harness: RunHarness) -> None:
    executor = play(
        harness, Script(outcome=NeedsHuman("research", "researcher", "P")), Script(outcome=Completed(RESULT))
    )
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    async with harness.approvals() as approvals:
        (asked,) = (await approvals.list_page(OWNER, "open", run_id, 1, None)).approvals
        await approvals.resolve(OWNER, asked.id, ApprovalResolve(action="revise", feedback="Shorter."))

    await harness.execute(run_id, 2)

    revision = executor.specs[-1].revision
    assert revision is not None
    assert (revision.task_key, revision.previous, revision.feedback) == ("research", "P", "Shorter.")
    assert (await harness.get_run(run_id)).state == "completed"


async def test_when_the_last_answer_is_approved_no_engine_is_asked(harness: RunHarness) -> None:
    only = definition(tasks=[task("report", output_file="r.md")])
    executor = play(harness, Script(outcome=NeedsHuman("report", "writer", "P")))
    run_id = await harness.create(NewRun(only, {}))
    await harness.execute(run_id, 1)
    async with harness.approvals() as approvals:
        (asked,) = (await approvals.list_page(OWNER, "open", run_id, 1, None)).approvals
        await approvals.resolve(OWNER, asked.id, ApprovalResolve(action="approve"))

    await harness.execute(run_id, 2)

    assert len(executor.specs) == 1
    row = await harness.get_run(run_id)
    assert row.result is not None
    assert (row.state, row.result["raw"]) == ("completed", "P")


class TestTaking:
    async def test_another_attempts_job_is_left_alone(self, harness: RunHarness) -> None:
        executor = play(harness, Script())
        run_id = await harness.create()

        await harness.execute(run_id, 2)
        await harness.execute("run_gone", 1)

        assert executor.specs == []
        assert (await harness.get_run(run_id)).state == "queued"

    @pytest.mark.parametrize("end", ["stop", "fail"])
    async def test_a_finished_run_is_not_done_again(self, harness: RunHarness, end: str) -> None:
        executor = play(harness, Script())
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await (lifecycle.stop(run) if end == "stop" else lifecycle.fail(run, FAILURE))
        before = await harness.event_types(run_id)

        await harness.execute(run_id, 1)

        assert executor.specs == []
        assert await harness.event_types(run_id) == before

    async def test_a_run_that_cannot_be_planned_fails_with_the_reason(self, harness: RunHarness) -> None:
        run_id = await harness.create(NewRun(definition(), {}, inline_provider=True))

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("failed", "provider-config-needed")

    async def test_a_database_that_is_away_for_a_moment_costs_no_run(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs_module.asyncio, "sleep", _at_once(asyncio.sleep))
        errors = [OperationalError("SELECT", {}, Exception("gone")) for _ in range(3)]
        whole = RunService.lock_for_worker

        async def flaky(self: RunService, run_id: str) -> Any:
            if errors:
                raise errors.pop()
            return await whole(self, run_id)

        monkeypatch.setattr(RunService, "lock_for_worker", flaky)
        play(harness, Script(STORY, Completed(RESULT)))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert (row.state, row.losses, errors) == ("completed", 0, [])


def _at_once(sleep: Callable[[float], Any]) -> Callable[[float], Any]:
    return lambda _seconds: sleep(0)


class TestWorkerLoss:
    async def test_the_run_is_resumed_from_its_finished_tasks(self, harness: RunHarness) -> None:
        executor = play(harness, Script(STORY[3:], Completed(RESULT)))
        run_id = await lost(harness)

        await harness.execute(run_id, 1)

        (spec,) = executor.specs
        assert {key: done.raw for key, done in spec.finished_tasks.items()} == {"research": "R"}
        row = await harness.get_run(run_id)
        assert (row.state, row.losses, row.fencing_token) == ("completed", 1, 2)
        assert "run.resumed" in await harness.event_types(run_id)

    async def test_restart_does_everything_again(self, harness: RunHarness) -> None:
        executor = play(harness, Script(STORY, Completed(RESULT)))
        run_id = await lost(harness, OnWorkerLoss.RESTART)

        await harness.execute(run_id, 1)

        assert executor.specs[0].finished_tasks == {}

    async def test_fail_ends_the_run_at_the_first_loss(self, harness: RunHarness) -> None:
        executor = play(harness, Script())
        run_id = await lost(harness, OnWorkerLoss.FAIL)

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("crashed", "worker-lost")
        assert executor.specs == []

    async def test_a_crew_that_kills_its_workers_ends(self, harness: RunHarness) -> None:
        run_id = await lost(harness)
        limit = harness.container.settings.max_attempts
        executor = play(harness, Script([], Completed(RESULT)))
        async with harness.transaction(run_id) as (run, _):
            run.losses = limit - 1

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, executor.specs) == ("crashed", [])
        assert f"{limit} times" in row.error["message"]

    async def test_a_run_asked_to_stop_when_its_worker_died_is_stopped(self, harness: RunHarness) -> None:
        executor = play(harness, Script())
        run_id = await lost(harness)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.NOW, "me")

        await harness.execute(run_id, 1)

        assert executor.specs == []
        assert (await harness.get_run(run_id)).state == "stopped"

    async def test_a_resumed_run_starts_with_no_losses(self, harness: RunHarness) -> None:
        run_id = await lost(harness, OnWorkerLoss.FAIL)
        await harness.execute(run_id, 1)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        assert (await harness.get_run(run_id)).losses == 0


class TestFencing:
    async def test_the_outcome_of_a_fenced_off_attempt_is_refused(self, harness: RunHarness) -> None:
        gate = asyncio.Event()
        play(harness, Script(outcome=Failed(FAILURE), gate=gate))
        run_id = await harness.create()
        old = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "another worker", native=True)

        gate.set()
        await asyncio.wait_for(old, 10)

        assert (await harness.get_run(run_id)).state == "running"
        assert (await harness.event_types(run_id))[-1] == "run.resumed"

    async def test_a_fenced_off_crew_is_stopped_when_it_tells_something(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        executor = _TellsWhenAsked()
        harness.executor = executor
        old = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.wait_for(executor.begun.wait(), 10)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "another worker", native=True)

        executor.may_tell.set()
        await asyncio.wait_for(old, 10)

        assert executor.stopped.is_set()
        assert (await harness.get_run(run_id)).state == "running"


class _TellsWhenAsked(ScriptedExecutor):
    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_tell, self.stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def execute(self, spec: Any, sink: Any, control: Any) -> Outcome:
        control.on_stop(self.stopped.set)
        self.begun.set()
        await self.may_tell.wait()
        sink(started("research"))
        await self.stopped.wait()
        return Stopped()


class TestHandBack:
    async def test_a_worker_called_off_hands_its_run_back_and_no_loss_is_counted(
        self, harness: RunHarness
    ) -> None:
        play(harness, Script(STORY[:3], gate=asyncio.Event()), Script(STORY[3:], Completed(RESULT)))
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        while len(harness.container.active_runs) == 0:
            await harness.get_run(run_id)  # lets the job go on

        job.cancel()
        await asyncio.wait([job])

        row = await harness.get_run(run_id)
        assert job.cancelled()
        assert (row.state, row.attempt, row.losses) == ("queued", 1, 0)
        await harness.execute(run_id, 1)
        row = await harness.get_run(run_id)
        assert (row.state, row.losses) == ("completed", 0)

    async def test_called_off_in_the_moment_of_taking_it_hands_back_too(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create()
        taken, go_on = asyncio.Event(), asyncio.Event()
        spec_builder = harness.execute._spec_builder
        build = spec_builder.build

        async def slow(run_id: str, fencing_token: int) -> Any:
            taken.set()
            await go_on.wait()
            return await build(run_id, fencing_token)

        monkeypatch.setattr(spec_builder, "build", slow)
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.wait_for(taken.wait(), 10)

        job.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait([job])

        row = await harness.get_run(run_id)
        assert job.cancelled()
        assert (row.state, row.losses) == ("queued", 0)

    async def test_called_off_after_the_outcome_it_stores_the_outcome(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        play(harness, Script(STORY, Completed(RESULT)))
        run_id = await harness.create()
        flushing, go_on = asyncio.Event(), asyncio.Event()
        whole = harness.container.event_writer.flush

        async def slow() -> None:
            flushing.set()
            await go_on.wait()
            await whole()

        monkeypatch.setattr(harness.container.event_writer, "flush", slow)
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.wait_for(flushing.wait(), 10)

        job.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait([job])

        assert (await harness.get_run(run_id)).state == "completed"


async def test_the_queue_runs_what_is_submitted(database_url: str, tmp_path: Path) -> None:
    executor = ScriptedExecutor(Script(STORY, Completed(RESULT)))
    async with open_harness(database_url, tmp_path, executor, consume=True) as harness:
        run_ids = [await harness.create() for _ in range(3)]

        rows = [await harness.wait_for_state(run_id, "completed") for run_id in run_ids]

    assert [row.total_tokens for row in rows] == [10, 10, 10]
    assert len(executor.specs) == 3


@ON_SQLITE
async def test_no_job_is_taken_before_the_engine_is_loaded(database_url: str, tmp_path: Path) -> None:
    async with open_harness(database_url, tmp_path) as harness:
        harness.container.loader._loaded.clear()
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.sleep(0)
        assert (await harness.get_run(run_id)).state == "queued"

        harness.container.loader._loaded.set()
        await asyncio.wait_for(job, 10)

        assert (await harness.get_run(run_id)).state == "completed"


async def test_tasks_of_a_completed_run_are_completed(harness: RunHarness) -> None:
    play(harness, Script(STORY, Completed(RESULT)))
    run_id = await harness.create()

    await harness.execute(run_id, 1)

    assert {task.status for task in (await harness.tasks(run_id)).values()} == {TaskState.COMPLETED}
