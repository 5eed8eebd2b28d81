"""The durable queue keeps the contract on SQLite and on PostgreSQL, and leaves nothing behind."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import inspect, text

from crewai_runner.core import clock
from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.queue.database_engine import QUEUE_TABLES, make_queue_engine
from crewai_runner.queue.dbos import DbosQueue
from crewai_runner.queue.port import JobQueue, JobState
from tests.queue.contract import QueueContract
from tests.queue.harness import QueueHarness, eventually
from tests.queue.recording_job import RecordingJob


def is_kept(name: str) -> bool:
    """Whether a thread belongs to the event loop's pool or to the product's own aiosqlite connections."""
    return name.startswith("asyncio_") or "Thread-" in name


class DurableContract(QueueContract):
    """What the durable adapter promises on top."""

    @pytest.fixture
    def make(self, url: str) -> Callable[..., JobQueue]:
        return partial(DbosQueue, url, poll_seconds=0.05)

    async def test_drain_leaves_no_thread_and_keeps_the_loop_s_thread_pool(
        self, harness: QueueHarness
    ) -> None:
        before = set(threading.enumerate())
        queue = await harness.open()
        await harness.submit(queue, "a")
        await harness.job.until_ended("a")

        await queue.drain(5)

        while left := [t for t in set(threading.enumerate()) - before if not is_kept(t.name)]:
            await asyncio.to_thread(left[0].join)  # the test's time limit ends a thread that stays
        assert await asyncio.to_thread(int, "7") == 7

    async def test_cancels_a_job_that_runs_under_another_queue_object(
        self, harness: QueueHarness, caplog: pytest.LogCaptureFixture
    ) -> None:
        worker = await harness.open()
        api = await harness.open(consume=False)
        harness.job.hold("stuck")
        await harness.submit(api, "stuck")
        await harness.job.until_started("stuck")

        await api.cancel("stuck", 1)

        await harness.job.until(lambda: harness.job.interrupted == [("stuck", 1)])
        await eventually(lambda: _running(worker), 0)
        assert caplog.records == []

    async def test_cancels_a_job_of_its_own_process_without_waiting_for_a_poll(
        self, harness: QueueHarness
    ) -> None:
        queue = await harness.open()
        harness.job.hold("stuck")
        await harness.submit(queue, "stuck")
        await harness.job.until_started("stuck")

        await queue.cancel("stuck", 1)
        for _ in range(3):
            await asyncio.sleep(0)

        assert harness.job.interrupted == [("stuck", 1)]

    async def test_stores_ids_as_plain_json_and_no_message_of_an_error(
        self, harness: QueueHarness, url: str
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.broken.add("bad")
        await harness.submit(queue, "bad", "good")
        await harness.job.until_ended("good")
        await eventually(lambda: _unfinished(queue), (0, 0))
        await queue.drain(5)

        stored = _dump(url)

        inputs = [row["inputs"] for row in stored["workflow_input"]]
        assert sorted(json.loads(text)["positionalArgs"] for text in inputs) == [["bad", 1], ["good", 1]]
        assert "JobFailed" in str(stored)
        assert "planted failure" not in str(stored)

    async def test_keeps_a_job_that_the_application_loop_cancels(self, harness: QueueHarness) -> None:
        queue = await harness.open()
        harness.job.hold("long")
        await harness.submit(queue, "long")
        await harness.job.until_started("long")

        for task in asyncio.all_tasks():
            if task.get_name() == "job long:1":
                task.cancel()
        await harness.job.until(lambda: harness.job.interrupted == [("long", 1)])
        await queue.drain(5)
        await queue.start(harness.job)
        await queue.requeue(await queue.orphans())
        harness.job.release("long")

        await harness.job.until_ended("long")
        assert harness.job.started == [("long", 1), ("long", 1)]

    async def test_ends_a_job_whose_body_raises_cancelled_error_by_itself(
        self, harness: QueueHarness
    ) -> None:
        async def body(_run_id: str, _attempt: int) -> None:
            raise asyncio.CancelledError

        harness.job = body  # type: ignore[assignment]
        queue = await harness.open()
        await harness.submit(queue, "a")

        await eventually(lambda: _unfinished(queue), (0, 0))

    async def test_runs_a_job_after_any_number_of_restarts(self, harness: QueueHarness, url: str) -> None:
        queue = await harness.open(consume=False)
        await harness.submit(queue, "a")
        engine = make_queue_engine(url)
        schema = "dbos." if engine.dialect.name == "postgresql" else ""
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE {schema}workflow_status SET recovery_attempts = 100000"))
        engine.dispose()

        await harness.open()

        await harness.job.until_ended("a")

    async def test_logs_through_the_product_s_logging_alone(self, harness: QueueHarness) -> None:
        await harness.open()

        log = logging.getLogger("dbos")
        assert [type(h) for h in log.handlers] == [logging.NullHandler]
        assert log.propagate

    async def test_rejects_use_before_start_and_a_second_start(self, harness: QueueHarness, url: str) -> None:
        queue = DbosQueue(url)
        with pytest.raises(RuntimeError, match="not started"):
            await queue.stats()
        with pytest.raises(RuntimeError, match="not started"):
            await queue.cancel("a", 1)
        await queue.start(harness.job, consume=False)
        with pytest.raises(RuntimeError, match="already started"):
            await queue.start(harness.job)
        await queue.drain(0)

    async def test_lets_only_one_queue_consume_in_a_process(
        self, harness: QueueHarness, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        queue = await harness.open()
        other = DbosQueue(f"sqlite:///{tmp_path_factory.mktemp('other')}/product.db")

        with pytest.raises(RuntimeError, match="another queue of this process"):
            await other.start(harness.job)

        await harness.submit(queue, "a")
        await harness.job.until_ended("a")

    async def test_forget_deletes_only_records_of_jobs_that_ended_earlier(
        self, harness: QueueHarness, url: str
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.broken.add("bad")
        harness.job.hold("stuck", "running")
        for run_id in ("good", "bad", "stuck", "running", "waiting"):
            await harness.submit(queue, run_id)
        await harness.job.until_started("stuck")
        await queue.cancel("stuck", 1)
        await harness.job.until_started("running")

        assert await queue.forget(clock.now() - timedelta(hours=1)) == 0
        assert await queue.forget(clock.now() + timedelta(hours=1)) == 3

        assert await _unfinished(queue) == (1, 1)
        stored = _dump(url)
        assert len(stored["workflow_input"]) == len(stored["workflow_status"]) == 2
        assert stored["workflow_output"] == []


class TestDbosOnSqlite(DurableContract):
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url

    async def test_queue_tables_lists_every_table_of_dbos(self, harness: QueueHarness, url: str) -> None:
        await harness.open()

        engine = make_queue_engine(url)
        assert set(inspect(engine).get_table_names()) == QUEUE_TABLES | {"run"}
        engine.dispose()

    async def test_refuses_an_in_memory_database(self) -> None:
        with pytest.raises(ValueError, match="needs an SQLite file"):
            DbosQueue("sqlite://")

    async def test_has_no_orphans(self, harness: QueueHarness) -> None:
        queue = await harness.open()

        await queue.requeue([("a", 1)])

        assert await queue.orphans() == []


class TestDbosOnPostgres(DurableContract):
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url

    async def test_keeps_its_tables_out_of_the_product_s_schema(
        self, harness: QueueHarness, url: str
    ) -> None:
        await harness.open()

        engine = make_queue_engine(url)
        assert inspect(engine).get_table_names() == ["run"]
        assert set(inspect(engine).get_table_names(schema="dbos")) >= QUEUE_TABLES | {"worker_lease"}
        engine.dispose()

    async def test_creates_the_tables_once_when_several_processes_start(self, url: str) -> None:
        queues = [DbosQueue(url) for _ in range(3)]

        await asyncio.gather(*(queue.start(RecordingJob(), consume=False) for queue in queues))

        engine = make_engine(url)
        async with unit_of_work(make_sessions(engine)) as session:
            for queue in queues:
                await queue.submit(session, "same", 1, tenant="t")
        assert (await queues[0].stats()).waiting == 1
        for queue in queues:
            await queue.drain(0)
        await engine.dispose()

    async def test_requeues_an_orphan_once_and_never_a_live_worker_s_job(
        self, harness: QueueHarness, url: str
    ) -> None:
        queue = await harness.open(concurrency=2)
        harness.job.hold("alive", "orphan")
        await harness.submit(queue, "alive", "orphan")
        await harness.job.until_started("alive", "orphan")
        engine = make_queue_engine(url)
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE dbos.workflow_status SET executor_id='gone' WHERE workflow_uuid='orphan:1'")
            )

        assert await queue.orphans() == [("orphan", 1)]
        states = {("alive", 1): JobState.RUNNING, ("orphan", 1): JobState.ORPHANED}
        assert await queue.states([("alive", 1), ("orphan", 1)]) == states
        await asyncio.gather(*(queue.requeue([("orphan", 1), ("alive", 1)]) for _ in range(4)))

        assert await queue.orphans() == []
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT workflow_uuid, status FROM dbos.workflow_status")).all()
        assert ("alive:1", "PENDING") in [tuple(row) for row in rows]
        engine.dispose()


async def _running(queue: JobQueue) -> int:
    return (await queue.stats()).running


async def _unfinished(queue: JobQueue) -> tuple[int, int]:
    figures = await queue.stats()
    return figures.waiting, figures.running


def _dump(url: str) -> dict[str, list[dict[str, str]]]:
    engine = make_queue_engine(url)
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    prefix = "" if schema is None else f"{schema}."
    with engine.connect() as connection:
        stored = {
            name: [dict(row) for row in connection.execute(text(f"SELECT * FROM {prefix}{name}")).mappings()]
            for name in inspect(engine).get_table_names(schema=schema)
        }
    engine.dispose()
    return stored
