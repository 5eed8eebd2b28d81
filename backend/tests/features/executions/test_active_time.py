"""A run's active time: measured by a monotonic clock, stored while the run is running."""

import asyncio
from datetime import timedelta

import pytest

from crewai_runner.core import clock
from crewai_runner.executor.port import NeedsHuman
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.wiring.periodic_tasks import PeriodicTasks
from tests.support.builders import call, started
from tests.support.harness import RunHarness

pytestmark = pytest.mark.each_database


class FakeClock:
    """A monotonic clock that moves only when told, and a system clock that is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.seconds)
        self._monkeypatch = monkeypatch

    def set_system_clock(self, hours: float) -> None:
        real = clock.now()
        for module in ("lifecycle.service", "approvals.service"):
            path = f"crewai_runner.features.{module}.now"
            self._monkeypatch.setattr(path, lambda: real + timedelta(hours=hours))


@pytest.fixture
def fake_clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    return FakeClock(monkeypatch)


async def start_held_run(harness: RunHarness, run_id: str) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Execute a run until its script waits; returns the job and the gate that ends it."""
    gate = asyncio.Event()
    executor = harness.executor = ScriptedExecutor(
        Script([started("research")], NeedsHuman("research", "researcher", "P"), gate)
    )
    job = asyncio.create_task(harness.execute(run_id, 1))
    while not executor.specs:
        await harness.get_run(run_id)  # lets the job continue
    return job, gate


class TestStopwatch:
    def test_counts_on_top_of_earlier_seconds_until_it_is_stopped_first(self, fake_clock: FakeClock) -> None:
        stopwatch = clock.Stopwatch(2.0)

        fake_clock.seconds += 3
        stopwatch.stop()
        fake_clock.seconds += 4
        stopwatch.stop()

        assert stopwatch.seconds == 5


class TestActiveTime:
    async def test_ending_adds_the_seconds_of_the_attempt(
        self, harness: RunHarness, fake_clock: FakeClock
    ) -> None:
        run_id = await harness.create()
        job, gate = await start_held_run(harness, run_id)

        fake_clock.seconds += 7
        gate.set()
        await job

        assert (await harness.get_run(run_id)).active_seconds == 7

    @pytest.mark.parametrize("hours", [-5, 5])
    async def test_steps_of_the_system_clock_do_not_matter(
        self, harness: RunHarness, fake_clock: FakeClock, hours: float
    ) -> None:
        run_id = await harness.create()
        job, gate = await start_held_run(harness, run_id)

        fake_clock.seconds += 2
        fake_clock.set_system_clock(hours)
        gate.set()
        await job

        assert (await harness.get_run(run_id)).active_seconds == 2

    async def test_lost_attempt_counts_as_reported_and_downtime_does_not(
        self, harness: RunHarness, fake_clock: FakeClock
    ) -> None:
        run_id = await harness.create_running()
        sink = harness.container.event_writer.open_sink(run_id, 1, lambda: None)
        fake_clock.seconds += 30
        sink(call())
        await harness.container.event_writer.close_sink(run_id, 1)
        fake_clock.seconds += 3600  # the worker is dead

        job, gate = await start_held_run(harness, run_id)
        assert harness.executor.specs[0].budget_seconds_used == 30
        fake_clock.seconds += 5
        gate.set()
        await job

        assert (await harness.get_run(run_id)).active_seconds == 35

    async def test_is_stored_although_the_attempt_emits_nothing(
        self, harness: RunHarness, fake_clock: FakeClock
    ) -> None:
        first, second = await harness.create(), await harness.create()
        other = await harness.create_running()
        jobs = [await start_held_run(harness, first)]
        fake_clock.seconds += 20
        jobs.append(await start_held_run(harness, second))
        fake_clock.seconds += 60

        await PeriodicTasks(harness.container).store_active_seconds()

        assert (await harness.get_run(first)).active_seconds == 80
        assert (await harness.get_run(second)).active_seconds == 60
        assert (await harness.get_run(other)).active_seconds == 0
        for job, gate in jobs:
            gate.set()
            await job

    async def test_return_to_the_queue_keeps_it(self, harness: RunHarness, fake_clock: FakeClock) -> None:
        run_id = await harness.create()
        job, _gate = await start_held_run(harness, run_id)
        fake_clock.seconds += 4

        job.cancel()
        await asyncio.wait([job])

        run = await harness.get_run(run_id)
        assert (run.state, run.active_seconds) == ("queued", 4)
