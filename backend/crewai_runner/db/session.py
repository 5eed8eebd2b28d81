"""Engine, sessions and the unit of work: the one place that commits."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

BUSY_TIMEOUT_MS = 30_000
READ_ONLY = "crewai_runner_read_only"
_NEWS = "crewai_runner_news"
Result = TypeVar("Result")


def async_url(database_url: str) -> str:
    """The same database under the driver this product uses (aiosqlite, psycopg)."""
    url = make_url(database_url)
    driver = {"sqlite": "sqlite+aiosqlite"}.get(url.get_backend_name(), "postgresql+psycopg")
    return url.set(drivername=driver).render_as_string(hide_password=False)


def make_engine(database_url: str, *, pool_size: int = 20) -> AsyncEngine:
    """An engine for SQLite (WAL, foreign keys, busy time-out) or PostgreSQL."""
    url = async_url(database_url)
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=pool_size, max_overflow=10, pool_pre_ping=True)
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=10)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # The driver's own implicit BEGIN is turned off; `_begin_sqlite` says which kind is meant.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    add_unixepoch(connection)


def add_unixepoch(connection: DBAPIConnection) -> None:
    """Teach an SQLite older than 3.42 `unixepoch('subsec')`, a default of the queue's tables.

    Such a library knows the function but answers NULL to that modifier, and the insert fails.
    """
    if sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", 1, lambda _modifier: time.time())


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another writer got
    # in between (no busy time-out helps there), so writers take the lock from the start.
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


Sessions = async_sessionmaker[AsyncSession]


def make_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def unit_of_work(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """One transaction: committed at the end, rolled back on any exception."""
    async with sessions() as session:
        try:
            yield session
            await session.commit()
        except BaseException:
            await session.rollback()
            raise


@asynccontextmanager
async def reading(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A consistent look without a write lock; nothing is committed."""
    async with sessions() as session:
        await session.connection(execution_options={READ_ONLY: True})
        yield session


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Let database work end before a cancellation goes on: a connection cut in the middle is lost."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def note_news(session: AsyncSession, topic: str) -> None:
    """Remember that this transaction makes news of a topic, to be rung after the commit."""
    session.info.setdefault(_NEWS, set()).add(topic)


def take_news(session: AsyncSession) -> set[str]:
    """The topics to ring now that the transaction is committed."""
    topics: set[str] = session.info.pop(_NEWS, set())
    return topics
