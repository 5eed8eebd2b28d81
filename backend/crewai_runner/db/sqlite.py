"""How the product's engines use SQLite: WAL, foreign keys, and transactions that lock at their start."""

import sqlite3
import sys
import time
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import AdaptedConnection, DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from crewai_runner.db.write_lock import WriteLock

BUSY_TIMEOUT_MS = 30_000
READ_ONLY = "crewai_runner_read_only"
"""The execution option of transactions that take no write lock."""
_HELD_LOCK = "crewai_runner_write_lock"


def prepare_sqlite_engine(engine: Engine, write_lock: WriteLock | None = None) -> None:
    """Set up an engine's connections and transactions.

    With `write_lock`, which requires an asynchronous engine, each writing transaction holds it from its start
    until its connection returns to the pool.
    """

    def begin(connection: Connection) -> None:
        # A transaction that upgrades from reading to writing fails at once if another one has written in the
        # meantime, without the busy timeout. Writers therefore take the lock at the start.
        if connection.get_execution_options().get(READ_ONLY, False):
            connection.exec_driver_sql("BEGIN")
            return
        if write_lock is not None:
            _acquire(write_lock, connection)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", begin)
    if write_lock is not None:
        event.listen(engine, "checkin", _release)


def _acquire(lock: WriteLock, connection: Connection) -> None:
    driver_connection = connection.connection.dbapi_connection
    assert isinstance(driver_connection, AdaptedConnection)  # noqa: S101 - of an asynchronous engine
    driver_connection.run_async(lambda _: lock.acquire())
    connection.info[_HELD_LOCK] = lock


def _release(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    lock: WriteLock | None = record.info.pop(_HELD_LOCK, None)
    if lock is not None:
        lock.release()


def _prepare_connection(connection: DBAPIConnection, _record: Any) -> None:
    # Disable the driver's implicit BEGIN: the engine's `begin` event chooses the kind of transaction.
    connection.isolation_level = None
    configure_connection(connection)


def configure_connection(connection: DBAPIConnection) -> None:
    """Set what every connection of the process to SQLite needs, those of the queue included."""
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
