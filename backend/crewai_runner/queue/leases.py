"""Worker leases on PostgreSQL: who is alive, judged by the database's clock alone.

A worker beats from a thread with a connection of its own, so that a busy event loop or a drained
pool costs it nothing. One whose lease is gone has been given up by the others: it must end at
once, because its jobs already run elsewhere under the same attempt.
"""

import logging
import os
import threading
from collections.abc import Callable

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.queue.engine import queue_url

logger = logging.getLogger(__name__)

BEATS_PER_LEASE = 5
EXIT_LEASE_LOST = 75
"""Exit status for "try again" (EX_TEMPFAIL): the supervisor starts the worker anew."""

_TABLE_LOCK = 7_242_281_930_114_205
_CREATE = """
CREATE TABLE IF NOT EXISTS dbos.worker_lease (
    executor_id text PRIMARY KEY,
    last_seen timestamptz NOT NULL DEFAULT now(),
    fresh_since timestamptz NOT NULL DEFAULT now()
)
"""
_TAKE = text("INSERT INTO dbos.worker_lease (executor_id) VALUES (:me)")
_GIVE_BACK = text("DELETE FROM dbos.worker_lease WHERE executor_id = :me")

# `fresh_since` starts again after a silence longer than the lease: that worker, or the database, was away.
_BEAT = text(
    """
    UPDATE dbos.worker_lease
       SET fresh_since = CASE WHEN last_seen < now() - make_interval(secs => :lease)
                              THEN now() ELSE fresh_since END,
           last_seen = now()
     WHERE executor_id = :me RETURNING 1
    """
)

# Only a worker whose own contact was unbroken for a whole lease may judge others. After an outage
# of the database nobody may, until everybody who lives has had the time to say so.
_RETIRE = text(
    """
    DELETE FROM dbos.worker_lease
     WHERE last_seen < now() - make_interval(secs => :lease)
       AND EXISTS (SELECT 1 FROM dbos.worker_lease mine
                    WHERE mine.executor_id = :me
                      AND mine.last_seen > now() - make_interval(secs => :lease)
                      AND mine.fresh_since < now() - make_interval(secs => :lease))
    RETURNING executor_id
    """
)


def exit_for_restart() -> None:
    """End this process now, without clean-up: whatever it still wrote would be wrong."""
    os._exit(EXIT_LEASE_LOST)


def nothing_more() -> None:
    """Nobody counts retired workers."""


def create_lease_table(database_url: str) -> None:
    """Create the table in the schema of the engine's own; safe when several start at once."""
    engine = create_engine(queue_url(database_url), poolclass=NullPool)
    with engine.begin() as connection:
        # CREATE IF NOT EXISTS alone can fail when two processes race to it.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLE_LOCK})
        connection.execute(text(_CREATE))


class WorkerLease:
    """This worker's sign of life, renewed five times a lease; also retires the dead."""

    def __init__(
        self,
        database_url: str,
        executor_id: str,
        *,
        seconds: float,
        on_lost: Callable[[], None],
        on_retired: Callable[[], None] = nothing_more,
    ) -> None:
        connect_seconds = max(2, round(seconds / BEATS_PER_LEASE))
        self._engine = create_engine(
            queue_url(database_url),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": connect_seconds, "tcp_user_timeout": round(seconds * 1000)},
        )
        self._values = {"me": executor_id, "lease": seconds}
        self._beat_seconds = seconds / BEATS_PER_LEASE
        self._on_lost, self._on_retired = on_lost, on_retired
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="worker-lease", daemon=True)

    def acquire(self) -> None:
        """Write the lease and start beating. Raises SQLAlchemyError when the database is away."""
        with self._engine.begin() as connection:
            connection.execute(_TAKE, {"me": self._values["me"]})
        self._thread.start()

    def release(self) -> None:
        """Stop beating and give the lease back: jobs left behind are orphans at once."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            with self._engine.begin() as connection:
                connection.execute(_GIVE_BACK, {"me": self._values["me"]})
        except SQLAlchemyError as error:
            logger.warning("worker lease not given back, it will run out: %s", type(error).__name__)
        self._engine.dispose()

    def _keep(self) -> None:
        while not self._stop.wait(self._beat_seconds):
            try:
                with self._engine.begin() as connection:
                    alive = self._beat(connection)
            except SQLAlchemyError as error:
                # Nobody can judge while the database is away; it is judged when it is back.
                logger.warning("worker lease not renewed: %s", type(error).__name__)
                continue
            if not alive:
                logger.critical("worker lease lost: others have taken over, ending this process")
                self._on_lost()
                return

    def _beat(self, connection: Connection) -> bool:
        if connection.execute(_BEAT, self._values).first() is None:
            return False
        for name in connection.execute(_RETIRE, self._values).scalars():
            logger.warning("worker %s gave no sign of life and was retired", name)
            self._on_retired()
        return True
