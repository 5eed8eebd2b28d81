"""Executes frequent reads: synchronous functions on plain connections, in threads.

An asynchronous session costs more than most queries: each of its statements is a hop to another thread.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crewai_runner.db.connection_budget import SQLITE_BUDGET

Result = TypeVar("Result")


SLOW_READ_SECONDS = 0.02
"""After this time a read no longer keeps others from starting."""
QUICK_READS_ON_SQLITE = 2
"""Reads that start at once: SQLite releases the interpreter's lock for each row, and threads that take it
from each other for every row of two lists cost more than the lists.
"""


class SnapshotReader:
    """Runs functions that only read. All queries of a function see the same moment of the database."""

    def __init__(self, engine: Engine, threads: int = SQLITE_BUDGET.reads) -> None:
        """`engine` is synchronous, opens read-only transactions and has a connection for each thread.

        More than a few threads would not help: they share the interpreter's lock.
        """
        self.engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="snapshot-reader")
        at_once = min(threads, QUICK_READS_ON_SQLITE) if engine.dialect.name == "sqlite" else threads
        self._starts = asyncio.Semaphore(at_once)

    async def run(self, read: Callable[[Connection], Result]) -> Result:
        """Execute a function in a transaction and return its result.

        The function runs in a thread: it must only use its connection. It runs again if the database had
        closed the connection. A cancelled caller does not stop a function that has started.
        """
        loop, is_slow = asyncio.get_running_loop(), False

        def let_another_start() -> None:
            nonlocal is_slow
            is_slow = True
            self._starts.release()

        await self._starts.acquire()
        timer = loop.call_later(SLOW_READ_SECONDS, let_another_start)
        try:
            return await loop.run_in_executor(self._threads, self._read, read)
        finally:
            timer.cancel()
            if not is_slow:
                self._starts.release()

    async def run_in_session(self, read: Callable[[Session], Result]) -> Result:
        """`run` for a function that reads entities; they are detached when it returns."""

        def read_entities(connection: Connection) -> Result:
            with Session(connection) as session:
                return read(session)

        return await self.run(read_entities)

    async def close(self) -> None:
        """Close the connections and end the threads, after the functions that have started."""
        await asyncio.to_thread(self._threads.shutdown)
        self.engine.dispose()

    def _read(self, read: Callable[[Connection], Result]) -> Result:
        try:
            return self._read_once(read)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._read_once(read)

    def _read_once(self, read: Callable[[Connection], Result]) -> Result:
        with self.engine.connect() as connection:
            return read(connection)
