"""The contract tests that every queue adapter inherits."""

import asyncio
import time
from datetime import timedelta

import pytest

from crewai_runner.core import clock
from crewai_runner.db.session import unit_of_work
from crewai_runner.queue.port import JobState, QueueStats
from tests.queue.harness import QueueHarness, eventually
from tests.queue.submission_contract import SubmissionContract


class QueueContract(SubmissionContract):
    """How jobs are submitted, run, end and are drained."""

    async def test_starts_the_lowest_priority_number_first_then_the_oldest(
        self, harness: QueueHarness
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("first")
        await harness.submit(queue, "first")
        await harness.job.until_started("first")
        for run_id, priority in (("late", 20), ("usual", 10), ("usual too", 10), ("urgent", 1)):
            await harness.submit(queue, run_id, priority=priority)

        harness.job.release("first")

        await harness.job.until_ended("late")
        assert harness.job.order == ["first", "urgent", "usual", "usual too", "late"]

    async def test_limits_the_slots_of_one_tenant(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=2, tenant_concurrency=1)
        harness.job.hold("flood 0", "flood 1", "flood 2")
        await harness.submit(queue, "flood 0", tenant="loud")
        await harness.submit(queue, "flood 1", "flood 2", tenant="loud")
        await harness.job.until_started("flood 0")

        await harness.submit(queue, "small", tenant="quiet")

        await harness.job.until_ended("small")
        assert harness.job.order == ["flood 0", "small"]

    async def test_runs_another_tenant_s_job_before_a_backlog_ends(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        flood = [f"flood {number:02}" for number in range(25)]
        harness.job.hold("flood 00")
        await harness.submit(queue, "flood 00", tenant="loud")
        await harness.submit(queue, *flood[1:], tenant="loud")
        await harness.job.until_started("flood 00")
        await harness.submit(queue, "small", tenant="quiet")

        harness.job.release()

        await harness.job.until_ended("small", *flood)
        assert harness.job.order[-1] != "small"  # by chance alone: once in 2 ** 25

    async def test_runs_up_to_concurrency_jobs_at_once(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=3)
        names = [f"run {number}" for number in range(9)]
        harness.job.hold(*names)
        for number, run_id in enumerate(names):
            await harness.submit(queue, run_id, tenant=f"tenant {number % 3}")

        await harness.job.until_started_count(3)
        with pytest.raises(TimeoutError):  # several polls long, a fourth has its chance to begin
            await asyncio.wait_for(harness.job.until_started_count(4), timeout=0.5)
        harness.job.release()

        await harness.job.until_ended(*names)
        assert harness.job.max_concurrent == 3

    async def test_delays_a_job_until_not_before(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        moment = clock.now() + timedelta(seconds=2)
        async with unit_of_work(harness.sessions) as session:
            await queue.submit(session, "later", 1, tenant="t", priority=1, not_before=moment)
            await queue.submit(session, "past", 1, tenant="t", not_before=clock.now() - timedelta(days=1))
        await harness.job.until_ended("past")
        assert harness.job.order == ["past"]

        await harness.job.until_ended("later")
        assert clock.now() >= moment

    async def test_counts_waiting_and_running_jobs(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("first")
        started = time.monotonic()
        await harness.submit(queue, "first")
        await harness.job.until_started("first")
        await harness.submit(queue, "second", "third")

        figures = await queue.stats()

        assert (figures.waiting, figures.running) == (2, 1)
        assert figures.oldest_wait_seconds is not None
        # The database's clock may be coarser than ours.
        assert 0 <= figures.oldest_wait_seconds <= time.monotonic() - started + 1
        harness.job.release()
        await eventually(queue.stats, QueueStats(waiting=0, running=0, oldest_wait_seconds=None))

    async def test_states_name_the_unfinished_jobs(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("running")
        await harness.submit(queue, "ended")
        await harness.job.until_ended("ended")
        await harness.submit(queue, "running")
        await harness.job.until_started("running")
        await harness.submit(queue, "waiting")
        asked = [(name, 1) for name in ("ended", "running", "waiting", "unknown")]

        async def states() -> object:
            return await queue.states(asked)

        expected = {("running", 1): JobState.RUNNING, ("waiting", 1): JobState.WAITING}
        await eventually(states, expected)

    async def test_continues_after_a_job_body_raises(
        self, harness: QueueHarness, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.broken.add("bad")
        await harness.submit(queue, "bad")
        await harness.submit(queue, "good")

        await harness.job.until_ended("good")

        await eventually(queue.stats, QueueStats(waiting=0, running=0, oldest_wait_seconds=None))
        assert harness.job.order == ["bad", "good"]
        assert [r.getMessage() for r in caplog.records] == ["job bad attempt 1 raised"]

    async def test_runs_bodies_on_the_loop_that_started_it(self, harness: QueueHarness) -> None:
        queue = await harness.open()

        await harness.submit(queue, "a")

        await harness.job.until_ended("a")
        assert harness.job.loops == {asyncio.get_running_loop()}

    async def test_only_stores_jobs_when_it_does_not_consume(self, harness: QueueHarness) -> None:
        queue = await harness.open(consume=False)
        await harness.submit(queue, "a")

        assert (await queue.stats()).waiting == 1
        await queue.drain(0)
        assert harness.job.started == []

    async def test_drain_waits_for_running_jobs_and_starts_no_more(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("running")
        await harness.submit(queue, "running")
        await harness.submit(queue, "waiting")
        await harness.job.until_started("running")

        draining = asyncio.create_task(queue.drain(30))
        await asyncio.sleep(0)
        harness.job.release("running")
        await draining

        assert harness.job.ended == [("running", 1)]
        await queue.start(harness.job)
        await harness.job.until_ended("waiting")
        assert harness.job.order == ["running", "waiting"]

    async def test_restarts_a_job_that_a_drain_interrupted(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("long")
        await harness.submit(queue, "long")
        await harness.job.until_started("long")

        await queue.drain(0.1)
        assert harness.job.interrupted == [("long", 1)]

        await queue.start(harness.job)
        await queue.requeue(await queue.orphans())
        harness.job.release("long")
        await harness.job.until_ended("long")
        assert harness.job.started == [("long", 1), ("long", 1)]
