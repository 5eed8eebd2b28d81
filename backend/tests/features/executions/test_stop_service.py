"""Stopping a run waits for its end, returns a receipt and takes precedence over other outcomes."""

import asyncio
from pathlib import Path

import pytest

from crewai_runner.domain.run import StopMode
from crewai_runner.executor.port import EventSink, NeedsHuman, Outcome, RunControl, RunSpec
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.runs.errors import RunAlreadyFinished, RunNotFound
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, definition, started
from tests.support.harness import ON_SQLITE, RunHarness, open_harness, request_approval
from tests.support.principals import OWNER, STRANGER

pytestmark = pytest.mark.each_database


class _IgnoresStop(ScriptedExecutor):
    """Completes even if a stop was requested."""

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        return await super().execute(spec, sink, RunControl())


class TestStopRun:
    async def test_queued_run_stops_immediately_and_never_starts(self, harness: RunHarness) -> None:
        run_id = await harness.create()

        response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)
        await harness.execute(run_id, 1)

        assert response.status == "stopped"
        assert response.receipt is not None
        assert (response.receipt.mode, response.receipt.tasks_skipped) == ("graceful", 2)
        assert harness.executor.specs == []
        assert (await harness.get_run(run_id)).state == "stopped"

    async def test_running_run_stops_and_returns_a_receipt(self, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(Script([started("research")], gate=asyncio.Event()))
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")

        response = await asyncio.wait_for(StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW), 10)
        await job

        assert response.status == "stopped"
        assert response.receipt is not None
        assert response.receipt.llm_calls_after_stop == 0
        types = await harness.event_types(run_id)
        assert "run.stopping" in types
        assert types[-1] == "run.stopped"

    async def test_takes_precedence_over_a_simultaneous_outcome(self, harness: RunHarness) -> None:
        gate = asyncio.Event()
        harness.executor = _IgnoresStop(Script(gate=gate))
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        stopping = asyncio.ensure_future(StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW))
        await harness.wait_for_state(run_id, "stopping")

        gate.set()
        await job

        assert (await asyncio.wait_for(stopping, 10)).status == "stopped"
        assert (await harness.get_run(run_id)).result is None

    async def test_waiting_run_stops_and_its_approval_is_cancelled(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

        assert response.status == "stopped"
        async with harness.approvals() as approvals:
            assert (await approvals.get(OWNER, approval_id)).state == "cancelled"

    @pytest.mark.parametrize("moment", ["while it waits", "while it ends"])
    async def test_answer_that_waited_for_review_is_not_paid_for_again(
        self, harness: RunHarness, moment: str
    ) -> None:
        review = NeedsHuman("research", "researcher", "A proposal.", {"n": 1})
        harness.executor = ScriptedExecutor(Script([started("research")], review))
        run_id = await harness.create()
        if moment == "while it ends":
            harness.executor = _IgnoresStop(
                Script([started("research")], review, gate=(gate := asyncio.Event()))
            )
            job = asyncio.ensure_future(harness.execute(run_id, 1))
            await harness.wait_for_state(run_id, "running")
            stopping = asyncio.ensure_future(StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW))
            await harness.wait_for_state(run_id, "stopping")
            gate.set()
            await asyncio.gather(job, stopping)
        else:
            await harness.execute(run_id, 1)
            await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

        types = await harness.event_types(run_id)
        assert types.index("approval.requested") < types.index("approval.cancelled")
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")
        await harness.execute(run_id, 2)

        assert len(harness.executor.specs) == 1  # the engine was not asked again
        assert (await harness.get_run(run_id)).state == "waiting"
        async with harness.approvals() as approvals:
            page = await harness.list_approvals(run_id, "open")
            (approval,) = page.approvals
            await approvals.resolve(OWNER, approval.id, ApprovalResolve(action="approve"))
        task = (await harness.tasks(run_id))["research"]
        assert task.result is not None
        assert (task.result.raw, task.result.json_output) == ("A proposal.", {"n": 1})

    @ON_SQLITE
    async def test_slow_stop_is_answered_before_it_completes(self, database_url: str, tmp_path: Path) -> None:
        async with open_harness(database_url, tmp_path, stop_wait_seconds=0.01) as harness:
            run_id = await harness.create_running()
            harness.deps.active_runs.add((run_id, 1))

            response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.AFTER_STEP)

            assert (response.status, response.receipt) == ("stopping", None)
            assert (await harness.get_run(run_id)).stop_mode == "after-step"

    async def test_workflow_id_stops_its_newest_run(self, harness: RunHarness) -> None:
        run_id = await harness.create(NewRun(definition(), {}, workflow_id="wf_1"))

        response = await StopService(harness.deps).stop(OWNER, "wf_1", StopMode.NOW)

        assert response.run_id == run_id

    @pytest.mark.parametrize("end", ["stopped", "failed"])
    async def test_finished_run_is_rejected(self, harness: RunHarness, end: str) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await (lifecycle.stop(run) if end == "stopped" else lifecycle.fail(run, FAILURE))
        before = await harness.event_types(run_id)

        with pytest.raises(RunAlreadyFinished):
            await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

        assert await harness.event_types(run_id) == before

    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        run_id = await harness.create()

        with pytest.raises(RunNotFound):
            await StopService(harness.deps).stop(STRANGER, run_id, StopMode.NOW)

        assert (await harness.get_run(run_id)).state == "queued"
