"""The transaction writer: one commit for what waits together, and what follows a commit follows only it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError, PendingRollbackError

from crewai_runner.db.failures import is_database_unavailable, is_temporary
from crewai_runner.db.session import make_writer_engine
from crewai_runner.db.transaction_writer import MAX_GROUP, TransactionWriter, WriteTransaction
from crewai_runner.db.write_lock import WriteLock
from crewai_runner.domain.committed_events import CommittedEvents
from tests.support.harness import ON_POSTGRESQL, ON_SQLITE

pytestmark = pytest.mark.each_database


class WriterHarness:
    """A writer on a table of names, and what it reported."""

    def __init__(self, database_url: str) -> None:
        self.lock = WriteLock()
        self.committed: list[str] = []
        self.published: list[str] = []
        self.commits = 0
        self.writer = TransactionWriter(
            make_writer_engine(database_url), self._publish, lock=self.lock, on_commit=self._on_commit
        )
        event.listen(self.writer.engine, "commit", self._count)

    def _publish(self, topics: Iterable[str]) -> None:
        self.published += topics

    def _on_commit(self, batch: Iterable[CommittedEvents]) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.committed += [events.run_id for events in batch]

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def insert(self, name: str, error: Exception | None = None) -> Callable[[WriteTransaction], str]:
        """A write that stores a name, reports it and returns it, or raises after that."""

        def write(transaction: WriteTransaction) -> str:
            statement = text(
                "INSERT INTO workspaces (id, name, created_at) VALUES (:name, :name, '2026-01-01')"
            )
            transaction.connection.execute(statement, {"name": name})
            transaction.topics.add(name)
            transaction.events.append(CommittedEvents(name, 1, []))
            if error is not None:
                raise error
            return name

        return write

    async def run_together(
        self, *writes: Callable[[WriteTransaction], object], alone: Sequence[int] = ()
    ) -> list[object]:
        """Give the writer several functions while it waits; returns results and errors.

        Those with the numbers `alone` get a transaction of their own.
        """
        await self.lock.acquire()
        running = [
            asyncio.create_task(self.writer.run(write, alone=number in alone))
            for number, write in enumerate(writes)
        ]
        await asyncio.sleep(0.05)
        self.lock.release()
        return await asyncio.gather(*running, return_exceptions=True)

    async def names(self) -> list[str]:
        query = text("SELECT id FROM workspaces ORDER BY id")
        return await self.writer.run(lambda transaction: list(transaction.connection.scalars(query)))


@pytest.fixture
async def harness(database_url: str) -> AsyncIterator[WriterHarness]:
    harness = WriterHarness(database_url)
    yield harness
    await harness.writer.close()


class TestRun:
    async def test_returns_the_result_after_commit_listeners_and_notifications(
        self, harness: WriterHarness
    ) -> None:
        assert await harness.writer.run(harness.insert("a")) == "a"

        assert (harness.committed, harness.published) == (["a"], ["a"])
        assert await harness.names() == ["a"]

    async def test_error_rolls_back_and_reports_nothing(self, harness: WriterHarness) -> None:
        with pytest.raises(ValueError, match="a bug"):
            await harness.writer.run(harness.insert("a", ValueError("a bug")))

        assert (harness.committed, harness.published) == ([], [])
        assert await harness.names() == []

    async def test_broken_listener_does_not_stop_the_writer(self, harness: WriterHarness) -> None:
        def fail(_batch: Iterable[CommittedEvents]) -> None:
            raise ValueError("a bug")

        harness.writer._on_commit = fail

        assert await harness.writer.run(harness.insert("a")) == "a"
        assert await harness.names() == ["a"]

    async def test_cancelled_caller_stores_nothing_unless_its_write_has_started(
        self, harness: WriterHarness
    ) -> None:
        await harness.lock.acquire()
        waiting = asyncio.create_task(harness.writer.run(harness.insert("a")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        harness.lock.release()

        assert await harness.names() == []

    async def test_runs_again_after_it_was_closed(self, harness: WriterHarness) -> None:
        await harness.writer.run(harness.insert("a"))
        await harness.writer.close()

        assert await harness.names() == ["a"]


class TestGroup:
    async def test_shares_one_commit(self, harness: WriterHarness) -> None:
        results = await harness.run_together(*(harness.insert(name) for name in "abc"))

        assert (results, harness.commits) == (["a", "b", "c"], 1)
        assert harness.committed == ["a", "b", "c"]

    @pytest.mark.parametrize(("alone", "commits"), [([0], 2), ([1], 3), ([2], 2), ([0, 1, 2], 3)])
    async def test_a_function_alone_shares_its_commit_with_no_other(
        self, harness: WriterHarness, alone: list[int], commits: int
    ) -> None:
        results = await harness.run_together(*(harness.insert(name) for name in "abc"), alone=alone)

        assert (results, harness.commits) == (["a", "b", "c"], commits)

    @pytest.mark.parametrize("number", range(3))
    async def test_error_of_one_affects_no_other(self, harness: WriterHarness, number: int) -> None:
        error = ValueError("a bug")
        writes = [harness.insert(name, error if at == number else None) for at, name in enumerate("abc")]

        results = await harness.run_together(*writes)

        kept = [name for at, name in enumerate("abc") if at != number]
        assert results[number] is error
        assert [result for result in results if result is not error] == kept
        assert (await harness.names(), harness.committed, sorted(harness.published)) == (kept, kept, kept)

    async def test_refused_statement_affects_no_other(self, harness: WriterHarness) -> None:
        def refused(transaction: WriteTransaction) -> None:
            transaction.connection.execute(text("INSERT INTO workspaces (id) VALUES ('x')"))

        results = await harness.run_together(harness.insert("a"), refused, harness.insert("b"))

        assert isinstance(results[1], DBAPIError)
        assert await harness.names() == ["a", "b"]

    @ON_SQLITE
    async def test_transaction_ended_by_an_error_fails_everyone_with_the_cause(
        self, harness: WriterHarness
    ) -> None:
        def end_transaction(transaction: WriteTransaction) -> None:
            transaction.connection.exec_driver_sql("ROLLBACK")  # as SQLite does when the disk is full
            raise OperationalError("INSERT", {}, Exception("disk is full"))

        results = await harness.run_together(harness.insert("a"), end_transaction, harness.insert("b"))

        assert ["disk is full" in str(result) for result in results] == [True] * 3
        assert (await harness.names(), harness.committed) == ([], [])

    async def test_failed_commit_fails_everyone(
        self, harness: WriterHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_connection: Connection) -> None:
            raise OperationalError("COMMIT", {}, Exception("gone"))

        with monkeypatch.context() as patch:
            patch.setattr(TransactionWriter, "_commit", staticmethod(fail))
            results = await harness.run_together(harness.insert("a"), harness.insert("b"))

        assert [type(result) for result in results] == [OperationalError] * 2
        assert (await harness.names(), harness.committed, harness.published) == ([], [], [])

    async def test_has_a_limit(self, harness: WriterHarness) -> None:
        names = [f"{number:03}" for number in range(MAX_GROUP + 1)]

        results = await harness.run_together(*(harness.insert(name) for name in names))

        assert (results, harness.commits) == (names, 2)

    @ON_SQLITE
    async def test_first_write_precedes_those_that_wait(self, harness: WriterHarness) -> None:
        await harness.lock.acquire()
        waiting = [asyncio.create_task(harness.writer.run(harness.insert(name))) for name in "ab"]
        await asyncio.sleep(0.05)
        waiting.append(asyncio.create_task(harness.writer.run(harness.insert("events"), first=True)))
        await asyncio.sleep(0.05)
        harness.lock.release()
        await asyncio.gather(*waiting)

        assert harness.committed == ["events", "a", "b"]


def lose_connection(transaction: WriteTransaction) -> None:
    transaction.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


@ON_POSTGRESQL
class TestLostConnection:
    async def test_is_replaced(self, harness: WriterHarness) -> None:
        own_id = text("SELECT pg_backend_pid()")
        backend = await harness.writer.run(lambda transaction: transaction.connection.scalar(own_id))
        other = make_writer_engine(harness.writer.engine.url.render_as_string(hide_password=False))
        with other.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        other.dispose()

        assert await harness.writer.run(harness.insert("a")) == "a"

    @pytest.mark.parametrize("number", range(3))
    async def test_during_a_group_is_temporary_for_everyone(
        self, harness: WriterHarness, number: int
    ) -> None:
        writes: list[Callable[[WriteTransaction], object]] = [harness.insert(name) for name in "ab"]
        writes.insert(number, lose_connection)

        results = await harness.run_together(*writes)

        assert all(isinstance(error, OperationalError) and is_temporary(error) for error in results), results
        assert (await harness.names(), harness.committed) == ([], [])

    async def test_is_temporary_for_a_function_that_goes_on(self, harness: WriterHarness) -> None:
        def go_on(transaction: WriteTransaction) -> None:
            with suppress(OperationalError):
                lose_connection(transaction)
            transaction.connection.execute(text("SELECT 1"))

        with pytest.raises(PendingRollbackError) as caught:
            await harness.writer.run(go_on)

        assert is_temporary(caught.value)
        assert is_database_unavailable(caught.value)
