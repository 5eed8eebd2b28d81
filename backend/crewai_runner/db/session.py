"""Engine, sessions and the unit of work. No other module commits."""

import asyncio
import hashlib
import itertools
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
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
from crewai_runner.db.failures import find_storage_failure, is_temporary
from crewai_runner.domain.committed_events import CommitListener, CommittedEvents

log = get_logger(__name__)
BUSY_TIMEOUT_MS = 30_000
RETRY_SECONDS = 0.5
POOL_TIMEOUT_SECONDS = 10.0
POSTGRES_LIMITS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""Seconds, except for `tcp_user_timeout` in milliseconds: a blackholed server fails like one that is down."""
READ_ONLY = "crewai_runner_read_only"
_NOTIFICATIONS = "crewai_runner_notifications"
_COMMITTED = "crewai_runner_committed"
_DIGEST = "crewai_runner_digest"
_LISTENER = "crewai_runner_commit_listener"
Result = TypeVar("Result")


def async_url(database_url: str) -> str:
    """Return the URL of the same database for its asynchronous driver (aiosqlite, psycopg)."""
    url = make_url(database_url)
    driver = {"sqlite": "sqlite+aiosqlite"}.get(url.get_backend_name(), "postgresql+psycopg")
    return url.set(drivername=driver).render_as_string(hide_password=False)


def make_engine(database_url: str, *, pool_size: int = 20) -> AsyncEngine:
    """Create an engine for SQLite (WAL, foreign keys, busy timeout) or PostgreSQL."""
    url = async_url(database_url)
    if not url.startswith("sqlite"):
        return create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=10,
            pool_pre_ping=True,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            connect_args=connection_limits(database_url),
        )
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=10)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def connection_limits(database_url: str) -> dict[str, int]:
    """Return libpq's limits for a server that does not answer, except for those that the URL sets itself."""
    given = make_url(database_url).query
    return {name: value for name, value in POSTGRES_LIMITS.items() if name not in given}


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # Disable the driver's implicit BEGIN: `_begin_sqlite` chooses the kind of transaction.
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
    """Add the millisecond timestamps that the queue's tables need to SQLite.

    SQLite before 3.42 returns NULL for `unixepoch('subsec')`, and the queue's insert fails. On Python 3.11
    the queue calls `strftime('%s', 'now')`, whose full seconds would not order the jobs of one second.
    """
    if sqlite3.sqlite_version_info < (3, 42):
        connection.create_function("unixepoch", 1, lambda _modifier: time.time())
    if sys.version_info < (3, 12):
        connection.create_function("strftime", 2, _strftime)


def _strftime(form: str, when: str) -> float:
    if (form, when) != ("%s", "now"):
        raise ValueError("only strftime('%s', 'now') is supported")
    return time.time()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that upgrades from reading to writing fails at once if another one has written in the
    # meantime, without the busy timeout. Writers therefore take the lock at the start.
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


Sessions = async_sessionmaker[AsyncSession]


def make_sessions(
    engine: AsyncEngine, on_commit: CommitListener | None = None, digest: Callable[[str], str] | None = None
) -> Sessions:
    """Create a session factory. `on_commit` receives the events that each committed unit of work stored.

    `digest` is what `keyed_digest` uses.
    """
    info: dict[str, object] = {} if on_commit is None else {_LISTENER: on_commit}
    info |= {_DIGEST: digest or _digest_without_key}
    return async_sessionmaker(engine, expire_on_commit=False, info=info)


@asynccontextmanager
async def unit_of_work(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """Open a session for one transaction: committed at the end, rolled back on any exception."""
    async with sessions() as session:
        try:
            yield session
            await session.commit()
        except BaseException:
            await session.rollback()
            raise
        _call_commit_listener(session)


@asynccontextmanager
async def read_session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """Open a session for a read-only transaction without a write lock; nothing is committed."""
    async with sessions() as session:
        await session.connection(execution_options={READ_ONLY: True})
        yield session


@asynccontextmanager
async def read_phase(session: AsyncSession) -> AsyncIterator[None]:
    """Use a unit of work's session for reads before its first write, without the write lock.

    The reads are a transaction of their own, so rows that they load cannot be used afterwards. In a session
    that already has a transaction they belong to that one.
    """
    if session.in_transaction():
        yield
        return
    await session.connection(execution_options={READ_ONLY: True})
    try:
        yield
    finally:
        await session.rollback()


async def shielded(work: Coroutine[Any, Any, Result], grace_seconds: float | None = None) -> Result:
    """Finish database work before raising a cancellation: interrupting it would break the connection.

    With `grace_seconds`, work that takes longer after the cancellation is abandoned.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=grace_seconds)
        task.cancel()  # not awaited: a connection that does not answer delays it
        raise


def is_database_unavailable(error: BaseException) -> bool:
    """Return whether an error means that the database is unreachable or overloaded, not a wrong statement."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return "database is locked" in str(error.orig)
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout))


RETRY_WAITS = (0.2, 0.5, 1, 2, 5, 5, 5, 10, 10, 10, 30, 30)


async def with_retry(operation: Callable[[], Awaitable[Result]], attempts: int | None = None) -> Result:
    """Run a transaction again after a temporary error; it must recognise its own earlier commit.

    While the database is unavailable it is repeated without limit, while the disk takes no writes for about
    two minutes. `attempts` limits both.
    """
    for tries in itertools.count(1):
        try:
            return await operation()
        except (SQLAlchemyError, OSError) as error:
            can_retry = is_temporary(error) and (
                tries <= len(RETRY_WAITS) or find_storage_failure(error) is None
            )
            if not can_retry or tries == attempts:
                raise
            wait = RETRY_WAITS[min(tries, len(RETRY_WAITS)) - 1]
            log.warning("database.retry", error=type(error).__name__, wait=wait)
            await asyncio.sleep(wait)
    raise AssertionError("itertools.count() is infinite")


async def retry_while_unavailable(read: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Return the result of a read, retrying it for as long as the database is unavailable."""
    while True:
        try:
            return await shielded(read())
        except SQLAlchemyError as error:
            if not is_database_unavailable(error):
                raise
            await asyncio.sleep(RETRY_SECONDS)


def keyed_digest(session: AsyncSession, text: str) -> str:
    """Return a digest that reveals nothing about the text without the installation's key."""
    digest: Callable[[str], str] = session.info.get(_DIGEST, _digest_without_key)
    return digest(text)


def _digest_without_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def record_committed_events(session: AsyncSession, events: CommittedEvents) -> None:
    """Record events that this transaction stores; the commit listener receives them after the commit."""
    if _LISTENER in session.info:
        session.info.setdefault(_COMMITTED, []).append(events)


def _call_commit_listener(session: AsyncSession) -> None:
    batch = session.info.pop(_COMMITTED, None)
    if batch is None:
        return
    try:
        session.info[_LISTENER](batch)
    except Exception:
        log.exception("commit.listener_failed")  # the transaction is committed in any case


def add_notification(session: AsyncSession, topic: str) -> None:
    """Record a topic that changed in this transaction; it is published after the commit."""
    session.info.setdefault(_NOTIFICATIONS, set()).add(topic)


def pop_notifications(session: AsyncSession) -> set[str]:
    """Return and clear the topics to publish after the commit."""
    topics: set[str] = session.info.pop(_NOTIFICATIONS, set())
    return topics
