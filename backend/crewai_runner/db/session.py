"""Engines, sessions and the unit of work. Only this module and the transaction writer commit."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from pydantic_core import from_json
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import retrieve_error
from crewai_runner.db.commit_status import has_committed, read_transaction_id
from crewai_runner.db.connection_budget import KEPT_SQLITE_CONNECTIONS, SQLITE_BUDGET
from crewai_runner.db.counting_pool import CountingPool
from crewai_runner.db.failures import find_storage_failure, is_database_unavailable, is_temporary
from crewai_runner.db.sqlite import READ_ONLY, prepare_sqlite_engine
from crewai_runner.db.write_lock import WriteLock
from crewai_runner.domain.committed_events import CommitListener, CommittedEvents

log = get_logger(__name__)
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


def make_engine(
    database_url: str, *, pool_size: int = SQLITE_BUDGET.sessions, write_lock: WriteLock | None = None
) -> AsyncEngine:
    """Create an engine for SQLite (WAL, foreign keys, busy timeout; ten more connections) or PostgreSQL.

    On SQLite its writing transactions wait for `write_lock`, if there is one.
    """
    url = async_url(database_url)
    if not url.startswith("sqlite"):
        return create_async_engine(
            url,
            poolclass=CountingPool,
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            connect_args=connection_limits(database_url),
        )
    kept = min(pool_size, KEPT_SQLITE_CONNECTIONS)
    more = pool_size + 10 - kept
    engine = create_async_engine(url, poolclass=CountingPool, pool_size=kept, max_overflow=more)
    prepare_sqlite_engine(engine.sync_engine, write_lock)
    return engine


def make_writer_engine(database_url: str) -> Engine:
    """Create the synchronous engine of the process's transaction writer, with one connection."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url.set(drivername="sqlite"), poolclass=QueuePool, pool_size=1, max_overflow=0)
        prepare_sqlite_engine(engine)
        return engine
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args=connection_limits(database_url),
    )


def make_reader_engine(database_url: str, pool_size: int = SQLITE_BUDGET.reads) -> Engine:
    """Create the synchronous engine of the process's snapshot reader, whose transactions only read."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url.set(drivername="sqlite"),
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=0,
            execution_options={READ_ONLY: True},
            json_deserializer=from_json,  # four times as fast: lists have several values in each row
        )
        prepare_sqlite_engine(engine)
        return engine
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=0,
        isolation_level="REPEATABLE READ",
        json_deserializer=from_json,
        connect_args=connection_limits(database_url),
    )


def connection_limits(database_url: str) -> dict[str, int]:
    """Return libpq's limits for a server that does not answer, except for those that the URL sets itself."""
    given = make_url(database_url).query
    return {name: value for name, value in POSTGRES_LIMITS.items() if name not in given}


Sessions = async_sessionmaker[AsyncSession]


def make_sessions(
    engine: AsyncEngine,
    on_commit: CommitListener | None = None,
    digest: Callable[[str], str] | None = None,
    session_class: type[Session] = Session,
) -> Sessions:
    """Create a session factory. `on_commit` receives the events that each committed unit of work stored.

    `digest` is what `keyed_digest` uses; `session_class` is that of the synchronous sessions.
    """
    info: dict[str, object] = {} if on_commit is None else {_LISTENER: on_commit}
    info |= {_DIGEST: digest or _digest_without_key}
    return async_sessionmaker(engine, expire_on_commit=False, info=info, sync_session_class=session_class)


@asynccontextmanager
async def unit_of_work(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """Open a session for one transaction: committed at the end, rolled back on any exception."""
    async with sessions() as session:
        try:
            yield session
            await _commit(session)
        except BaseException:
            await session.rollback()
            raise
        _call_commit_listener(session)


async def _commit(session: AsyncSession) -> None:
    """Commit. If the answer is lost, ask the database whether the transaction committed."""
    transaction_id = await read_transaction_id(session)
    try:
        await session.commit()
    except (OperationalError, InterfaceError):
        engine = session.bind
        if not isinstance(engine, AsyncEngine) or not await has_committed(engine, transaction_id):
            raise
        # The session is closed without a rollback, so that its objects keep their values.
        session.sync_session.dispatch.after_commit(session.sync_session)


@asynccontextmanager
async def read_session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """Open a session for a read-only transaction without a write lock; nothing is committed.

    All its queries see the same moment of the database.
    """
    async with sessions() as session:
        with _reads_only(session):
            yield session


@contextmanager
def _reads_only(session: AsyncSession) -> Iterator[None]:
    """Let the next transaction, which begins with its first query, see one snapshot, as on SQLite."""
    synchronous, engine = session.sync_session, session.get_bind()
    options: dict[str, Any] = {READ_ONLY: True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    synchronous.bind = engine.execution_options(**options)
    try:
        yield
    finally:
        synchronous.bind = engine


@asynccontextmanager
async def read_phase(session: AsyncSession) -> AsyncIterator[None]:
    """Use a unit of work's session for reads before its first write, without the write lock.

    The reads are a transaction of their own, so rows that they load cannot be used afterwards. In a session
    that already has a transaction they belong to that one.
    """
    if session.in_transaction():
        yield
        return
    with _reads_only(session):
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
        task.add_done_callback(retrieve_error)
        await asyncio.wait([task], timeout=grace_seconds)
        task.cancel()  # not awaited: a connection that does not answer delays it
        raise


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
