"""Requeues the jobs that this worker claimed without starting them.

DBOS claims jobs in one transaction and starts them after its commit. When the answer of that commit is lost,
or a job cannot be started, the job stays claimed until the worker ends, although nothing runs it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crewai_runner.queue.job_table import JobTable

logger = logging.getLogger(__name__)

IN_DOUBT_SECONDS = 120.0
"""How long a commit without an answer may still take effect: PostgreSQL ends its session after 60 s."""


@dataclass(slots=True)
class _Claim:
    """A claim and its jobs that DBOS has not started; None while the answer of the commit is missing."""

    since: float
    jobs: set[str] | None = None


class LostClaims:
    """Watches the claims of DBOS's queue thread. Every method runs in that thread."""

    def __init__(self, table: JobTable, queue_name: str) -> None:
        self._table, self._queue = table, queue_name
        self._claims: dict[str, _Claim] = {}

    def watch(self, system_database: Any, queue_module: Any) -> None:
        """Watch DBOS's claims, and requeue lost ones before each poll.

        `system_database` is DBOS's; `queue_module` is the module with DBOS's queue thread.
        """
        system_database.get_queue = self._before_poll(system_database.get_queue)
        system_database.start_queued_workflows = self._on_claim(system_database.start_queued_workflows)
        start = queue_module.execute_dequeued_workflow
        queue_module.execute_dequeued_workflow = self._on_start(getattr(start, "watched", start))

    def _before_poll(self, read_queue: Callable[..., Any]) -> Callable[..., Any]:
        def get_queue(name: str, **options: Any) -> Any:
            if name == self._queue:
                self.requeue()
            return read_queue(name, **options)

        return get_queue

    def _on_claim(self, claim_jobs: Callable[..., Any]) -> Callable[..., Any]:
        def claim(queue: Any, *limits: Any, owner_xid: str, **options: Any) -> Any:
            if queue.name == self._queue:
                self._claims[owner_xid] = _Claim(time.monotonic())
            jobs, reason = claim_jobs(queue, *limits, owner_xid=owner_xid, **options)
            if queue.name == self._queue:
                self._claims[owner_xid].jobs = set(jobs)
            return jobs, reason

        return claim

    def _on_start(self, start_job: Callable[..., Any]) -> Callable[..., Any]:
        def start(dbos: Any, status: Any, owner_xid: str) -> Any:
            handle = start_job(dbos, status, owner_xid)
            claim = self._claims.get(owner_xid)
            if claim is not None and claim.jobs is not None:
                claim.jobs.discard(status["workflow_uuid"])
            return handle

        start.watched = start_job  # type: ignore[attr-defined]  # what the next queue of this process wraps
        return start

    def requeue(self) -> None:
        """Requeue the jobs of earlier claims that DBOS has not started. Raises SQLAlchemyError."""
        self._claims = {token: claim for token, claim in self._claims.items() if claim.jobs != set()}
        if not self._claims:
            return
        lost = self._table.requeue_claimed({token: claim.jobs for token, claim in self._claims.items()})
        if lost:
            logger.warning("jobs claimed but not started are requeued: %s", ", ".join(job for job, _ in lost))
        found = {token for _, token in lost}
        in_doubt_since = time.monotonic() - IN_DOUBT_SECONDS
        self._claims = {
            token: claim
            for token, claim in self._claims.items()
            if token not in found and claim.since >= in_doubt_since
        }
