"""Runs DBOS's worker of the product's only queue.

DBOS itself starts a worker for each queue of the database and for one of its own, and looks for new queues
every second. Its worker waits on the event that stops it; here it waits on a `PollTimer`.
"""

import logging
import threading
from typing import Any

from crewai_runner.queue.claimed_jobs import ClaimedJobs
from crewai_runner.queue.job_table import JobTable
from crewai_runner.queue.lost_claims import LostClaims
from crewai_runner.queue.poll_timer import RETRY_SECONDS, PollTimer
from crewai_runner.queue.worker_limits import QueueLimits, override_queue_limits

logger = logging.getLogger(__name__)


class QueueWorker:
    """The worker of one queue of this process."""

    def __init__(self, table: JobTable, queue_name: str, limits: QueueLimits) -> None:
        self._table, self._queue_name, self._limits = table, queue_name, limits
        self.polls = PollTimer(limits)

    def replace_threads(self, dbos_module: Any, queue_module: Any) -> None:
        """Let DBOS run this worker as its queue thread. Call it before the launch.

        `dbos_module` starts the threads; `queue_module` contains DBOS's worker. The threads of DBOS's
        messages and schedules, which the product does not use, end at once instead of polling.
        """

        def run(stop: threading.Event, launched: Any) -> None:
            launched.background_thread_stop_events.append(self.polls)
            if stop.is_set():
                self.polls.set()
            self._watch(launched, queue_module)
            while not self.polls.is_set():
                self._run_worker(launched, queue_module)

        dbos_module.queue_thread = run
        dbos_module.dynamic_scheduler_loop = _end_at_once
        dbos_module.SystemDatabase.run_notification_listener = _end_at_once

    def _watch(self, launched: Any, queue_module: Any) -> None:
        system_database, active_jobs = launched._sys_db, launched._active_workflows_set  # noqa: SLF001
        override_queue_limits(system_database, self._queue_name, self._limits)
        ClaimedJobs().watch(system_database, active_jobs)
        self.polls.watch(system_database, active_jobs)
        LostClaims(self._table, self._queue_name).watch(system_database, queue_module)

    def _run_worker(self, launched: Any, queue_module: Any) -> None:
        """Run DBOS's worker until it is stopped, or until it fails: then it must be run again."""
        try:
            queue = launched._sys_db.get_queue(self._queue_name)  # noqa: SLF001
            queue_module.queue_worker_thread(self.polls, launched, queue)
        except Exception:
            logger.exception("the queue's worker is restarted")
            self.polls.wait(RETRY_SECONDS)


def _end_at_once(*_arguments: Any) -> None:
    """The body of a thread that has nothing to do."""
