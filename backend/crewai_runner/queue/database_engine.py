"""The queue's SQLAlchemy engine: synchronous, because DBOS works in threads."""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from crewai_runner.db.connection_budget import QUEUE_CONNECTIONS
from crewai_runner.db.session import connection_limits
from crewai_runner.db.sqlite import configure_connection

SCHEMA = "dbos"
"""The schema of the queue's tables on PostgreSQL. SQLite has no schemas."""

QUEUE_TABLES = frozenset(
    {
        "application_versions",
        "dbos_migrations",
        "notifications",
        "operation_outputs",
        "queues",
        "streams",
        "workflow_events",
        "workflow_events_history",
        "workflow_input",
        "workflow_output",
        "workflow_schedules",
        "workflow_status",
    }
)
"""Tables of DBOS in the product's SQLite file: reserved names, ignored by Alembic's comparison."""

_POOL_SIZES = {"sqlite": 10, "postgresql": QUEUE_CONNECTIONS}
_IDLE_IN_TRANSACTION_MS = 60_000


def queue_url(database_url: str) -> URL:
    """Return the URL of the same database for a synchronous driver.

    Raises ValueError for an in-memory SQLite: the product and the queue would not share it.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return url.set(drivername="postgresql+psycopg")
    if url.database in (None, "", ":memory:"):
        raise ValueError("the durable queue needs an SQLite file, not an in-memory database")
    return url.set(drivername="sqlite")


def make_queue_engine(database_url: str) -> Engine:
    """Create an engine for the queue's tables in the product's database, with few connections."""
    url = queue_url(database_url)
    sqlite = url.get_backend_name() == "sqlite"
    limits = {} if sqlite else connection_limits(database_url)
    size = _POOL_SIZES[url.get_backend_name()]
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_pre_ping=True, connect_args=limits)
    event.listen(engine, "connect", _prepare_sqlite if sqlite else _prepare_postgres)
    return engine


def close_queue_engine(engine: Engine) -> None:
    """Close every connection; one still in use by a thread is closed when it is returned."""
    event.listen(engine, "checkin", _invalidate)
    engine.dispose()


def _invalidate(_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    record.invalidate()


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    # IMMEDIATE: a writing transaction acquires the lock with its first statement; reads do not acquire it.
    connection.isolation_level = "IMMEDIATE"
    configure_connection(connection)


def _prepare_postgres(connection: DBAPIConnection, _record: Any) -> None:
    # A worker suspended in the middle of claiming jobs must not keep its row locks indefinitely.
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS}")
    cursor.close()
    connection.commit()
