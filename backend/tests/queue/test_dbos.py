"""The durable queue keeps the contract on SQLite and on PostgreSQL, and leaves nothing behind."""

import asyncio
import itertools
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import dbos._queue as dbos_queue
import dbos._sys_db as dbos_database
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from crewai_runner.core import clock
from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.db.transaction_writer import TransactionWriter
from crewai_runner.queue import lost_claims
from crewai_runner.queue.database_engine import QUEUE_TABLES, make_queue_engine
from crewai_runner.queue.dbos import DbosQueue
from crewai_runner.queue.job_table import JobTable
from crewai_runner.queue.lost_claims import LostClaims
from crewai_runner.queue.port import JobQueue, JobState
from tests.queue.contract import QueueContract
from tests.queue.harness import QueueHarness, eventually
from tests.queue.recording_job import RecordingJob
from tests.support.commit_proxy import CommitProxy, open_commit_proxy


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

    async def test_runs_a_job_that_could_not_be_started(
        self, harness: QueueHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start = dbos_queue.execute_dequeued_workflow
        errors = [RuntimeError("planted failure")]

        def fail_once(*arguments: Any) -> Any:
            if errors:
                raise errors.pop()
            return start(*arguments)

        monkeypatch.setattr(dbos_queue, "execute_dequeued_workflow", fail_once)
        queue = await harness.open()
        await harness.submit(queue, "a")

        await harness.job.until_ended("a")
        assert harness.job.started == [("a", 1)]

    async def test_requeues_only_the_jobs_of_a_lost_claim(self, harness: QueueHarness, url: str) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.hold("a")
        await harness.submit(queue, "a")
        await harness.job.until_started("a")
        token = next(row["owner_xid"] for row in _dump(url)["workflow_status"])
        engine = make_queue_engine(url)
        table = JobTable(engine, "runs")

        assert table.requeue_claimed({token: {"another:1"}, "an earlier claim of the job": None}) == []
        assert _dump(url)["workflow_status"][0]["status"] == "PENDING"
        assert table.requeue_claimed({token: None}) == [("a:1", token)]
        engine.dispose()

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
            await queue.states([("a", 1)])
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
        self, harness: QueueHarness, url: str, writer: TransactionWriter
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.broken.add("bad")
        harness.job.hold("running")
        for run_id in ("good", "bad", "running", "waiting"):
            await harness.submit(queue, run_id)
        await harness.job.until_started("running")

        async def forget(before: datetime) -> int:
            return await writer.run(lambda transaction: queue.forget_in(transaction, before, limit=1))

        assert await forget(clock.now() - timedelta(hours=1)) == 0
        later = clock.now() + timedelta(hours=1)
        assert [await forget(later) for _ in range(3)] == [1, 1, 0]

        assert await _unfinished(queue) == (1, 1)
        stored = _dump(url)
        assert len(stored["workflow_input"]) == len(stored["workflow_status"]) == 2
        assert stored["workflow_output"] == []

    async def test_delete_ended_keeps_the_records_of_unfinished_and_of_other_jobs(
        self, harness: QueueHarness, url: str
    ) -> None:
        queue = await harness.open(concurrency=1)
        harness.job.broken.add("bad")
        harness.job.hold("running")
        for run_id in ("good", "other", "bad", "running", "waiting"):
            await harness.submit(queue, run_id)
        await harness.job.until_started("running")

        await queue.delete_ended([(name, 1) for name in ("good", "bad", "running", "waiting", "unknown")])

        assert await _unfinished(queue) == (1, 1)
        stored = _dump(url)
        assert "good" not in str(stored)
        assert len(stored["workflow_input"]) == len(stored["workflow_status"]) == 3


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


class TestLostCommitAnswers:
    """The answers of the queue's commits are lost between PostgreSQL and the worker."""

    @pytest.fixture
    async def proxy(self, postgres_url: str) -> AsyncIterator[CommitProxy]:
        async with open_commit_proxy(postgres_url) as proxy:
            yield proxy

    @pytest.fixture
    async def harness(self, postgres_url: str, proxy: CommitProxy) -> AsyncIterator[QueueHarness]:
        engine = make_engine(postgres_url)
        async with AsyncExitStack() as exits:
            yield QueueHarness(
                make_sessions(engine),
                lambda **options: DbosQueue(proxy.url, poll_seconds=0.05, **options),
                exits,
            )
        await engine.dispose()

    async def test_every_job_runs_once(
        self, harness: QueueHarness, proxy: CommitProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            dbos_database, "time", SimpleNamespace(time=time.time, sleep=lambda _seconds: None)
        )
        queue = await harness.open(concurrency=1)
        for number in itertools.count(1):
            name = f"job {number}"
            proxy.cut(number, text="workflow_status")
            await harness.submit(queue, name)
            await harness.job.until_ended(name)
            await eventually(lambda: _unfinished(queue), (0, 0))
            if proxy.commits < number:
                break

        assert number > 2
        assert harness.job.order == [f"job {index + 1}" for index in range(number)]


class TestLostClaims:
    def test_survive_an_outage_longer_than_their_doubt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lost_claims, "IN_DOUBT_SECONDS", 0.0)
        error = OperationalError("UPDATE", {}, Exception("no connection"))
        table = Mock(spec=JobTable)
        table.requeue_claimed.side_effect = [error, [("a:1", "token")], []]
        database = Mock()
        database.start_queued_workflows.side_effect = error
        claims = LostClaims(table, "runs")
        claims.watch(database, SimpleNamespace(execute_dequeued_workflow=Mock(spec=[])))
        with pytest.raises(OperationalError):
            database.start_queued_workflows(SimpleNamespace(name="runs"), owner_xid="token")

        with pytest.raises(OperationalError):
            claims.requeue()
        claims.requeue()
        claims.requeue()

        assert table.requeue_claimed.call_args_list == [call({"token": None})] * 2


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
