"""A run that stores too much fails, and says so."""

import asyncio
from collections.abc import Sequence

import pytest

from crewai_runner.domain.run import RunResult, RunState, TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.port import Completed, EventSink, Outcome, RunControl, RunSpec, Stopped
from crewai_runner.executor.scripted import ScriptedExecutor
from tests.support.builders import call, completed, started
from tests.support.harness import ON_SQLITE, RunHarness

RESULT = RunResult(raw="Tea.", tasks={"research": TaskResult(raw="Tea.")})


class Flood(ScriptedExecutor):
    """Emits events until it is stopped, or all of them; then it ends with `outcome`."""

    def __init__(self, events: Sequence[RunEvent], outcome: Outcome | None = None) -> None:
        super().__init__()
        self.events, self.outcome, self.emitted = events, outcome, 0

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        for event in self.events:
            sink(event)
            self.emitted += 1
            await control.wait_until_stored()
            await asyncio.sleep(0)
            if control.is_stopping_now and self.outcome is None:
                return Stopped()
        return self.outcome or Stopped()


async def execute(harness: RunHarness, executor: Flood) -> str:
    harness.executor = executor
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    return run_id


@ON_SQLITE
class TestRunQuota:
    @pytest.mark.harness(run_max_events=100)
    async def test_too_many_events(self, harness: RunHarness) -> None:
        executor = Flood([started("research", "researcher"), *(call() for _ in range(500))])

        run_id = await execute(harness, executor)

        run = await harness.get_run(run_id)
        assert run.state == RunState.FAILED
        assert run.error is not None
        assert run.error["code"] == "quota-exceeded"
        assert "100 events" in run.error["message"]
        assert "RUN_MAX_EVENTS" in run.error["hint"]
        assert executor.emitted < 110
        assert (await harness.event_types(run_id))[-1] == "run.failed"

    @pytest.mark.harness(run_max_stored_mb=0.1)
    async def test_too_many_bytes(self, harness: RunHarness) -> None:
        executor = Flood([completed("research", "x" * 30_000) for _ in range(50)])

        run = await harness.get_run(await execute(harness, executor))

        assert run.error is not None
        assert run.error["code"] == "quota-exceeded"
        assert "0.1 MB" in run.error["message"]
        assert "RUN_MAX_STORED_MB" in run.error["hint"]
        assert executor.emitted < 6

    @pytest.mark.harness(run_max_stored_mb=0.1)
    async def test_resumed_run_continues_to_count(self, harness: RunHarness) -> None:
        run_id = await execute(harness, Flood([completed("research", "x" * 30_000) for _ in range(50)]))
        executor = Flood([completed("report", "x") for _ in range(50)])
        harness.executor = executor
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        await harness.execute(run_id, 2)

        run = await harness.get_run(run_id)
        assert run.error is not None
        assert run.error["code"] == "quota-exceeded"
        assert executor.emitted < 6

    @pytest.mark.harness(run_max_stored_mb=0.1)
    async def test_run_that_is_complete_keeps_its_result(self, harness: RunHarness) -> None:
        run_id = await execute(harness, Flood([completed("research", "x" * 200_000)], Completed(RESULT)))

        assert (await harness.get_run(run_id)).state == RunState.COMPLETED

    async def test_run_within_its_quota(self, harness: RunHarness) -> None:
        run_id = await execute(harness, Flood([completed("research", "Tea.")], Completed(RESULT)))

        assert (await harness.get_run(run_id)).state == RunState.COMPLETED
