"""A stop waits for its end, tells what it did, and wins."""

import asyncio
from pathlib import Path

import pytest

from crewai_runner.domain.run import StopMode
from crewai_runner.executor.port import EventSink, Outcome, RunControl, RunSpec
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.runs.errors import RunAlreadyFinished, RunNotFound
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, definition, started
from tests.support.harness import ON_SQLITE, RunHarness, open_harness, request_approval
from tests.support.principals import OWNER, STRANGER


async def test_a_queued_run_is_stopped_at_once_and_never_begins(harness: RunHarness) -> None:
    run_id = await harness.create()

    answer = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)
    await harness.execute(run_id, 1)

    assert answer.status == "stopped"
    assert answer.receipt is not None
    assert (answer.receipt.mode, answer.receipt.tasks_skipped) == ("graceful", 2)
    assert harness.executor.specs == []
    assert (await harness.get_run(run_id)).state == "stopped"


async def test_a_run_at_work_is_stopped_and_the_answer_has_the_receipt(harness: RunHarness) -> None:
    harness.executor = ScriptedExecutor(Script([started("research")], gate=asyncio.Event()))
    run_id = await harness.create()
    job = asyncio.ensure_future(harness.execute(run_id, 1))
    await harness.wait_for_state(run_id, "running")

    answer = await asyncio.wait_for(StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW), 10)
    await job

    assert answer.status == "stopped"
    assert answer.receipt is not None
    assert answer.receipt.llm_calls_after_stop == 0
    types = await harness.event_types(run_id)
    assert "run.stopping" in types
    assert types[-1] == "run.stopped"


async def test_a_stop_wins_over_an_outcome_that_comes_in_the_same_moment(harness: RunHarness) -> None:
    gate = asyncio.Event()
    harness.executor = _Deaf(Script(gate=gate))
    run_id = await harness.create()
    job = asyncio.ensure_future(harness.execute(run_id, 1))
    await harness.wait_for_state(run_id, "running")
    stopping = asyncio.ensure_future(StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW))
    await harness.wait_for_state(run_id, "stopping")

    gate.set()
    await job

    assert (await asyncio.wait_for(stopping, 10)).status == "stopped"
    assert (await harness.get_run(run_id)).result is None


class _Deaf(ScriptedExecutor):
    """Completes although it was asked to stop."""

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        return await super().execute(spec, sink, RunControl())


async def test_a_waiting_run_is_stopped_with_its_question(harness: RunHarness) -> None:
    run_id, approval_id = await request_approval(harness)

    answer = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

    assert answer.status == "stopped"
    async with harness.approvals() as approvals:
        assert (await approvals.get(OWNER, approval_id)).state == "cancelled"


@ON_SQLITE
async def test_a_stop_that_takes_long_is_answered_before_its_end(database_url: str, tmp_path: Path) -> None:
    async with open_harness(database_url, tmp_path, stop_wait_seconds=0.01) as harness:
        run_id = await harness.create_running()

        answer = await StopService(harness.deps).stop(OWNER, run_id, StopMode.AFTER_STEP)

        assert (answer.status, answer.receipt) == ("stopping", None)
        assert (await harness.get_run(run_id)).stop_mode == "after-step"


async def test_a_workflows_id_stops_its_newest_run(harness: RunHarness) -> None:
    run_id = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))

    answer = await StopService(harness.deps).stop(OWNER, "wf_1", StopMode.NOW)

    assert answer.run_id == run_id


@pytest.mark.parametrize("end", ["stopped", "failed"])
async def test_a_finished_run_cannot_be_stopped(harness: RunHarness, end: str) -> None:
    run_id = await harness.create_running()
    async with harness.transaction(run_id) as (run, lifecycle):
        await (lifecycle.stop(run) if end == "stopped" else lifecycle.fail(run, FAILURE))
    before = await harness.event_types(run_id)

    with pytest.raises(RunAlreadyFinished):
        await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

    assert await harness.event_types(run_id) == before


async def test_nobody_stops_the_run_of_another_workspace(harness: RunHarness) -> None:
    run_id = await harness.create()

    with pytest.raises(RunNotFound):
        await StopService(harness.deps).stop(STRANGER, run_id, StopMode.NOW)

    assert (await harness.get_run(run_id)).state == "queued"
