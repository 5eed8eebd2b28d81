"""Worker leases on PostgreSQL: which workers are alive, by the database's clock.

A worker renews its lease from a thread with its own connection, so that a busy event loop or an exhausted
pool cannot delay it. A worker that has lost its lease must exit immediately, because its jobs already run
elsewhere under the same attempt.
"""

import logging
import os
import threading
from collections.abc import Callable

from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.queue.database_engine import queue_url

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 5
EXIT_LEASE_LOST = 75
"""EX_TEMPFAIL: the process supervisor restarts the worker."""

_TABLE_LOCK = 7_242_281_930_114_205
_CREATE = """
CREATE TABLE IF NOT EXISTS dbos.worker_lease (
    executor_id text PRIMARY KEY,
    last_seen timestamptz NOT NULL DEFAULT now(),
    fresh_since timestamptz NOT NULL DEFAULT now()
)
"""
_ACQUIRE = text("INSERT INTO dbos.worker_lease (executor_id) VALUES (:me)")
_RELEASE = text("DELETE FROM dbos.worker_lease WHERE executor_id = :me")

# `fresh_since` is reset after a gap longer than the lease: the worker or the database was unavailable.
_RENEW = text(
    """
    UPDATE dbos.worker_lease
       SET fresh_since = CASE WHEN last_seen < now() - make_interval(secs => :lease)
                              THEN now() ELSE fresh_since END,
           last_seen = now()
     WHERE executor_id = :me RETURNING 1
    """
)

# Only a worker that has renewed its lease without a gap for a full lease period may retire others. After
# an outage of the database every worker therefore has that long to renew its own lease.
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
    """Exit without cleanup: nothing this process writes from now on is valid."""
    os._exit(EXIT_LEASE_LOST)


def do_nothing() -> None:
    """Do nothing; the default of `on_retired`."""


def create_lease_table(database_url: str) -> None:
    """Create the lease table; safe when several processes start at the same time."""
    engine = create_engine(queue_url(database_url), poolclass=NullPool)
    with engine.begin() as connection:
        # CREATE IF NOT EXISTS alone can fail when two processes run it concurrently.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLE_LOCK})
        connection.execute(text(_CREATE))


class WorkerLease:
    """This worker's lease, renewed five times per lease period. Also retires workers whose lease expired."""

    def __init__(
        self,
        database_url: str,
        executor_id: str,
        *,
        seconds: float,
        on_lost: Callable[[], None],
        on_retired: Callable[[], None] = do_nothing,
    ) -> None:
        connect_seconds = max(2, round(seconds / RENEWALS_PER_LEASE))
        self._engine = create_engine(
            queue_url(database_url),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": connect_seconds, "tcp_user_timeout": round(seconds * 1000)},
        )
        self._values = {"me": executor_id, "lease": seconds}
        self._renewal_seconds = seconds / RENEWALS_PER_LEASE
        self._on_lost, self._on_retired = on_lost, on_retired
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_stopped, name="worker-lease", daemon=True)

    def acquire(self) -> None:
        """Store the lease and start renewing it. Raises SQLAlchemyError when the database is unavailable."""
        with self._engine.begin() as connection:
            connection.execute(_ACQUIRE, {"me": self._values["me"]})
        self._thread.start()

    def release(self) -> None:
        """Stop renewing and delete the lease: jobs that are still running become orphans immediately."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            with self._engine.begin() as connection:
                connection.execute(_RELEASE, {"me": self._values["me"]})
        except SQLAlchemyError as error:
            logger.warning("worker lease not released, it will expire: %s", type(error).__name__)
        self._engine.dispose()

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(self._renewal_seconds):
            try:
                with self._engine.begin() as connection:
                    alive = self._renew(connection)
            except SQLAlchemyError as error:
                # While the database is unavailable no worker can retire another.
                logger.warning("worker lease not renewed: %s", type(error).__name__)
                continue
            if not alive:
                logger.critical("worker lease lost: other workers have taken over its jobs, exiting")
                self._on_lost()
                return

    def _renew(self, connection: Connection) -> bool:
        if connection.execute(_RENEW, self._values).first() is None:
            return False
        for name in connection.execute(_RETIRE, self._values).scalars():
            logger.warning("worker %s did not renew its lease and was retired", name)
            self._on_retired()
        return True
