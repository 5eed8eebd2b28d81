"""Counts the jobs that a worker has claimed and not started yet as running.

DBOS counts a job from its start on its event loop: two polls in quick succession could exceed the limits.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

START_SECONDS = 30.0
"""A claimed job that has not started by then was not started at all: see `lost_claims`."""


class ClaimedJobs:
    """The claimed jobs that DBOS does not count yet, each with its tenant and the time of its claim."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, tuple[str, float]] = {}

    def watch(self, system_database: Any, active_jobs: Any) -> None:
        """Watch DBOS's database of jobs, and add the claimed ones to what its set of running jobs counts."""
        system_database.start_queued_workflows = self._on_claim(system_database.start_queued_workflows)
        active_jobs.add = self._on_start(active_jobs.add)
        count, count_of_tenant = active_jobs.count_for_queue, active_jobs.count_for_partition
        active_jobs.count_for_queue = lambda queue: count(queue) + self._count()
        active_jobs.count_for_partition = lambda queue, tenant: (
            count_of_tenant(queue, tenant) + self._count(tenant)
        )

    def _on_claim(self, claim_jobs: Callable[..., Any]) -> Callable[..., Any]:
        def claim(queue: Any, executor: str, version: str, tenant: str, *running: int, **options: Any) -> Any:
            jobs, reason = claim_jobs(queue, executor, version, tenant, *running, **options)
            with self._lock:
                self._jobs |= dict.fromkeys(jobs, (tenant, time.monotonic()))
            return jobs, reason

        return claim

    def _on_start(self, add: Callable[..., Any]) -> Callable[..., Any]:
        def start(job: str, *queue_and_tenant: str) -> Any:
            entry = add(job, *queue_and_tenant)
            with self._lock:
                self._jobs.pop(job, None)
            return entry

        return start

    def _count(self, of_tenant: str | None = None) -> int:
        with self._lock:
            since = time.monotonic() - START_SECONDS
            self._jobs = {job: entry for job, entry in self._jobs.items() if entry[1] > since}
            return sum(of_tenant in (None, tenant) for tenant, _ in self._jobs.values())
