"""Executes the frequent writes of a process: synchronous functions on one connection, in one thread.

A function has all its statements executed without returning to the event loop. Functions that wait at the
same time share one transaction and its commit, each with a savepoint of its own.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from crewai_runner.core.logging import get_logger
from crewai_runner.db.commit_status import has_committed_of, read_transaction_id_of
from crewai_runner.db.write_lock import WriteLock
from crewai_runner.domain.committed_events import CommitListener, CommittedEvents

log = get_logger(__name__)
MAX_GROUP = 16
"""How many functions share a transaction at most; the next event batch waits for it."""
Result = TypeVar("Result")


@dataclass(slots=True)
class WriteTransaction:
    """The transaction of one function, and what follows its commit."""

    connection: Connection
    topics: set[str] = field(default_factory=set)
    """The topics that changed; they are published after the commit."""
    events: list[CommittedEvents] = field(default_factory=list)
    """The events that the function stored; the commit listener receives them after the commit."""
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    """Called on the event loop after the commit, before the commit listener."""


Write = Callable[[WriteTransaction], Result]


@dataclass(slots=True, eq=False)
class _PendingWrite(Generic[Result]):
    write: Write[Result]
    is_first: bool
    confirms: bool
    """Whether to look up a commit whose answer is lost."""
    is_alone: bool
    """Whether to share its transaction with no other function."""
    answer: "asyncio.Future[Result]"
    transaction: WriteTransaction | None = None
    result: Result | None = None
    error: BaseException | None = None


Group = Sequence[_PendingWrite[Any]]


class TransactionWriter:
    """The only writer of frequent writes in this process. It starts with its first write.

    On SQLite `lock` orders it with the other writers of the process. `on_commit` is called on the event loop
    after each commit, then `publish`, then the caller of `run` continues.
    """

    def __init__(
        self,
        engine: Engine,
        publish: Callable[[Iterable[str]], None],
        *,
        lock: WriteLock | None = None,
        on_commit: CommitListener | None = None,
    ) -> None:
        """`engine` is synchronous, and only the writer's thread uses it."""
        self.engine = engine
        self._publish, self._lock, self._on_commit = publish, lock, on_commit
        self._pending: deque[_PendingWrite[Any]] = deque()
        self._dispatcher: asyncio.Task[None] | None = None
        self._thread: _WorkerThread | None = None

    async def run(
        self, write: Write[Result], *, first: bool = False, confirm: bool = False, alone: bool = False
    ) -> Result:
        """Execute a function in a transaction and return its result after the commit.

        `first` puts it in front of the waiting ones. With `confirm`, a commit whose answer is lost is looked
        up (PostgreSQL): for functions that do not recognise their own earlier commit. `alone` gives it a
        transaction of its own, for rows that other processes lock as well. The function runs in a thread: it
        must only use its transaction. What it raises rolls its own changes back and is raised
        here; so are the errors of the shared commit. A cancelled caller does not stop a function that has
        started.
        """
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        pending = _PendingWrite(write, first, confirm, alone, answer)
        if first:
            self._pending.appendleft(pending)
        else:
            self._pending.append(pending)
        if self._dispatcher is None or self._dispatcher.done():
            self._dispatcher = asyncio.create_task(self._dispatch(), name="transaction-writer")
        return await answer

    async def close(self) -> None:
        """Close the connection and end the thread, after the functions that have started."""
        if self._dispatcher is not None:
            await asyncio.wait([self._dispatcher])
        if self._thread is not None:
            await self._thread.call(self.engine.dispose)
            self._thread.stop()
            self._thread = None

    async def _dispatch(self) -> None:
        while self._pending:
            if self._lock is not None:
                await self._lock.acquire(first=self._pending[0].is_first)
            try:
                group = self._take_group()
                if group:
                    await self._execute_in_thread(group)
            finally:
                if self._lock is not None:
                    self._lock.release()
            for pending in group:
                self._finish(pending)

    def _take_group(self) -> Group:
        group: list[_PendingWrite[Any]] = []
        while self._pending and len(group) < MAX_GROUP:
            if group and (self._pending[0].is_alone or group[-1].is_alone):
                break
            pending = self._pending.popleft()
            if not pending.answer.done():  # else its caller was cancelled
                group.append(pending)
        return group

    async def _execute_in_thread(self, group: Group) -> None:
        if self._thread is None:
            self._thread = _WorkerThread(asyncio.get_running_loop())
        await self._thread.call(lambda: self._execute(group))

    def _finish(self, pending: _PendingWrite[Any]) -> None:
        if pending.error is None and pending.transaction is not None:
            self._notify_listeners(pending.transaction)
        if pending.answer.done():
            return
        if pending.error is None:
            pending.answer.set_result(pending.result)
        else:
            pending.answer.set_exception(pending.error)

    def _notify_listeners(self, transaction: WriteTransaction) -> None:
        try:
            for callback in transaction.after_commit:
                callback()
            if transaction.events and self._on_commit is not None:
                self._on_commit(transaction.events)
        except Exception:
            log.exception("commit.listener_failed")  # the transaction is committed in any case
        self._publish(transaction.topics)

    # The methods below run in the thread.

    def _execute(self, group: Group) -> None:
        try:
            with self.engine.connect() as connection:
                for pending in group:
                    _execute_one(connection, pending, is_alone=len(group) == 1)
                self._commit_group(connection, group)
        except BaseException as error:  # noqa: BLE001 - passed to the callers
            for pending in group:
                pending.error = pending.error or error

    def _commit_group(self, connection: Connection, group: Group) -> None:
        transaction_id = None
        if any(pending.confirms for pending in group):
            transaction_id = read_transaction_id_of(connection)
        try:
            self._commit(connection)
        except (OperationalError, InterfaceError):
            connection.close()  # the engine has one connection
            if not has_committed_of(self.engine, transaction_id):
                raise

    @staticmethod
    def _commit(connection: Connection) -> None:
        connection.commit()


def _execute_one(connection: Connection, pending: _PendingWrite[Any], *, is_alone: bool) -> None:
    """Execute one function of a group. Raises its error if that ended the whole transaction."""
    pending.transaction = WriteTransaction(connection)
    if is_alone:
        pending.result = pending.write(pending.transaction)
        return
    savepoint = connection.begin_nested()
    try:
        pending.result = pending.write(pending.transaction)
        savepoint.commit()
    except Exception as error:
        pending.error = error
        try:
            savepoint.rollback()
        except Exception:  # noqa: BLE001 - the error before is the cause
            raise error from None
        if connection.invalidated:  # the rollback did nothing, and the functions before lost their changes
            raise


class _WorkerThread:
    """A thread that calls functions one after the other. It does not delay the end of the process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: queue.SimpleQueue[tuple[Callable[[], None], asyncio.Future[None]] | None] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._run, name="transaction-writer", daemon=True).start()

    async def call(self, function: Callable[[], None]) -> None:
        """Call a function, which must not raise, and wait for its end."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._calls.put((function, done))
        await done

    def stop(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            function, done = call
            function()
            try:
                self._loop.call_soon_threadsafe(_set_done, done)
            except RuntimeError:  # the loop is closed
                return


def _set_done(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)
