"""What the queue's table says: figures, and the jobs of workers that are no more."""

from datetime import datetime

from sqlalchemy import Engine, TextClause, text

from crewai_runner.queue.port import QueueStats

Key = tuple[str, int]

# A job put back after a crash, or held until a moment, has waited since then, not since its birth.
_COUNTS = """
SELECT status, count(*),
       min(CASE WHEN delay_until_epoch_ms > updated_at THEN delay_until_epoch_ms ELSE updated_at END)
  FROM dbos.workflow_status
 WHERE queue_name = :queue AND status IN ('ENQUEUED', 'PENDING')
 GROUP BY status
"""

_WORKERS = text("SELECT count(*) FROM dbos.worker_lease")

_FIND_ORPHANS = text(
    """
    SELECT workflow_uuid FROM dbos.workflow_status job
     WHERE status = 'PENDING' AND queue_name = :queue
       AND NOT EXISTS (SELECT 1 FROM dbos.worker_lease lease WHERE lease.executor_id = job.executor_id)
    """
)

# The condition is asked again in the same statement, so that two sweepers never put back one job
# twice; taking the owner's token away makes the engine refuse whatever the old owner still writes.
_PUT_BACK = text(
    """
    UPDATE dbos.workflow_status job
       SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL,
           updated_at = (extract(epoch FROM now()) * 1000)::bigint
     WHERE workflow_uuid = ANY(:ids) AND status = 'PENDING' AND queue_name = :queue
       AND NOT EXISTS (SELECT 1 FROM dbos.worker_lease lease WHERE lease.executor_id = job.executor_id)
    """
)


_FINISHED = """
SELECT workflow_uuid FROM dbos.workflow_status
 WHERE completed_at < :before ORDER BY completed_at LIMIT :most
"""


def workflow_id(run_id: str, attempt: int) -> str:
    """The engine's name for a job; the same name is the same job."""
    return f"{run_id}:{attempt}"


def key_of(identifier: str) -> Key:
    """The run and attempt behind the engine's name for a job."""
    run_id, _, attempt = identifier.rpartition(":")
    return run_id, int(attempt)


class Backlog:
    """SQL on the queue's own table, each call one short transaction; call it in a thread."""

    def __init__(self, engine: Engine, queue_name: str) -> None:
        self._engine = engine
        self._queue = queue_name
        self._scaled = engine.dialect.name == "postgresql"

    def figures(self, moment: datetime) -> QueueStats:
        """Counts at `moment` (aware, now). Jobs held until a later moment are not waiting yet."""
        statement = self._sql(_COUNTS)
        with self._engine.connect() as connection:
            rows = connection.execute(statement, {"queue": self._queue}).all()
            workers = connection.execute(_WORKERS).scalar_one() if self._scaled else 1
        counts = {status: (count, since) for status, count, since in rows}
        waiting, since = counts.get("ENQUEUED", (0, None))
        running, _ = counts.get("PENDING", (0, None))
        oldest = None if since is None else max(0.0, moment.timestamp() - float(since) / 1000)
        return QueueStats(waiting=waiting, running=running, oldest_wait_seconds=oldest, workers=workers)

    def finished(self, before: datetime, most: int) -> list[str]:
        """The engine's names of jobs that ended before a moment, the oldest first."""
        values = {"before": round(before.timestamp() * 1000), "most": most}
        with self._engine.connect() as connection:
            return list(connection.execute(self._sql(_FINISHED), values).scalars())

    def orphans(self) -> list[Key]:
        """Jobs whose worker holds no lease. Always empty on SQLite: its one worker recovers its own."""
        if not self._scaled:
            return []
        with self._engine.connect() as connection:
            found = connection.execute(_FIND_ORPHANS, {"queue": self._queue})
            return [key_of(identifier) for identifier in found.scalars()]

    def put_back(self, jobs: list[Key]) -> None:
        """Queue again those of the jobs that are still orphaned."""
        if not self._scaled or not jobs:
            return
        names = [workflow_id(*key) for key in jobs]
        with self._engine.begin() as connection:
            connection.execute(_PUT_BACK, {"queue": self._queue, "ids": names})

    def _sql(self, statement: str) -> TextClause:
        return text(statement if self._scaled else statement.replace("dbos.", ""))
