"""SQL on DBOS's table of jobs: counts, and the orphaned jobs of dead workers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, TextClause, bindparam, text

from crewai_runner.queue.port import JobState, QueueStats

Key = tuple[str, int]

# A requeued or delayed job has waited since it was requeued or became due, not since its creation.
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

# The condition is repeated in this statement, so that two workers never requeue the same job twice.
# Clearing owner_xid makes DBOS reject late writes of the old owner.
_REQUEUE = text(
    """
    UPDATE dbos.workflow_status job
       SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL,
           updated_at = (extract(epoch FROM now()) * 1000)::bigint
     WHERE workflow_uuid = ANY(:ids) AND status = 'PENDING' AND queue_name = :queue
       AND NOT EXISTS (SELECT 1 FROM dbos.worker_lease lease WHERE lease.executor_id = job.executor_id)
    """
)

# The token of a claim is unique: a job that another claim has taken meanwhile does not match.
_CLAIMED = """
SELECT workflow_uuid, owner_xid FROM dbos.workflow_status
 WHERE owner_xid IN :claims AND status = 'PENDING' AND queue_name = :queue
"""
_REQUEUE_CLAIMED = """
UPDATE dbos.workflow_status SET status = 'ENQUEUED', owner_xid = NULL, started_at_epoch_ms = NULL
 WHERE workflow_uuid = :job AND owner_xid = :claim AND status = 'PENDING'
"""

_UNFINISHED = """
SELECT workflow_uuid, status, executor_id FROM dbos.workflow_status
 WHERE workflow_uuid IN :ids AND queue_name = :queue AND status IN ('ENQUEUED', 'DELAYED', 'PENDING')
"""

_LIVE_WORKERS = text("SELECT executor_id FROM dbos.worker_lease")

# Two workers delete different jobs, so that they neither wait for each other nor deadlock.
_ENDED_BEFORE = """
SELECT workflow_uuid FROM dbos.workflow_status
 WHERE completed_at < :before ORDER BY completed_at LIMIT :limit FOR UPDATE SKIP LOCKED
"""
_TABLES_OF_JOBS = ("workflow_input", "workflow_output", "operation_outputs", "workflow_status")


def workflow_id(run_id: str, attempt: int) -> str:
    """Return DBOS's id of a job; submitting the same id again creates no second job."""
    return f"{run_id}:{attempt}"


def parse_workflow_id(identifier: str) -> Key:
    """Parse a DBOS id into (run id, attempt)."""
    run_id, _, attempt = identifier.rpartition(":")
    return run_id, int(attempt)


class JobTable:
    """Queries on the table of jobs. Each call is one short, blocking transaction: call it in a thread."""

    def __init__(self, engine: Engine, queue_name: str) -> None:
        self._engine = engine
        self._queue = queue_name
        self._scaled = engine.dialect.name == "postgresql"

    def stats(self, moment: datetime) -> QueueStats:
        """Return the counts at `moment` (the current time). Delayed jobs do not count as waiting."""
        statement = self._sql(_COUNTS)
        with self._engine.connect() as connection:
            rows = connection.execute(statement, {"queue": self._queue}).all()
            workers = connection.execute(_WORKERS).scalar_one() if self._scaled else 1
        counts = {status: (count, since) for status, count, since in rows}
        waiting, since = counts.get("ENQUEUED", (0, None))
        running, _ = counts.get("PENDING", (0, None))
        oldest = None if since is None else max(0.0, moment.timestamp() - float(since) / 1000)
        return QueueStats(waiting=waiting, running=running, oldest_wait_seconds=oldest, workers=workers)

    def delete_ended_before(self, connection: Connection, before: datetime, limit: int) -> int:
        """Delete the jobs that ended before a time, oldest first, in the caller's transaction."""
        values = {"before": round(before.timestamp() * 1000), "limit": limit}
        ids = connection.execute(self._sql(_ENDED_BEFORE), values).scalars().all()
        for table in _TABLES_OF_JOBS if ids else ():
            statement = self._sql(f"DELETE FROM dbos.{table} WHERE workflow_uuid IN :ids")  # noqa: S608
            connection.execute(statement.bindparams(bindparam("ids", expanding=True)), {"ids": ids})
        return len(ids)

    def list_unfinished(self, jobs: Sequence[Key]) -> dict[Key, str | None]:
        """Return the unfinished ones of the jobs, each with the worker that started it, if one did."""
        statement = self._sql(_UNFINISHED).bindparams(bindparam("ids", expanding=True))
        values = {"queue": self._queue, "ids": [workflow_id(*key) for key in jobs]}
        with self._engine.connect() as connection:
            rows = connection.execute(statement, values).all()
        return {
            parse_workflow_id(identifier): worker if status == "PENDING" else None
            for identifier, status, worker in rows
        }

    def list_ended(self, jobs: Sequence[Key]) -> list[str]:
        """Return DBOS's ids of those jobs that are not unfinished, also of unknown ones."""
        unfinished = self.list_unfinished(jobs)
        return [workflow_id(*key) for key in jobs if key not in unfinished]

    def read_states(
        self, jobs: Sequence[Key], own_worker: str | None, is_running_here: Callable[[Key], bool]
    ) -> dict[Key, JobState]:
        """Return the states of the unfinished ones of the jobs.

        `is_running_here` says whether this process, as worker `own_worker`, runs a job.
        """
        unfinished = self.list_unfinished(jobs)
        live_workers = self.list_live_workers() if any(unfinished.values()) else set()
        states = dict.fromkeys(unfinished, JobState.WAITING)
        for key, worker in unfinished.items():
            if worker is not None:
                is_running = is_running_here(key) if worker == own_worker else worker in live_workers
                states[key] = JobState.RUNNING if is_running else JobState.ORPHANED
        return states

    def list_live_workers(self) -> set[str]:
        """Return the workers that hold a lease. Empty on SQLite, which has no leases."""
        if not self._scaled:
            return set()
        with self._engine.connect() as connection:
            return set(connection.execute(_LIVE_WORKERS).scalars())

    def list_orphans(self) -> list[Key]:
        """Return jobs whose worker holds no lease. Empty on SQLite, whose only worker recovers its jobs."""
        if not self._scaled:
            return []
        with self._engine.connect() as connection:
            found = connection.execute(_FIND_ORPHANS, {"queue": self._queue})
            return [parse_workflow_id(identifier) for identifier in found.scalars()]

    def requeue(self, jobs: list[Key]) -> None:
        """Requeue those of the jobs that are still orphaned."""
        if not self._scaled or not jobs:
            return
        names = [workflow_id(*key) for key in jobs]
        with self._engine.begin() as connection:
            connection.execute(_REQUEUE, {"queue": self._queue, "ids": names})

    def requeue_claimed(self, claims: Mapping[str, Collection[str] | None]) -> list[tuple[str, str]]:
        """Requeue these jobs of claims, None for all; return (DBOS's id of a job, token of its claim)."""
        listed = self._sql(_CLAIMED).bindparams(bindparam("claims", expanding=True))
        with self._engine.begin() as connection:
            found = connection.execute(listed, {"queue": self._queue, "claims": list(claims)}).all()
            lost = [(job, token) for job, token in found if (jobs := claims[token]) is None or job in jobs]
            for job, token in lost:
                connection.execute(self._sql(_REQUEUE_CLAIMED), {"job": job, "claim": token})
        return lost

    def _sql(self, statement: str) -> TextClause:
        if not self._scaled:
            statement = statement.replace("dbos.", "").replace("FOR UPDATE SKIP LOCKED", "")
        return text(statement)
