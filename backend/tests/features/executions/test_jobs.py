"""Execution of one attempt, from the queue to its outcome, including the loss of its worker."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from crewai_runner.db.session import read_session
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.run import RunFailure, RunResult, StopMode, TaskResult, TaskState
from crewai_runner.domain.run_event_payloads import LlmStartedData
from crewai_runner.domain.run_events import LlmStarted, RunEvent
from crewai_runner.domain.usage import Usage
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.port import Completed, Failed, NeedsHuman, Outcome, OutOfBudget, Stopped
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.events.writes import EventWrites
from crewai_runner.features.executions import jobs as jobs_module
from crewai_runner.features.runs.service import NewRun, RunService
from crewai_runner.features.runs.writes import RunWrites
from tests.support.builders import FAILURE, call, completed, definition, started, task
from tests.support.harness import ON_SQLITE, RunHarness, open_harness
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

RESULT = RunResult(
    raw="The end.", tasks={"research": TaskResult(raw="R"), "report": TaskResult(raw="The end.")}
)
EVENTS = [started("research"), call(10), completed("research", "R"), started("report"), completed("report")]
OUTCOMES: dict[str, tuple[Outcome, str, str]] = {
    "completed": (Completed(RESULT), "completed", "run.completed"),
    "failed": (Failed(FAILURE), "failed", "run.failed"),
    "stopped": (Stopped(1, 0, ("tool",)), "stopped", "run.stopped"),
    "needs human": (NeedsHuman("research", "researcher", "P"), "waiting", "run.waiting"),
    "out of budget": (OutOfBudget(BudgetLimit.COST, Usage(), 1.0), "waiting", "run.waiting"),
}


def use_scripts(harness: RunHarness, *scripts: Script | Exception) -> ScriptedExecutor:
    executor = ScriptedExecutor(*scripts)
    harness.executor = executor
    return executor


async def create_lost_run(harness: RunHarness, policy: OnWorkerLoss = OnWorkerLoss.RESUME) -> str:
    """Create a running run whose worker died after the first task."""
    run_id = await harness.create_running(NewRun(definition(on_worker_loss=policy), {}))
    sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
    for event in EVENTS[:3]:
        sink(event)
    await harness.container.event_writer.flush()
    return run_id


def without_delay(sleep: Callable[[float], Any]) -> Callable[[float], Any]:
    return lambda _seconds: sleep(0)


class _EmitsOnRequest(ScriptedExecutor):
    def __init__(self) -> None:
        super().__init__()
        self.running, self.may_emit, self.stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def execute(self, spec: Any, sink: Any, control: Any) -> Outcome:
        control.on_stop(self.stopped.set)
        self.running.set()
        await self.may_emit.wait()
        sink(started("research"))
        await self.stopped.wait()
        return Stopped()


class TestOutcome:
    @pytest.mark.parametrize("name", OUTCOMES)
    async def test_sets_the_state_and_emits_the_last_event(self, harness: RunHarness, name: str) -> None:
        outcome, state, event = OUTCOMES[name]
        use_scripts(harness, Script([started("research")], outcome))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        assert (await harness.get_run(run_id)).state == state
        types = await harness.event_types(run_id)
        assert types[:3] == ["run.queued", "run.started", "task.started"]
        assert types[-1] == event

    async def test_run_whose_event_cannot_be_stored_is_failed(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = EventWrites.add_all

        def refuse_calls(self: EventWrites, rows: list[dict[str, Any]]) -> None:
            if any(row["type"] == "llm.completed" for row in rows):
                raise OverflowError("a value that the database refuses")
            original(self, rows)

        monkeypatch.setattr(EventWrites, "add_all", refuse_calls)
        use_scripts(harness, Script(EVENTS[:3], Completed(RESULT), gate=asyncio.Event()))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"], row.receipt) == ("failed", "internal-error", None)
        assert "task.completed" in await harness.event_types(run_id)

    async def test_completed_run_has_result_usage_and_artifacts(self, harness: RunHarness) -> None:
        use_scripts(harness, Script(EVENTS, Completed(RESULT)))
        tasks = [task("research", "researcher"), task("report", output_file="report.html")]
        run_id = await harness.create(NewRun(definition(tasks=tasks), {}))

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.result is not None
        assert (row.result["raw"], row.total_tokens) == ("The end.", 10)
        async with read_session(harness.container.sessions) as session:
            artifact = await RunService(session).get_artifact(run_id, "report.html")
        assert (artifact.content, artifact.media_type, artifact.task_key) == (
            b"done",
            "text/plain",
            "report",
        )
        assert (await harness.event_types(run_id))[-2:] == ["artifact.saved", "run.completed"]

    @pytest.mark.parametrize("outcome", [Failed(FAILURE), Stopped(), Completed(RESULT)])
    async def test_files_of_finished_tasks_are_saved_once(
        self, harness: RunHarness, client: httpx.AsyncClient, outcome: Outcome
    ) -> None:
        script = Script([started("research"), completed("research", "Part one.")], outcome)
        executor = use_scripts(harness, script, Script(EVENTS, Completed(RESULT)))
        first = task("research", "researcher", output_file="en/out.md")
        tasks = [first, task("report", output_file="fr/out.md")]
        run_id = await harness.create(NewRun(definition(tasks=tasks), {}))

        await harness.execute(run_id, 1)
        saved = (await client.get(f"/runs/{run_id}/artifacts")).json()["artifacts"]
        file = await client.get(f"/runs/{run_id}/artifacts/en%2Fout.md")

        types = await harness.event_types(run_id)
        assert types[types.index("task.completed") + 1] == "artifact.saved"
        assert (saved[0]["name"], saved[0]["taskKey"], file.text) == ("en/out.md", "research", "Part one.")
        names = [event.data.name for event in await harness.events(run_id) if event.type == "artifact.saved"]
        assert sorted(names) == [file["name"] for file in saved]
        assert len(executor.specs) == 1

    async def test_approved_task_has_its_file_before_the_run_ends(self, harness: RunHarness) -> None:
        tasks = [task("research", "researcher", output_file="a/b.md"), task("report")]
        use_scripts(harness, Script(outcome=NeedsHuman("research", "researcher", "P")))
        run_id = await harness.create(NewRun(definition(tasks=tasks), {}))
        await harness.execute(run_id, 1)

        async with harness.approvals() as approvals:
            (approval,) = (await harness.list_approvals(run_id, "open")).approvals
            await approvals.resolve(OWNER, approval.id, ApprovalResolve(action="approve", edited="Mine"))

        async with read_session(harness.container.sessions) as session:
            assert (await RunService(session).get_artifact(run_id, "a/b.md")).content == b"Mine"

    @pytest.mark.parametrize("open_work", ["call", "message", "task"])
    async def test_completion_ends_what_is_open(
        self, harness: RunHarness, client: httpx.AsyncClient, open_work: str
    ) -> None:
        gate = asyncio.Event()
        events: list[RunEvent] = [started("research"), completed("research", "R")]
        if open_work == "call":
            data = LlmStartedData(call_id="c", call=1, model="m", messages=1)
            events.append(LlmStarted(task_key="research", agent="researcher", data=data))
        if open_work == "task":
            events.append(started("report"))
        use_scripts(harness, Script(events, Completed(RESULT), gate=gate))
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        if open_work == "message":
            await client.post(f"/runs/{run_id}/messages", json={"text": "Hello?"})
        gate.set()
        await asyncio.wait_for(job, 10)

        ended = {"call": "llm.failed", "message": "message.closed", "task": "task.interrupted"}[open_work]
        assert (await harness.event_types(run_id))[-2:] == [ended, "run.completed"]

    async def test_completed_run_has_completed_tasks(self, harness: RunHarness) -> None:
        use_scripts(harness, Script(EVENTS, Completed(RESULT)))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        assert {task.status for task in (await harness.tasks(run_id)).values()} == {TaskState.COMPLETED}

    async def test_failed_run_keeps_the_error_of_the_engine(self, harness: RunHarness) -> None:
        use_scripts(harness, Script(outcome=Failed(FAILURE)))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert RunFailure.model_validate(row.error) == FAILURE

    async def test_engine_exception_fails_the_run_and_hides_its_message(self, harness: RunHarness) -> None:
        use_scripts(harness, RuntimeError("internal detail"))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("failed", "internal-error")
        assert "internal detail" not in str(row.error)
        assert len(harness.container.active_runs) == 0

    async def test_exhausted_budget_waits_and_reports_the_limit(self, harness: RunHarness) -> None:
        use_scripts(
            harness, Script(outcome=OutOfBudget(BudgetLimit.TOKENS, Usage(total_tokens=9, llm_calls=1), 2.5))
        )
        run_id = await harness.create(NewRun(definition(), {}, budget=Budget(max_tokens=5)))

        await harness.execute(run_id, 1)

        assert (await harness.get_run(run_id)).wait_reason == "budget"
        exceeded = (await harness.events(run_id))[-2]
        assert exceeded.type == "budget.exceeded"
        assert (exceeded.data.limit, exceeded.data.budget.max_tokens) == ("maxTokens", 5)


class TestSpec:
    async def test_has_inputs_models_memory_scope_and_time_limit(self, harness: RunHarness) -> None:
        executor = use_scripts(harness, Script())
        run_id = await harness.create(NewRun(definition(), {"topic": "tea"}, workflow_id="wf_1"))

        await harness.execute(run_id, 1)

        (spec,) = executor.specs
        assert (spec.run_id, spec.attempt, spec.inputs) == (run_id, 1, {"topic": "tea"})
        assert spec.models[spec.default_model].provider_name == "scripted"
        assert spec.memory_scope == "ws_default/wf_1"
        assert spec.timeout_seconds == harness.container.settings.run_timeout_seconds

    async def test_revision_feedback_reaches_the_next_attempt(self, harness: RunHarness) -> None:
        executor = use_scripts(
            harness,
            Script(outcome=NeedsHuman("research", "researcher", "P")),
            Script(outcome=Completed(RESULT)),
        )
        run_id = await harness.create()
        await harness.execute(run_id, 1)
        async with harness.approvals() as approvals:
            (approval,) = (await harness.list_approvals(run_id, "open")).approvals
            await approvals.resolve(OWNER, approval.id, ApprovalResolve(action="revise", feedback="Shorter."))

        await harness.execute(run_id, 2)

        revision = executor.specs[-1].revision
        assert revision is not None
        assert (revision.task_key, revision.previous, revision.feedback) == ("research", "P", "Shorter.")
        assert (await harness.get_run(run_id)).state == "completed"

    async def test_approval_of_the_last_task_completes_the_run_without_the_engine(
        self, harness: RunHarness
    ) -> None:
        single_task = definition(tasks=[task("report", output_file="r.md")])
        executor = use_scripts(harness, Script(outcome=NeedsHuman("report", "writer", "P")))
        run_id = await harness.create(NewRun(single_task, {}))
        await harness.execute(run_id, 1)
        async with harness.approvals() as approvals:
            (approval,) = (await harness.list_approvals(run_id, "open")).approvals
            await approvals.resolve(OWNER, approval.id, ApprovalResolve(action="approve"))

        await harness.execute(run_id, 2)

        assert len(executor.specs) == 1
        row = await harness.get_run(run_id)
        assert row.result is not None
        assert (row.state, row.result["raw"]) == ("completed", "P")


class TestBeginAttempt:
    async def test_job_of_another_attempt_is_ignored(self, harness: RunHarness) -> None:
        executor = use_scripts(harness, Script())
        run_id = await harness.create()

        await harness.execute(run_id, 2)
        await harness.execute("run_gone", 1)

        assert executor.specs == []
        assert (await harness.get_run(run_id)).state == "queued"

    @pytest.mark.parametrize("end", ["stop", "fail"])
    async def test_finished_run_is_not_executed_again(self, harness: RunHarness, end: str) -> None:
        executor = use_scripts(harness, Script())
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await (lifecycle.stop(run) if end == "stop" else lifecycle.fail(run, FAILURE))
        before = await harness.event_types(run_id)

        await harness.execute(run_id, 1)

        assert executor.specs == []
        assert await harness.event_types(run_id) == before

    async def test_run_without_its_inline_provider_fails_with_the_reason(self, harness: RunHarness) -> None:
        run_id = await harness.create(NewRun(definition(), {}, inline_provider=True))

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("failed", "provider-config-needed")

    async def test_short_database_outage_is_retried(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs_module.asyncio, "sleep", without_delay(asyncio.sleep))
        errors = [OperationalError("SELECT", {}, Exception("gone")) for _ in range(3)]
        original = RunWrites.lock_to_begin

        def flaky(self: RunWrites, run_id: str) -> Any:
            if errors:
                raise errors.pop()
            return original(self, run_id)

        monkeypatch.setattr(RunWrites, "lock_to_begin", flaky)
        use_scripts(harness, Script(EVENTS, Completed(RESULT)))
        run_id = await harness.create()

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert (row.state, row.losses, errors) == ("completed", 0, [])

    @ON_SQLITE
    async def test_waits_until_the_engine_is_loaded(self, database_url: str, tmp_path: Path) -> None:
        async with open_harness(database_url, tmp_path) as harness:
            harness.container.loader._loaded.clear()
            run_id = await harness.create()
            job = asyncio.ensure_future(harness.execute(run_id, 1))
            await asyncio.sleep(0)
            assert (await harness.get_run(run_id)).state == "queued"

            harness.container.loader._loaded.set()
            await asyncio.wait_for(job, 10)

            assert (await harness.get_run(run_id)).state == "completed"


class TestQueue:
    async def test_executes_submitted_runs(self, database_url: str, tmp_path: Path) -> None:
        executor = ScriptedExecutor(Script(EVENTS, Completed(RESULT)))
        async with open_harness(database_url, tmp_path, executor, consume=True) as harness:
            run_ids = [await harness.create() for _ in range(3)]

            rows = [await harness.wait_for_state(run_id, "completed") for run_id in run_ids]

        assert [row.total_tokens for row in rows] == [10, 10, 10]
        assert len(executor.specs) == 3


class TestWorkerLoss:
    async def test_resumes_from_the_finished_tasks(self, harness: RunHarness) -> None:
        executor = use_scripts(harness, Script(EVENTS[3:], Completed(RESULT)))
        run_id = await create_lost_run(harness)

        await harness.execute(run_id, 1)

        (spec,) = executor.specs
        assert {key: result.raw for key, result in spec.finished_tasks.items()} == {"research": "R"}
        row = await harness.get_run(run_id)
        assert (row.state, row.losses, row.fencing_token) == ("completed", 1, 2)
        assert "run.resumed" in await harness.event_types(run_id)

    async def test_restart_policy_repeats_all_tasks(self, harness: RunHarness) -> None:
        executor = use_scripts(harness, Script(EVENTS, Completed(RESULT)))
        run_id = await create_lost_run(harness, OnWorkerLoss.RESTART)

        await harness.execute(run_id, 1)

        assert executor.specs[0].finished_tasks == {}

    async def test_fail_policy_crashes_the_run_at_the_first_loss(self, harness: RunHarness) -> None:
        executor = use_scripts(harness, Script())
        run_id = await create_lost_run(harness, OnWorkerLoss.FAIL)

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("crashed", "worker-lost")
        assert executor.specs == []

    async def test_too_many_losses_crash_the_run(self, harness: RunHarness) -> None:
        run_id = await create_lost_run(harness)
        limit = harness.container.settings.max_attempts
        executor = use_scripts(harness, Script([], Completed(RESULT)))
        async with harness.transaction(run_id) as (run, _):
            run.losses = limit - 1

        await harness.execute(run_id, 1)

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, executor.specs) == ("crashed", [])
        assert f"{limit} times" in row.error["message"]

    async def test_stop_requested_before_the_loss_takes_effect(self, harness: RunHarness) -> None:
        executor = use_scripts(harness, Script())
        run_id = await create_lost_run(harness)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.NOW, "me")

        await harness.execute(run_id, 1)

        assert executor.specs == []
        assert (await harness.get_run(run_id)).state == "stopped"

    async def test_resume_resets_the_loss_count(self, harness: RunHarness) -> None:
        run_id = await create_lost_run(harness, OnWorkerLoss.FAIL)
        await harness.execute(run_id, 1)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        assert (await harness.get_run(run_id)).losses == 0


class TestFencing:
    @pytest.mark.parametrize("outcome", [Failed(FAILURE), Completed(RESULT)])
    async def test_outcome_of_an_outdated_attempt_is_rejected(
        self, harness: RunHarness, outcome: Outcome
    ) -> None:
        gate = asyncio.Event()
        use_scripts(harness, Script(outcome=outcome, gate=gate))
        run_id = await harness.create()
        old = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "another worker", native=True)

        gate.set()
        await asyncio.wait_for(old, 10)

        assert (await harness.get_run(run_id)).state == "running"
        assert (await harness.event_types(run_id))[-1] == "run.resumed"

    async def test_outdated_attempt_is_stopped_at_its_next_event(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        executor = _EmitsOnRequest()
        harness.executor = executor
        old = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.wait_for(executor.running.wait(), 10)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "another worker", native=True)

        executor.may_emit.set()
        await asyncio.wait_for(old, 10)

        assert executor.stopped.is_set()
        assert (await harness.get_run(run_id)).state == "running"


class TestCancelJob:
    async def test_requeues_the_run_without_counting_a_loss(self, harness: RunHarness) -> None:
        executor = use_scripts(
            harness, Script(EVENTS[:3], gate=asyncio.Event()), Script(EVENTS[3:], Completed(RESULT))
        )
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        while not executor.specs:
            await harness.get_run(run_id)  # lets the job continue

        job.cancel()
        await asyncio.wait([job])

        row = await harness.get_run(run_id)
        assert job.cancelled()
        assert (row.state, row.attempt, row.losses) == ("queued", 1, 0)
        await harness.execute(run_id, 1)
        row = await harness.get_run(run_id)
        assert (row.state, row.losses) == ("completed", 0)

    async def test_requeues_the_run_when_cancelled_while_it_begins(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create()
        building, proceed = asyncio.Event(), asyncio.Event()
        spec_builder = harness.execute._spec_builder
        build = spec_builder.build

        async def build_slowly(*arguments: Any) -> Any:
            building.set()
            await proceed.wait()
            return await build(*arguments)

        monkeypatch.setattr(spec_builder, "build", build_slowly)
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.wait_for(building.wait(), 10)

        job.cancel()
        await asyncio.sleep(0)
        proceed.set()
        await asyncio.wait([job])

        row = await harness.get_run(run_id)
        assert job.cancelled()
        assert (row.state, row.losses) == ("queued", 0)

    async def test_stores_the_outcome_when_cancelled_after_it(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_scripts(harness, Script(EVENTS, Completed(RESULT)))
        run_id = await harness.create()
        flushing, proceed = asyncio.Event(), asyncio.Event()
        original = harness.container.event_writer.flush

        async def flush_slowly() -> None:
            flushing.set()
            await proceed.wait()
            await original()

        monkeypatch.setattr(harness.container.event_writer, "flush", flush_slowly)
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await asyncio.wait_for(flushing.wait(), 10)

        job.cancel()
        await asyncio.sleep(0)
        proceed.set()
        await asyncio.wait([job])

        assert (await harness.get_run(run_id)).state == "completed"


class TestSlots:
    @ON_SQLITE
    async def test_run_without_a_slot_is_queued(self, database_url: str, tmp_path: Path) -> None:
        gate = asyncio.Event()
        executor = ScriptedExecutor(Script(outcome=Completed(RESULT), gate=gate))
        async with open_harness(database_url, tmp_path, executor, worker_concurrency=1) as harness:
            first, second = await harness.create(), await harness.create()
            jobs = [asyncio.create_task(harness.execute(run_id, 1)) for run_id in (first, second)]
            await harness.wait_for_state(first, "running")
            while not executor.specs:
                await harness.get_run(first)  # lets the jobs continue

            assert (await harness.get_run(second)).state == "queued"
            gate.set()
            await asyncio.gather(*jobs)

            assert (await harness.get_run(second)).state == "completed"

    @ON_SQLITE
    async def test_cancelled_wait_leaves_the_slot_free(self, database_url: str, tmp_path: Path) -> None:
        gate = asyncio.Event()
        executor = ScriptedExecutor(Script(outcome=Completed(RESULT), gate=gate))
        async with open_harness(database_url, tmp_path, executor, worker_concurrency=1) as harness:
            run_ids = [await harness.create() for _ in range(3)]
            first, second, third = (asyncio.create_task(harness.execute(each, 1)) for each in run_ids)
            await harness.wait_for_state(run_ids[0], "running")

            gate.set()
            second.cancel()
            await asyncio.wait_for(asyncio.gather(first, third), 20)

            assert (await harness.get_run(run_ids[2])).state == "completed"
