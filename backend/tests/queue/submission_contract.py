"""The transaction promise: a job exists if and only if its session commits, and exists once."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.queue.port import JobQueue
from tests.queue.desk import Desk


class SubmissionContract:
    """Inherit, and say in two fixtures where the product's tables are and how a queue is made."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def make(self, url: str) -> Callable[..., JobQueue]:
        raise NotImplementedError

    @pytest.fixture
    async def desk(self, url: str, make: Callable[..., JobQueue]) -> AsyncIterator[Desk]:
        engine = make_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE run (id VARCHAR(40) PRIMARY KEY)"))
        async with AsyncExitStack() as exits:
            yield Desk(make_sessions(engine), make, exits)
        await engine.dispose()

    async def test_begins_a_job_only_after_its_session_commits(self, desk: Desk) -> None:
        queue = await desk.open(concurrency=1)
        async with desk.sessions() as session:
            await session.execute(text("INSERT INTO run VALUES ('a')"))
            await queue.submit(session, "a", 1, tenant="t", priority=1)
            if session.get_bind().dialect.name == "postgresql":
                await desk.submit(queue, "b")
                await desk.body.until_ended("b")
            assert "a" not in desk.body.order
            await session.commit()

        await desk.body.until_ended("a")

    async def test_leaves_no_job_behind_a_rollback(self, desk: Desk) -> None:
        queue = await desk.open(concurrency=1)
        async with desk.sessions() as session:
            await queue.submit(session, "lost", 1, tenant="t", priority=1)
            await session.rollback()
            await queue.submit(session, "kept", 1, tenant="t")
            await session.commit()

        await desk.body.until_ended("kept")
        assert desk.body.order == ["kept"]

    async def test_leaves_neither_row_nor_job_behind_a_failed_unit_of_work(self, desk: Desk) -> None:
        queue = await desk.open(concurrency=1)

        async def fail() -> None:
            async with unit_of_work(desk.sessions) as session:
                await session.execute(text("INSERT INTO run VALUES ('lost')"))
                await queue.submit(session, "lost", 1, tenant="t", priority=1)
                raise RuntimeError("planted")

        with pytest.raises(RuntimeError, match="planted"):
            await fail()
        await desk.submit(queue, "kept")

        await desk.body.until_ended("kept")
        assert desk.body.order == ["kept"]
        async with desk.sessions() as session:
            assert await session.scalar(text("SELECT count(*) FROM run")) == 0

    async def test_forgets_the_jobs_of_a_rolled_back_savepoint_alone(self, desk: Desk) -> None:
        queue = await desk.open(concurrency=1)
        async with unit_of_work(desk.sessions) as session:
            await queue.submit(session, "before", 1, tenant="t", priority=1)
            async with session.begin_nested() as savepoint:
                await queue.submit(session, "lost", 1, tenant="t", priority=2)
                await savepoint.rollback()
            async with session.begin_nested():
                await queue.submit(session, "after", 1, tenant="t", priority=3)

        await desk.body.until_ended("after")
        assert desk.body.order == ["before", "after"]

    async def test_releases_no_job_when_only_its_savepoint_ends(self, desk: Desk) -> None:
        queue = await desk.open(concurrency=1)
        async with desk.sessions() as session:
            async with session.begin_nested():
                await queue.submit(session, "lost", 1, tenant="t", priority=1)
            await session.rollback()
        await desk.submit(queue, "kept")

        await desk.body.until_ended("kept")
        assert desk.body.order == ["kept"]

    async def test_takes_the_same_attempt_twice_for_one_job(self, desk: Desk) -> None:
        queue = await desk.open(concurrency=1)
        await desk.submit(queue, "a", "a")
        await desk.body.until_ended("a")
        await desk.submit(queue, "a")
        async with unit_of_work(desk.sessions) as session:
            await queue.submit(session, "a", 2, tenant="t")

        await desk.body.until(lambda: ("a", 2) in desk.body.ended)
        assert desk.body.begun == [("a", 1), ("a", 2)]
