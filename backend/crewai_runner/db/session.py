"""Engine, sessions and the unit of work: the one place that commits."""

import asyncio
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from crewai_runner.core.logging import get_logger
from crewai_runner.domain.committed_events import CommitListener, CommittedEvents

log = get_logger(__name__)
BUSY_TIMEOUT_MS = 30_000
AWAY_SECONDS = 0.5
READ_ONLY = "crewai_runner_read_only"
_NEWS = "crewai_runner_news"
_COMMITTED = "crewai_runner_committed"
_LISTENER = "crewai_runner_commit_listener"
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
    add_subsecond_clock(connection)


def add_subsecond_clock(connection: DBAPIConnection) -> None:
    """Teach an SQLite the milliseconds that the queue's tables are dated with.

    Before 3.42 it knows `unixepoch` but answers NULL to `unixepoch('subsec')`, and the insert fails. On
    Python 3.11 the queue asks `strftime('%s', 'now')` instead, whose whole seconds would put the jobs of
    one second in any order.
    """
    if sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", 1, lambda _modifier: time.time())
    if sys.version_info < (3, 12):
        connection.create_function("strftime", 2, _strftime)


def _strftime(form: str, when: str) -> float:
    if (form, when) != ("%s", "now"):
        raise ValueError("only the present moment in seconds is known")
    return time.time()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another writer got
    # in between (no busy time-out helps there), so writers take the lock from the start.
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


Sessions = async_sessionmaker[AsyncSession]


def make_sessions(engine: AsyncEngine, on_commit: CommitListener | None = None) -> Sessions:
    """Sessions on an engine; `on_commit` hears the events that their units of work stored."""
    info = {} if on_commit is None else {_LISTENER: on_commit}
    return async_sessionmaker(engine, expire_on_commit=False, info=info)


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
        _pass_on(session)


@asynccontextmanager
async def read_session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A consistent look without a write lock; nothing is committed."""
    async with sessions() as session:
        await session.connection(execution_options={READ_ONLY: True})
        yield session


async def shielded(work: Coroutine[Any, Any, Result]) -> Result:
    """Let database work end before a cancellation goes on: a connection cut in the middle is lost."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def is_database_unavailable(error: BaseException) -> bool:
    """Whether a failure means that the database is away or too busy, not that we asked wrongly."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return "database is locked" in str(error.orig)
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout))


async def retry_while_unavailable(read: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """The answer of a read, however long the database is away."""
    while True:
        try:
            return await shielded(read())
        except SQLAlchemyError as error:
            if not is_database_unavailable(error):
                raise
            await asyncio.sleep(AWAY_SECONDS)


def record_committed_events(session: AsyncSession, told: CommittedEvents) -> None:
    """Remember events that this transaction stores, for the listener; without a commit nobody hears them."""
    if _LISTENER in session.info:
        session.info.setdefault(_COMMITTED, []).append(told)


def _pass_on(session: AsyncSession) -> None:
    batch = session.info.pop(_COMMITTED, None)
    if batch is None:
        return
    try:
        session.info[_LISTENER](batch)
    except Exception:
        log.exception("commit.listener_failed")  # what is committed stays so, whoever listens


def add_notification(session: AsyncSession, topic: str) -> None:
    """Remember that this transaction makes news of a topic, to be rung after the commit."""
    session.info.setdefault(_NEWS, set()).add(topic)


def pop_notifications(session: AsyncSession) -> set[str]:
    """The topics to ring now that the transaction is committed."""
    topics: set[str] = session.info.pop(_NEWS, set())
    return topics
