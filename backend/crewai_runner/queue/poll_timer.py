"""Decides when the queue's worker polls: at once when a job may have become available, else seldom."""

import threading
import time
from collections.abc import Callable
from typing import Any

from crewai_runner.queue.worker_limits import QueueLimits

MIN_SECONDS = 0.02
"""The shortest time between two polls: jobs submitted one after the other are claimed together."""
RETRY_SECONDS = 0.2
"""The time after a poll that failed."""


class PollTimer:
    """What DBOS's queue worker waits for between two polls; it takes the place of the event that stops it.

    DBOS calls `wait` after each poll. The end of a job causes a poll only if the last one reached a limit.
    """

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._wake_up, self._stopped = threading.Event(), threading.Event()
        self._wake_up.set()  # the first poll: jobs of an earlier process may wait
        self._polled_at = 0.0
        self._has_failed = self._has_reached_limit = False
        self._polls_when_freed = True

    def wake(self) -> None:
        """Poll soon. Call it from any thread."""
        self._wake_up.set()

    def set(self) -> None:
        """Stop the worker. DBOS calls it."""
        self._stopped.set()
        self._wake_up.set()

    def is_set(self) -> bool:
        """Whether the worker must stop."""
        return self._stopped.is_set()

    def wait(self, timeout: float) -> bool:
        """Wait for the next poll, up to `timeout` seconds; return whether the worker must stop."""
        # A slot freed before this line during the poll has already caused a wake-up.
        self._polls_when_freed, self._has_reached_limit = self._has_reached_limit, False
        self._wake_up.wait(RETRY_SECONDS if self._has_failed else timeout)
        self._stopped.wait(max(0.0, self._polled_at + MIN_SECONDS - time.monotonic()))
        self._polled_at = time.monotonic()
        self._has_failed = False
        self._polls_when_freed = True
        self._wake_up.clear()
        return self._stopped.is_set()

    def watch(self, system_database: Any, active_jobs: Any) -> None:
        """Watch DBOS's database of jobs and its set of running ones."""
        system_database.get_queue_partitions = self._on_poll(system_database.get_queue_partitions)
        system_database.start_queued_workflows = self._on_claim(system_database.start_queued_workflows)
        system_database.reenqueue_for_recovery = self._on_change(system_database.reenqueue_for_recovery)
        active_jobs.count_for_queue = self._on_count(active_jobs.count_for_queue)
        active_jobs._remove = self._on_end(active_jobs._remove)  # noqa: SLF001 - no public hook

    def _on_poll(self, query: Callable[..., Any]) -> Callable[..., Any]:
        def query_with_retry(*arguments: Any, **options: Any) -> Any:
            try:
                return query(*arguments, **options)
            except Exception:
                self._has_failed = True
                raise

        return query_with_retry

    def _on_claim(self, claim_jobs: Callable[..., Any]) -> Callable[..., Any]:
        query = self._on_poll(claim_jobs)

        def claim(queue: Any, *arguments: Any, **options: Any) -> Any:
            jobs, reason = query(queue, *arguments, **options)
            running, running_of_tenant = arguments[-2:]
            if (
                running + len(jobs) >= self._limits.concurrency
                or running_of_tenant + len(jobs) >= self._limits.tenant_concurrency
            ):
                self._has_reached_limit = True
            return jobs, reason

        return claim

    def _on_count(self, count: Callable[[str], int]) -> Callable[[str], int]:
        def count_for_queue(queue_name: str) -> int:
            running = count(queue_name)
            if running >= self._limits.concurrency:
                self._has_reached_limit = True
            return running

        return count_for_queue

    def _on_change(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def change_and_wake(*arguments: Any) -> None:
            change(*arguments)
            self.wake()

        return change_and_wake

    def _on_end(self, remove: Callable[..., None]) -> Callable[..., None]:
        def remove_and_wake(*entry: Any) -> None:
            remove(*entry)
            if self._polls_when_freed:
                self.wake()

        return remove_and_wake
