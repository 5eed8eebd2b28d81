"""An in-memory queue for tests. Jobs are lost when the process ends; all else is as the port says."""

import asyncio
import heapq
import itertools
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core import clock
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.queue.after_commit import AfterCommit
from crewai_runner.queue.port import DEFAULT_PRIORITY, JobState, QueueStats, RunJob

logger = logging.getLogger(__name__)

Key = tuple[str, int]


@dataclass(order=True, slots=True)
class _WaitingJob:
    priority: int
    order: int
    key: Key = field(compare=False)
    tenant: str = field(compare=False)
    since: datetime = field(compare=False)


class InProcessQueue:
    """A `JobQueue` in memory. A job becomes visible when its session commits."""

    def __init__(self, *, concurrency: int = 50, tenant_concurrency: int | None = None) -> None:
        self._concurrency = concurrency
        self._tenant_concurrency = min(tenant_concurrency or concurrency, concurrency)
        self._submitted: AfterCommit[_WaitingJob] = AfterCommit(self._add)
        self._order = itertools.count()
        self._known: set[Key] = set()
        self._waiting: list[_WaitingJob] = []
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._tenants: Counter[str] = Counter()
        self._job: RunJob | None = None

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        """Run the waiting jobs, including those that an earlier drain interrupted."""
        if consume:
            self._job = job
            self._dispatch()

    async def drain(self, timeout_seconds: float) -> None:
        """Start no more jobs, wait, then cancel the running ones, which wait for the next `start`."""
        self._job = None
        if self._running:
            await asyncio.wait(self._running.values(), timeout=timeout_seconds)
        remaining = list(self._running.values())
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)

    async def submit(
        self,
        session: AsyncSession,
        run_id: str,
        attempt: int,
        *,
        tenant: str,
        priority: int = DEFAULT_PRIORITY,
        not_before: datetime | None = None,
    ) -> None:
        """Add the job when the session commits."""
        since = max(not_before or clock.now(), clock.now())
        waiting = _WaitingJob(priority, next(self._order), (run_id, attempt), tenant, since)
        self._submitted.add(session.sync_session, waiting)

    def submit_in(self, transaction: WriteTransaction, run_id: str, attempt: int, *, tenant: str) -> None:
        """Add the job when the transaction commits."""
        waiting = _WaitingJob(DEFAULT_PRIORITY, next(self._order), (run_id, attempt), tenant, clock.now())
        transaction.after_commit.append(lambda: self._add(waiting))

    def wake(self) -> None:
        """Do nothing: a job is seen when it is submitted."""

    def lose(self, run_id: str, attempt: int) -> None:
        """Forget a waiting job, as if the queue had lost it."""
        self._waiting = [job for job in self._waiting if job.key != (run_id, attempt)]
        heapq.heapify(self._waiting)

    async def states(self, jobs: Sequence[Key]) -> dict[Key, JobState]:
        """Return the states of those jobs that are waiting or running."""
        known = {job.key: JobState.WAITING for job in self._waiting}
        known |= dict.fromkeys(self._running, JobState.RUNNING)
        return {key: known[key] for key in jobs if key in known}

    async def orphans(self) -> list[tuple[str, int]]:
        """Return an empty list: the jobs end with their only worker."""
        return []

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        """Do nothing: no job is ever orphaned."""

    def forget_in(self, transaction: WriteTransaction, finished_before: datetime, limit: int) -> int:  # noqa: ARG002
        """Return 0: nothing is recorded."""
        return 0

    async def delete_ended(self, jobs: Sequence[Key]) -> None:
        """Do nothing: nothing is recorded."""

    async def stats(self) -> QueueStats:
        """Return the current counts; delayed jobs do not count as waiting."""
        moment = clock.now()
        due = [job.since for job in self._waiting if job.since <= moment]
        oldest = (moment - min(due)).total_seconds() if due else None
        return QueueStats(waiting=len(due), running=len(self._running), oldest_wait_seconds=oldest)

    def _add(self, job: _WaitingJob) -> None:
        if job.key in self._known:
            return
        self._known.add(job.key)
        heapq.heappush(self._waiting, job)
        delay = (job.since - clock.now()).total_seconds()
        asyncio.get_running_loop().call_later(max(0.0, delay), self._dispatch)

    def _dispatch(self) -> None:
        while self._job is not None and len(self._running) < self._concurrency:
            job = self._choose_next()
            if job is None:
                return
            self._waiting.remove(job)
            heapq.heapify(self._waiting)
            self._run(self._job, job)

    def _choose_next(self) -> _WaitingJob | None:
        moment = clock.now()
        heads: dict[str, _WaitingJob] = {}
        for job in sorted(self._waiting):
            if job.since <= moment and self._tenants[job.tenant] < self._tenant_concurrency:
                heads.setdefault(job.tenant, job)
        return random.choice(list(heads.values())) if heads else None  # noqa: S311 - fairness, not security

    def _run(self, body: RunJob, job: _WaitingJob) -> None:
        async def run() -> None:  # create_task needs a coroutine; the body may return another awaitable
            await body(*job.key)

        task = asyncio.get_running_loop().create_task(run(), name=f"job {job.key[0]}:{job.key[1]}")
        self._running[job.key] = task
        self._tenants[job.tenant] += 1
        task.add_done_callback(lambda ended: self._end(job, ended))

    def _end(self, job: _WaitingJob, task: asyncio.Task[None]) -> None:
        del self._running[job.key]
        self._tenants[job.tenant] -= 1
        if task.cancelled():
            if task.cancelling():
                heapq.heappush(self._waiting, job)  # interrupted by a drain
        elif error := task.exception():
            logger.error("job %s attempt %d raised", *job.key, exc_info=error)
        self._dispatch()
