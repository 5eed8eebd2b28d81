"""Runs whose job is gone are ended or queued again."""

import asyncio

import pytest

from crewai_runner.domain.run import StopMode
from crewai_runner.domain.workflow import OnWorkerLoss
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.executions.lost_runs import LostRuns
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import definition
from tests.support.harness import ON_SQLITE, RunHarness, request_approval
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database


def lose_job(harness: RunHarness, run_id: str) -> None:
    """Remove the waiting job of a run's first attempt."""
    harness.queue.lose(run_id, 1)


async def settle_lost_runs(harness: RunHarness) -> int:
    return await LostRuns(harness.deps).settle_all()


class TestSettleAll:
    async def test_requeues_a_queued_run_under_a_new_attempt(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        lose_job(harness, run_id)

        assert await settle_lost_runs(harness) == 1

        run = await harness.get_run(run_id)
        assert (run.state, run.attempt, run.losses) == ("queued", 2, 0)
        await harness.execute(run_id, 2)
        assert (await harness.get_run(run_id)).state == "completed"

    async def test_requeues_a_running_run_and_counts_the_loss(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        lose_job(harness, run_id)

        assert await settle_lost_runs(harness) == 1

        run = await harness.get_run(run_id)
        assert (run.state, run.attempt, run.losses) == ("queued", 2, 1)
        assert await harness.count_queued() == 1

    async def test_stops_a_stopping_run(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.AFTER_STEP, "me")
        lose_job(harness, run_id)

        assert await settle_lost_runs(harness) == 1

        assert (await harness.get_run(run_id)).state == "stopped"

    async def test_crashes_a_run_that_must_not_be_retried(self, harness: RunHarness) -> None:
        run_id = await harness.create_running(NewRun(definition(on_worker_loss=OnWorkerLoss.FAIL), {}))
        lose_job(harness, run_id)

        assert await settle_lost_runs(harness) == 1

        assert (await harness.get_run(run_id)).state == "crashed"

    async def test_repeated_losses_end_with_a_crash(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        for attempt in range(1, harness.container.settings.max_attempts + 1):
            harness.queue.lose(run_id, attempt)
            await settle_lost_runs(harness)
            async with harness.transaction(run_id) as (run, lifecycle):
                if run.state == "queued":
                    await lifecycle.begin(run, "scripted 1", native=True)

        assert (await harness.get_run(run_id)).state == "crashed"

    async def test_leaves_runs_with_a_job_or_without_need_of_one(self, harness: RunHarness) -> None:
        await harness.create()
        await harness.create_running()
        waiting, _ = await request_approval(harness)
        lose_job(harness, waiting)

        assert await settle_lost_runs(harness) == 0

    @ON_SQLITE
    async def test_reads_every_page(self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crewai_runner.features.executions.lost_runs.PAGE_SIZE", 2)
        for _ in range(5):
            lose_job(harness, await harness.create())

        assert await settle_lost_runs(harness) == 5


class TestStopWithoutWorker:
    @pytest.mark.parametrize("is_job_lost", [True, False])
    async def test_running_run_that_no_worker_runs_stops_at_once(
        self, harness: RunHarness, is_job_lost: bool
    ) -> None:
        run_id = await harness.create_running()
        if is_job_lost:
            lose_job(harness, run_id)

        response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.NOW)

        assert response.status == "stopped"

    async def test_another_request_stops_a_run_that_was_stopping_before(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.AFTER_STEP, "me")
        lose_job(harness, run_id)

        response = await StopService(harness.deps).stop(OWNER, run_id, StopMode.AFTER_STEP)

        assert response.status == "stopped"

    async def test_running_worker_ends_its_run_itself(self, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(Script(gate=asyncio.Event()))
        run_id = await harness.create()
        job = asyncio.ensure_future(harness.execute(run_id, 1))
        await harness.wait_for_state(run_id, "running")
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.request_stop(run, StopMode.NOW, "me")

        await LostRuns(harness.deps).stop_without_worker(run_id)

        assert (await harness.get_run(run_id)).state == "stopping"
        job.cancel()
        await asyncio.wait([job])
