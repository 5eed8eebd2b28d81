"""Every move of a run happens with its event, in one transaction, or not at all."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import IllegalTransition, RunFailure, RunResult, StopMode, TaskState, WaitReason
from crewai_runner.domain.run_event_payloads import TaskFailedData
from crewai_runner.domain.run_events import TaskFailed
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import completed, definition, started, task
from tests.support.harness import RunHarness

FAILURE = RunFailure(code="x", message="why")
Move = Callable[[LifecycleService, RunRow], Awaitable[Any]]

MOVES: dict[str, tuple[Move, str, str]] = {
    "wait": (lambda it, run: it.wait(run, WaitReason.BUDGET), "waiting", "run.waiting"),
    "hand back": (lambda it, run: it.requeue(run), "queued", "run.queued"),
    "ask to stop": (lambda it, run: it.request_stop(run, StopMode.NOW, "me"), "stopping", "run.stopping"),
    "complete": (lambda it, run: it.complete(run, RunResult(raw="r")), "completed", "run.completed"),
    "fail": (lambda it, run: it.fail(run, FAILURE), "failed", "run.failed"),
    "crash": (lambda it, run: it.crash(run, FAILURE), "crashed", "run.crashed"),
    "stop": (lambda it, run: it.stop(run), "stopped", "run.stopped"),
}


@pytest.mark.parametrize("name", MOVES)
async def test_a_move_is_stored_with_its_event(harness: RunHarness, name: str) -> None:
    move, state, event = MOVES[name]
    run_id = await harness.create_running()

    async with harness.transaction(run_id) as (run, lifecycle):
        await move(lifecycle, run)

    assert (await harness.get_run(run_id)).state == state
    assert (await harness.event_types(run_id))[-1] == event
    assert (await harness.get_run(run_id)).last_seq == len(await harness.events(run_id))


@pytest.mark.parametrize("name", MOVES)
async def test_a_rolled_back_move_leaves_nothing(harness: RunHarness, name: str) -> None:
    move, _, _ = MOVES[name]
    run_id = await harness.create_running()

    async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
        await move(lifecycle, run)

    row = await harness.get_run(run_id)
    assert (row.state, row.last_seq) == ("running", 2)
    assert await harness.event_types(run_id) == ["run.queued", "run.started"]


async def test_a_rolled_back_resume_queues_no_job(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
    before = await harness.count_queued()

    async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
        await lifecycle.queue_next_attempt(run, "resumed")

    assert await harness.count_queued() == before
    assert (await harness.get_run(run_id)).state == "failed"


async def test_a_resume_queues_the_next_attempt_and_clears_the_old_end(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.fail(run, FAILURE)
    before = await harness.count_queued()

    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.queue_next_attempt(run, "resumed")

    row = await harness.get_run(run_id)
    assert (row.state, row.attempt, row.error, row.finished_at) == ("queued", 2, None, None)
    assert await harness.count_queued() == before + 1


async def test_the_first_beginning_is_a_start_and_the_next_a_resume(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.requeue(run)

    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.begin(run, "scripted 1", native=True)

    assert await harness.event_types(run_id) == ["run.queued", "run.started", "run.queued", "run.resumed"]
    assert (await harness.get_run(run_id)).fencing_token == 2


async def test_a_stop_that_was_asked_for_wins_over_a_result(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.request_stop(run, StopMode.NOW, "me")

    with pytest.raises(IllegalTransition):
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.complete(run, RunResult(raw="too late"))

    assert (await harness.get_run(run_id)).result is None


async def test_a_stop_sharpens_and_never_softens(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    modes = []

    for asked in (StopMode.AFTER_STEP, StopMode.NOW, StopMode.AFTER_STEP):
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, asked, "me")
        modes.append((await harness.get_run(run_id)).stop_mode)

    assert modes == ["after-step", "now", "now"]


@pytest.mark.parametrize("name", ["wait", "hand back", "fail", "stop"])
async def test_time_at_work_is_counted_by_every_way_out(
    harness: RunHarness, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await harness.create_running()
    began = (await harness.get_run(run_id)).attempt_started_at
    assert began is not None
    later = began + timedelta(seconds=7)
    monkeypatch.setattr("crewai_runner.features.lifecycle.service.now", lambda: later)

    async with harness.transaction(run_id) as (run, lifecycle):
        await MOVES[name][0](lifecycle, run)

    assert (await harness.get_run(run_id)).active_seconds == 7


async def test_a_receipt_counts_what_was_done_and_skips_the_rest(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    tell = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
    for event in (started("research"), completed("research"), started("report")):
        tell(event)
    await harness.container.event_writer.flush()

    async with harness.transaction(run_id) as (run, lifecycle):
        receipt = await lifecycle.stop(run, in_flight=1, abandoned=("tool x",))

    assert (receipt.tasks_completed, receipt.tasks_skipped) == (1, 1)
    assert (receipt.mode, receipt.llm_calls_in_flight, receipt.abandoned) == ("killed", 1, ["tool x"])
    tasks = await harness.tasks(run_id)
    assert tasks["research"].status is TaskState.COMPLETED
    assert tasks["report"].status is TaskState.SKIPPED


@pytest.mark.parametrize("how", ["fail", "crash"])
async def test_what_was_at_work_ends_with_the_run(harness: RunHarness, how: str) -> None:
    run_id = await harness.create_running()
    harness.container.event_writer.open_sink(run_id, 1, lambda: None)(started("research", "researcher"))
    await harness.container.event_writer.flush()

    async with harness.transaction(run_id) as (run, lifecycle):
        await getattr(lifecycle, how)(run, FAILURE)

    tasks = await harness.tasks(run_id)
    research = tasks["research"]
    assert (research.status, research.error.code, research.error.task_key) == ("failed", "x", "research")
    assert research.finished_at is not None
    assert tasks["report"].status == "pending"
    told = (await harness.events(run_id))[-2:]
    assert [event.type for event in told] == ["task.failed", "run.failed" if how == "fail" else "run.crashed"]
    assert (told[0].task_key, told[0].agent) == ("research", "researcher")


async def test_a_task_beside_the_one_that_failed_is_skipped_and_a_finished_one_stays(
    harness: RunHarness,
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
    assert {key: one.status for key, one in tasks.items()} == {
        "a": "completed",
        "b": "failed",
        "c": "skipped",
    }
    assert tasks["b"].error.message == "own"
    assert (await harness.event_types(run_id)).count("task.failed") == 1


async def test_a_task_that_ended_with_its_run_begins_anew_when_the_run_is_resumed(
    harness: RunHarness,
) -> None:
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
