"""Every state transition of a run is stored in one transaction with its event, or not at all."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.open_steps import ENDS
from crewai_runner.domain.run import IllegalTransition, RunFailure, RunResult, StopMode, TaskState, WaitReason
from crewai_runner.domain.run_event_payloads import (
    AgentStartedData,
    DelegationStartedData,
    TaskFailedData,
    ToolCompletedData,
    ToolStartedData,
)
from crewai_runner.domain.run_events import (
    AgentStarted,
    DelegationStarted,
    RunEvent,
    TaskFailed,
    ToolCompleted,
    ToolStarted,
)
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import completed, definition, started, task
from tests.support.harness import RunHarness

pytestmark = pytest.mark.each_database

FAILURE = RunFailure(code="x", message="why")
FAR_MOMENT = datetime(2040, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
Transition = Callable[[LifecycleService, RunRow], Awaitable[Any]]

TRANSITIONS: dict[str, tuple[Transition, str, str]] = {
    "wait": (lambda service, run: service.wait(run, WaitReason.BUDGET), "waiting", "run.waiting"),
    "requeue": (lambda service, run: service.requeue(run), "queued", "run.queued"),
    "request stop": (
        lambda service, run: service.request_stop(run, StopMode.NOW, "me"),
        "stopping",
        "run.stopping",
    ),
    "complete": (
        lambda service, run: service.complete(run, RunResult(raw="r")),
        "completed",
        "run.completed",
    ),
    "fail": (lambda service, run: service.fail(run, FAILURE), "failed", "run.failed"),
    "crash": (lambda service, run: service.crash(run, FAILURE), "crashed", "run.crashed"),
    "stop": (lambda service, run: service.stop(run), "stopped", "run.stopped"),
}


class TestTransition:
    @pytest.mark.parametrize("name", TRANSITIONS)
    async def test_is_stored_with_its_event(self, harness: RunHarness, name: str) -> None:
        transition, state, event = TRANSITIONS[name]
        run_id = await harness.create_running()

        async with harness.transaction(run_id) as (run, lifecycle):
            await transition(lifecycle, run)

        assert (await harness.get_run(run_id)).state == state
        assert (await harness.event_types(run_id))[-1] == event
        assert (await harness.get_run(run_id)).last_seq == len(await harness.events(run_id))

    @pytest.mark.parametrize("name", TRANSITIONS)
    async def test_is_rolled_back_with_its_event(self, harness: RunHarness, name: str) -> None:
        transition, _, _ = TRANSITIONS[name]
        run_id = await harness.create_running()

        async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
            await transition(lifecycle, run)

        row = await harness.get_run(run_id)
        assert (row.state, row.last_seq) == ("running", 2)
        assert await harness.event_types(run_id) == ["run.queued", "run.started"]

    @pytest.mark.parametrize("name", ["complete", "fail", "crash", "stop"])
    async def test_event_of_an_ending_carries_the_moment_of_the_row(
        self, harness: RunHarness, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await harness.create_running()
        monkeypatch.setattr("crewai_runner.features.lifecycle.service.now", lambda: FAR_MOMENT)

        async with harness.transaction(run_id) as (run, lifecycle):
            await TRANSITIONS[name][0](lifecycle, run)

        assert (await harness.get_run(run_id)).finished_at == FAR_MOMENT
        assert (await harness.events(run_id))[-1].at == FAR_MOMENT


class TestBegin:
    async def test_event_carries_the_moment_of_the_row(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crewai_runner.features.lifecycle.service.now", lambda: FAR_MOMENT)

        run_id = await harness.create_running()

        assert (await harness.get_run(run_id)).started_at == FAR_MOMENT
        assert (await harness.events(run_id))[-1].at == FAR_MOMENT

    async def test_emits_started_first_and_resumed_later(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.requeue(run)

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "scripted 1", native=True)

        assert await harness.event_types(run_id) == ["run.queued", "run.started", "run.queued", "run.resumed"]
        assert (await harness.get_run(run_id)).fencing_token == 2


class TestNextAttempt:
    async def test_rollback_queues_no_job(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)
        before = await harness.count_queued()

        async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        assert await harness.count_queued() == before
        assert (await harness.get_run(run_id)).state == "failed"

    async def test_queues_a_job_and_clears_the_previous_outcome(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)
        before = await harness.count_queued()

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        row = await harness.get_run(run_id)
        assert (row.state, row.attempt, row.error, row.finished_at) == ("queued", 2, None, None)
        assert await harness.count_queued() == before + 1


class TestStop:
    async def test_requested_stop_takes_precedence_over_a_result(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.NOW, "me")

        with pytest.raises(IllegalTransition):
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.complete(run, RunResult(raw="too late"))

        assert (await harness.get_run(run_id)).result is None

    async def test_mode_can_become_stricter_but_not_weaker(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        modes = []

        for mode in (StopMode.AFTER_STEP, StopMode.NOW, StopMode.AFTER_STEP):
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.request_stop(run, mode, "me")
            modes.append((await harness.get_run(run_id)).stop_mode)

        assert modes == ["after-step", "now", "now"]

    async def test_receipt_counts_completed_and_skipped_tasks(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        for event in (started("research"), completed("research"), started("report")):
            sink(event)
        await harness.container.event_writer.flush()

        async with harness.transaction(run_id) as (run, lifecycle):
            receipt = await lifecycle.stop(run, in_flight=1, abandoned=("tool x",))

        assert (receipt.tasks_completed, receipt.tasks_interrupted, receipt.tasks_skipped) == (1, 1, 0)
        assert (receipt.mode, receipt.llm_calls_in_flight, receipt.abandoned) == ("killed", 1, ["tool x"])
        tasks = await harness.tasks(run_id)
        assert tasks["research"].status is TaskState.COMPLETED
        assert tasks["report"].status is TaskState.INTERRUPTED


class TestUnfinishedTasks:
    @pytest.mark.parametrize("method", ["fail", "crash"])
    async def test_running_task_fails_with_the_run(self, harness: RunHarness, method: str) -> None:
        run_id = await harness.create_running()
        harness.container.event_writer.open_sink(run_id, 1, lambda: None)(started("research", "researcher"))
        await harness.container.event_writer.flush()

        async with harness.transaction(run_id) as (run, lifecycle):
            await getattr(lifecycle, method)(run, FAILURE)

        tasks = await harness.tasks(run_id)
        research = tasks["research"]
        assert (research.status, research.error.code, research.error.task_key) == ("failed", "x", "research")
        assert research.finished_at is not None
        assert tasks["report"].status == "pending"
        events = (await harness.events(run_id))[-2:]
        assert [event.type for event in events] == [
            "task.failed",
            "run.failed" if method == "fail" else "run.crashed",
        ]
        assert (events[0].task_key, events[0].agent) == ("research", "researcher")

    async def test_task_at_work_beside_the_failed_one_fails_and_finished_ones_stay(
        self, harness: RunHarness
    ) -> None:
        run_id = await harness.create_running(
            NewRun(definition(tasks=[task(key) for key in ("a", "b", "c")]), {})
        )
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        for event in (started("a"), completed("a"), started("b"), started("c")):
            sink(event)
        sink(TaskFailed(task_key="b", data=TaskFailedData(error=RunFailure(code="y", message="own"))))
        await harness.container.event_writer.flush()

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="y", message="why", task_key="b"))

        tasks = await harness.tasks(run_id)
        assert {key: row.status for key, row in tasks.items()} == {
            "a": "completed",
            "b": "failed",
            "c": "failed",
        }
        assert tasks["b"].error.message == "own"
        assert tasks["c"].error.code == "task-cut-short"
        assert (await harness.event_types(run_id)).count("task.failed") == 2

    async def test_failed_task_starts_again_when_the_run_is_resumed(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        harness.container.event_writer.open_sink(run_id, 1, lambda: None)(started("research"))
        await harness.container.event_writer.flush()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.crash(run, FAILURE)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")
            await lifecycle.begin(run, "scripted 1", native=True)

        harness.container.event_writer.open_sink(run_id, 2, lambda: None)(started("research"))
        await harness.container.event_writer.flush()

        research = (await harness.tasks(run_id))["research"]
        assert (research.status, research.error, research.finished_at) == ("running", None, None)


STEPS: list[RunEvent] = [
    started("research", "researcher"),
    AgentStarted(task_key="research", agent="researcher", data=AgentStartedData()),
    ToolStarted(task_key="research", agent="researcher", data=ToolStartedData(tool="t", tool_call_id="1")),
    ToolCompleted(
        task_key="research",
        agent="researcher",
        data=ToolCompletedData(tool="t", tool_call_id="1", output="o", duration_ms=1),
    ),
    ToolStarted(task_key="research", agent="researcher", data=ToolStartedData(tool="t", tool_call_id="2")),
    DelegationStarted(
        task_key="research",
        agent="researcher",
        data=DelegationStartedData(to="writer", tool_call_id="3", request="r"),
    ),
    AgentStarted(task_key="research", agent="writer", data=AgentStartedData()),
]
ENDS_IN_ORDER = [
    ("agent.failed", "writer"),
    ("delegation.failed", "researcher"),
    ("tool.failed", "researcher"),
    ("agent.failed", "researcher"),
]


class TestOpenSteps:
    @pytest.mark.parametrize("name", ["wait", "requeue", "complete", "fail", "crash", "stop", "recover"])
    async def test_every_ending_of_an_attempt_ends_what_it_started(
        self, harness: RunHarness, name: str
    ) -> None:
        transitions = TRANSITIONS | {"recover": (lambda service, run: service.recover(run), "", "")}
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        for event in STEPS:
            sink(event)
        await harness.container.event_writer.flush()

        async with harness.transaction(run_id) as (run, lifecycle):
            await transitions[name][0](lifecycle, run)

        events = (await harness.events(run_id))[2 + len(STEPS) :]
        steps = [event for event in events if event.type in ENDS]
        assert [(event.type, event.agent) for event in steps] == ENDS_IN_ORDER
        assert all(event.data.cut_off for event in steps)
        ended = "task.failed" if name in ("fail", "crash") else "task.interrupted"
        assert [event.task_key for event in events if event.type == ended] == ["research"]
        assert (await harness.get_run(run_id)).tool_calls == 2
        assert (await harness.tasks(run_id))["research"].status == ended.removeprefix("task.")

    async def test_lost_worker_ends_them_before_the_next_attempt(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        for event in STEPS:
            sink(event)
        await harness.container.event_writer.flush()

        await harness.execute(run_id, 1)

        types = await harness.event_types(run_id)
        assert types.index("task.interrupted") < types.index("run.resumed")
        assert types.count("agent.failed") == 2
