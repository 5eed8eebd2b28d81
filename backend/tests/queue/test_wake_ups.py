"""Jobs start without waiting for a poll: here the next one would be an hour later."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import dbos._sys_db as dbos_database
import pytest
from sqlalchemy.exc import OperationalError

from crewai_runner.db.session import make_engine, make_sessions, make_writer_engine
from crewai_runner.db.transaction_writer import TransactionWriter
from crewai_runner.queue.claimed_jobs import ClaimedJobs
from crewai_runner.queue.dbos import DbosQueue
from crewai_runner.queue.poll_timer import PollTimer
from crewai_runner.queue.port import JobQueue
from crewai_runner.queue.worker_limits import QueueLimits
from tests.queue.harness import QueueHarness
from tests.support.database import fresh_database

pytestmark = pytest.mark.each_database

HOUR = 3600.0


class RunningJobs:
    """What DBOS counts as running."""

    def add(self, _job: str, _queue: str, _tenant: str) -> None: ...

    def count_for_queue(self, _queue: str) -> int:
        return 1

    def count_for_partition(self, _queue: str, _tenant: str) -> int:
        return 1

    def _remove(self, _job: str, _queue_and_tenant: tuple[str, str]) -> None: ...


class JobDatabase:
    get_queue_partitions = reenqueue_for_recovery = None

    def start_queued_workflows(self, *_arguments: Any) -> tuple[list[str], None]:
        return ["a:1", "b:1"], None


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def harness(url: str) -> AsyncIterator[QueueHarness]:
    engine = make_engine(url)
    make: Callable[..., JobQueue] = partial(DbosQueue, url, poll_seconds=HOUR)
    async with AsyncExitStack() as exits:
        yield QueueHarness(make_sessions(engine), make, exits)
    await engine.dispose()


class TestWakeUps:
    async def test_job_of_a_session_starts(self, harness: QueueHarness) -> None:
        queue = await harness.open()
        await harness.submit(queue, "first")
        await harness.job.until_ended("first")

        await harness.submit(queue, "second")

        await harness.job.until_ended("second")

    async def test_job_of_the_transaction_writer_starts(self, harness: QueueHarness, url: str) -> None:
        queue = await harness.open()
        writer = TransactionWriter(make_writer_engine(url), lambda _topics: None)
        for run_id in ("first", "second"):
            await writer.run(
                lambda transaction, run_id=run_id: queue.submit_in(transaction, run_id, 1, tenant="t")
            )
            await harness.job.until_ended(run_id)
        await writer.close()

    async def test_job_that_was_submitted_before_the_start_starts(self, harness: QueueHarness) -> None:
        await harness.submit(await harness.open(consume=False), "waiting")

        await harness.open()

        await harness.job.until_ended("waiting")

    async def test_interrupted_job_starts_after_a_restart(self, harness: QueueHarness) -> None:
        queue = await harness.open()
        harness.job.hold("long")
        await harness.submit(queue, "long")
        await harness.job.until_started("long")
        await queue.drain(0.1)

        await queue.start(harness.job)
        await queue.requeue(await queue.orphans())
        harness.job.release("long")

        await harness.job.until_ended("long")

    async def test_waiting_job_starts_when_a_slot_becomes_free(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("first")
        await harness.submit(queue, "first")
        await harness.job.until_started("first")
        await harness.submit(queue, "second", "third")

        harness.job.release("first")

        await harness.job.until_ended("third")

    async def test_waiting_job_starts_when_its_tenant_s_slot_becomes_free(
        self, harness: QueueHarness
    ) -> None:
        queue = await harness.open(concurrency=5, tenant_concurrency=1)
        harness.job.hold("first")
        await harness.submit(queue, "first")
        await harness.job.until_started("first")
        await harness.submit(queue, "second")
        await harness.submit(queue, "other", tenant="other")
        await harness.job.until_ended("other")

        harness.job.release("first")

        await harness.job.until_ended("second")

    async def test_job_of_another_process_starts_after_wake(self, harness: QueueHarness, url: str) -> None:
        worker = await harness.open()
        api = DbosQueue(url, on_submitted=worker.wake)
        await api.start(harness.job, consume=False)

        await harness.submit(api, "a")

        await harness.job.until_ended("a")
        await api.drain(0)

    async def test_failed_poll_is_repeated(
        self, harness: QueueHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        claim = dbos_database.SystemDatabase.start_queued_workflows
        errors = [OperationalError("UPDATE", {}, Exception("database is locked"))]

        def fail_once(*arguments: Any, **options: Any) -> Any:
            if errors:
                raise errors.pop()
            return claim(*arguments, **options)

        monkeypatch.setattr(dbos_database.SystemDatabase, "start_queued_workflows", fail_once)
        queue = await harness.open()

        await harness.submit(queue, "a")

        await harness.job.until_ended("a")
        assert errors == []


@pytest.mark.parametrize(("running", "polls"), [(0, False), (1, True)])
def test_end_of_a_job_causes_a_poll_if_the_last_one_reached_a_limit(running: int, polls: bool) -> None:
    jobs, database, woken = RunningJobs(), JobDatabase(), list[bool]()
    timer = PollTimer(QueueLimits(concurrency=3, tenant_concurrency=3, poll_seconds=HOUR))
    timer.watch(database, jobs)

    class JobEndsMeanwhile(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            jobs._remove("a:1", ("runs", "t"))
            woken.append(self.is_set())
            return True

    timer.wait(0)
    database.start_queued_workflows("queue", "worker", "1", "t", running, running)
    timer._wake_up = JobEndsMeanwhile()
    timer.wait(HOUR)

    assert woken == [polls]


def test_claimed_jobs_count_as_running_before_they_start() -> None:
    running, database = RunningJobs(), JobDatabase()
    ClaimedJobs().watch(database, running)

    database.start_queued_workflows("queue", "worker", "1", "t", 0, 0)

    assert (running.count_for_queue("runs"), running.count_for_partition("runs", "t")) == (3, 3)
    assert running.count_for_partition("runs", "other") == 1
    running.add("a:1", "runs", "t")
    running.add("b:1", "runs", "t")
    assert running.count_for_queue("runs") == 1
