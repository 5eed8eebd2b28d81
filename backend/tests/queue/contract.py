"""What every queue promises: one class of tests, inherited by each adapter's own."""

import asyncio
from datetime import timedelta

import pytest

from crewai_runner.core import clock
from crewai_runner.db.session import unit_of_work
from crewai_runner.queue.port import QueueStats
from tests.queue.harness import QueueHarness, eventually
from tests.queue.submission_contract import SubmissionContract


class QueueContract(SubmissionContract):
    """The transaction promise, and how jobs run, end, are cancelled and drained."""

    async def test_never_begins_a_job_that_was_cancelled_while_it_waited(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("first")
        await harness.submit(queue, "first")
        await harness.body.until_begun("first")
        await harness.submit(queue, "unwanted", "last")

        await queue.cancel("unwanted", 1)
        harness.body.let_go("first")

        await harness.body.until_ended("last")
        assert harness.body.order == ["first", "last"]

    async def test_cancels_a_running_job_and_frees_its_slot(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("stuck")
        await harness.submit(queue, "stuck")
        await harness.submit(queue, "next")
        await harness.body.until_begun("stuck")

        await queue.cancel("stuck", 1)

        await harness.body.until_ended("next")
        assert harness.body.interrupted == [("stuck", 1)]
        assert harness.body.order == ["stuck", "next"]

    async def test_does_not_begin_a_cancelled_job_again_after_a_restart(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("stuck")
        await harness.submit(queue, "stuck")
        await harness.body.until_begun("stuck")
        await queue.cancel("stuck", 1)
        await harness.body.until(lambda: harness.body.interrupted == [("stuck", 1)])

        await queue.drain(5)
        await queue.start(harness.body)
        await harness.submit(queue, "next")

        await harness.body.until_ended("next")
        assert harness.body.order == ["stuck", "next"]

    async def test_takes_the_cancelling_of_an_unknown_job_for_done(self, harness: QueueHarness) -> None:
        queue = await harness.open()

        await queue.cancel("nobody", 1)

        assert await queue.stats() == QueueStats(waiting=0, running=0, oldest_wait_seconds=None)

    async def test_begins_the_lowest_priority_number_first_then_the_oldest(
        self, harness: QueueHarness
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("first")
        await harness.submit(queue, "first")
        await harness.body.until_begun("first")
        for run_id, priority in (("late", 20), ("usual", 10), ("usual too", 10), ("urgent", 1)):
            await harness.submit(queue, run_id, priority=priority)

        harness.body.let_go("first")

        await harness.body.until_ended("late")
        assert harness.body.order == ["first", "urgent", "usual", "usual too", "late"]

    async def test_keeps_slots_free_of_a_tenant_that_has_its_share(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=2, tenant_concurrency=1)
        harness.body.hold("flood 0", "flood 1", "flood 2")
        await harness.submit(queue, "flood 0", tenant="loud")
        await harness.submit(queue, "flood 1", "flood 2", tenant="loud")
        await harness.body.until_begun("flood 0")

        await harness.submit(queue, "small", tenant="quiet")

        await harness.body.until_ended("small")
        assert harness.body.order == ["flood 0", "small"]

    async def test_gives_another_tenant_a_turn_before_a_backlog_ends(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        flood = [f"flood {number:02}" for number in range(25)]
        harness.body.hold("flood 00")
        await harness.submit(queue, "flood 00", tenant="loud")
        await harness.submit(queue, *flood[1:], tenant="loud")
        await harness.body.until_begun("flood 00")
        await harness.submit(queue, "small", tenant="quiet")

        harness.body.let_go()

        await harness.body.until_ended("small", *flood)
        assert harness.body.order[-1] != "small"  # by chance alone: once in 2 ** 25

    async def test_runs_as_many_jobs_at_once_as_it_may_and_no_more(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=3)
        names = [f"run {number}" for number in range(9)]
        harness.body.hold(*names)
        for number, run_id in enumerate(names):
            await harness.submit(queue, run_id, tenant=f"tenant {number % 3}")

        await harness.body.until_begun_in_all(3)
        with pytest.raises(TimeoutError):  # several polls long, a fourth has its chance to begin
            await asyncio.wait_for(harness.body.until_begun_in_all(4), timeout=0.5)
        harness.body.let_go()

        await harness.body.until_ended(*names)
        assert harness.body.most_at_once == 3

    async def test_holds_a_job_back_until_its_moment(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        moment = clock.now() + timedelta(seconds=2)
        async with unit_of_work(harness.sessions) as session:
            await queue.submit(session, "later", 1, tenant="t", priority=1, not_before=moment)
            await queue.submit(session, "past", 1, tenant="t", not_before=clock.now() - timedelta(days=1))
        await harness.body.until_ended("past")
        assert harness.body.order == ["past"]

        await harness.body.until_ended("later")
        assert clock.now() >= moment

    async def test_counts_what_waits_and_what_runs(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("first")
        await harness.submit(queue, "first")
        await harness.body.until_begun("first")
        await harness.submit(queue, "second", "third")

        figures = await queue.stats()

        assert (figures.waiting, figures.running) == (2, 1)
        assert figures.oldest_wait_seconds is not None
        assert 0 <= figures.oldest_wait_seconds < 30
        harness.body.let_go()
        await eventually(queue.stats, QueueStats(waiting=0, running=0, oldest_wait_seconds=None))

    async def test_ends_a_job_whose_body_raises_and_goes_on(
        self, harness: QueueHarness, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.broken.add("bad")
        await harness.submit(queue, "bad")
        await harness.submit(queue, "good")

        await harness.body.until_ended("good")

        await eventually(queue.stats, QueueStats(waiting=0, running=0, oldest_wait_seconds=None))
        assert harness.body.order == ["bad", "good"]
        assert [r.getMessage() for r in caplog.records] == ["job bad attempt 1 raised"]

    async def test_runs_bodies_on_the_loop_that_started_it(self, harness: QueueHarness) -> None:
        queue = await harness.open()

        await harness.submit(queue, "a")

        await harness.body.until_ended("a")
        assert harness.body.loops == {asyncio.get_running_loop()}

    async def test_only_stores_jobs_when_it_does_not_consume(self, harness: QueueHarness) -> None:
        queue = await harness.open(consume=False)
        await harness.submit(queue, "a")

        assert (await queue.stats()).waiting == 1
        await queue.drain(0)
        assert harness.body.begun == []

    async def test_drains_by_waiting_for_what_runs_and_taking_no_more(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("running")
        await harness.submit(queue, "running")
        await harness.submit(queue, "waiting")
        await harness.body.until_begun("running")

        draining = asyncio.create_task(queue.drain(30))
        await asyncio.sleep(0)
        harness.body.let_go("running")
        await draining

        assert harness.body.ended == [("running", 1)]
        await queue.start(harness.body)
        await harness.body.until_ended("waiting")
        assert harness.body.order == ["running", "waiting"]

    async def test_begins_a_job_again_that_a_drain_could_not_wait_for(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.body.hold("long")
        await harness.submit(queue, "long")
        await harness.body.until_begun("long")

        await queue.drain(0.1)
        assert harness.body.interrupted == [("long", 1)]

        await queue.start(harness.body)
        await queue.requeue(await queue.orphans())
        harness.body.let_go("long")
        await harness.body.until_ended("long")
        assert harness.body.begun == [("long", 1), ("long", 1)]
