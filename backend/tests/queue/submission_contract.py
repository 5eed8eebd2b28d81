"""The transaction promise: a job exists if and only if its session commits, and exists once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from crewai_runner.db.session import make_engine, make_sessions, make_writer_engine, unit_of_work
from crewai_runner.db.transaction_writer import TransactionWriter, WriteTransaction
from crewai_runner.queue.port import JobQueue
from tests.queue.harness import QueueHarness


class SubmissionContract:
    """Inherit, and say in two fixtures where the product's tables are and how a queue is made."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def make(self, url: str) -> Callable[..., JobQueue]:
        raise NotImplementedError

    @pytest.fixture
    async def writer(self, url: str) -> AsyncIterator[TransactionWriter]:
        writer = TransactionWriter(make_writer_engine(url), lambda _topics: None)
        yield writer
        await writer.close()

    @pytest.fixture
    async def harness(self, url: str, make: Callable[..., JobQueue]) -> AsyncIterator[QueueHarness]:
        engine = make_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE run (id VARCHAR(40) PRIMARY KEY)"))
        async with AsyncExitStack() as exits:
            yield QueueHarness(make_sessions(engine), make, exits)
        await engine.dispose()

    async def test_starts_a_job_only_after_its_session_commits(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        async with harness.sessions() as session:
            await session.execute(text("INSERT INTO run VALUES ('a')"))
            await queue.submit(session, "a", 1, tenant="t", priority=1)
            if session.get_bind().dialect.name == "postgresql":
                await harness.submit(queue, "b")
                await harness.job.until_ended("b")
            assert "a" not in harness.job.order
            await session.commit()

        await harness.job.until_ended("a")

    async def test_leaves_no_job_behind_a_rollback(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        async with harness.sessions() as session:
            await queue.submit(session, "lost", 1, tenant="t", priority=1)
            await session.rollback()
            await queue.submit(session, "kept", 1, tenant="t")
            await session.commit()

        await harness.job.until_ended("kept")
        assert harness.job.order == ["kept"]

    async def test_leaves_neither_row_nor_job_behind_a_failed_unit_of_work(
        self, harness: QueueHarness
    ) -> None:
        queue = await harness.open(concurrency=1)

        async def fail() -> None:
            async with unit_of_work(harness.sessions) as session:
                await session.execute(text("INSERT INTO run VALUES ('lost')"))
                await queue.submit(session, "lost", 1, tenant="t", priority=1)
                raise RuntimeError("planted")

        with pytest.raises(RuntimeError, match="planted"):
            await fail()
        await harness.submit(queue, "kept")

        await harness.job.until_ended("kept")
        assert harness.job.order == ["kept"]
        async with harness.sessions() as session:
            assert await session.scalar(text("SELECT count(*) FROM run")) == 0

    async def test_starts_a_job_only_after_the_commit_of_the_writer(
        self, harness: QueueHarness, writer: TransactionWriter
    ) -> None:
        queue = await harness.open(concurrency=1)

        def submit_and_fail(transaction: WriteTransaction) -> None:
            queue.submit_in(transaction, "lost", 1, tenant="t")
            raise RuntimeError("planted")

        with pytest.raises(RuntimeError, match="planted"):
            await writer.run(submit_and_fail)
        await writer.run(lambda transaction: queue.submit_in(transaction, "kept", 1, tenant="t"))

        await harness.job.until_ended("kept")
        assert harness.job.order == ["kept"]

    async def test_drops_only_the_jobs_of_a_rolled_back_savepoint(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        async with unit_of_work(harness.sessions) as session:
            await queue.submit(session, "before", 1, tenant="t", priority=1)
            async with session.begin_nested() as savepoint:
                await queue.submit(session, "lost", 1, tenant="t", priority=2)
                await savepoint.rollback()
            async with session.begin_nested():
                await queue.submit(session, "after", 1, tenant="t", priority=3)

        await harness.job.until_ended("after")
        assert harness.job.order == ["before", "after"]

    async def test_releases_no_job_when_only_its_savepoint_ends(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        async with harness.sessions() as session:
            async with session.begin_nested():
                await queue.submit(session, "lost", 1, tenant="t", priority=1)
            await session.rollback()
        await harness.submit(queue, "kept")

        await harness.job.until_ended("kept")
        assert harness.job.order == ["kept"]

    async def test_submitting_an_attempt_twice_creates_one_job(self, harness: QueueHarness) -> None:
        queue = await harness.open(concurrency=1)
        await harness.submit(queue, "a", "a")
        await harness.job.until_ended("a")
        await harness.submit(queue, "a")
        async with unit_of_work(harness.sessions) as session:
            await queue.submit(session, "a", 2, tenant="t")

        await harness.job.until(lambda: ("a", 2) in harness.job.ended)
        assert harness.job.started == [("a", 1), ("a", 2)]
