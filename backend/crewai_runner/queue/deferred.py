"""A queue that exists before the real one is open, so that a process can serve requests while it starts."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import Unavailable
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.queue.port import DEFAULT_PRIORITY, JobQueue, JobState, QueueStats, RunJob

OPEN_TIMEOUT_SECONDS = 20.0


class DeferredQueue:
    """A `JobQueue` that forwards to the queue given to `open`; until then every call raises Unavailable."""

    def __init__(self) -> None:
        self._queue: JobQueue | None = None
        self._opened_or_failed = asyncio.Event()
        self.message = "starting"
        """Why the queue is not open."""

    @property
    def is_open(self) -> bool:
        return self._queue is not None

    def open(self, queue: JobQueue) -> None:
        """Forward to `queue` from now on; it must be started."""
        self._queue = queue
        self._opened_or_failed.set()

    def fail(self, reason: str) -> None:
        """Record that opening failed: `wait_until_open` raises at once, with the reason."""
        self._queue = None
        self.message = reason
        self._opened_or_failed.set()

    async def wait_until_open(self) -> None:
        """Wait for the queue. Raises Unavailable (503) after `OPEN_TIMEOUT_SECONDS` or when opening failed.

        Call it before a transaction's first statement: the queue creates its tables while it starts.
        """
        if not self.is_open:
            await wait_event(self._opened_or_failed, OPEN_TIMEOUT_SECONDS)
        if not self.is_open:
            raise Unavailable(
                f"The queue is not open: {self.message}. Try again in a moment.",
                headers={"Retry-After": "5"},
            )

    @property
    def _open_queue(self) -> JobQueue:
        if self._queue is None:
            raise Unavailable("The queue is still starting; try again.", headers={"Retry-After": "2"})
        return self._queue

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        await self._open_queue.start(job, consume=consume)

    async def drain(self, timeout_seconds: float) -> None:
        await self._open_queue.drain(timeout_seconds)

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
        await self._open_queue.submit(
            session, run_id, attempt, tenant=tenant, priority=priority, not_before=not_before
        )

    def submit_in(self, transaction: WriteTransaction, run_id: str, attempt: int, *, tenant: str) -> None:
        self._open_queue.submit_in(transaction, run_id, attempt, tenant=tenant)

    def wake(self) -> None:
        """Do nothing while the queue is not open: it looks for jobs when it opens."""
        if self._queue is not None:
            self._queue.wake()

    async def states(self, jobs: Sequence[tuple[str, int]]) -> dict[tuple[str, int], JobState]:
        return await self._open_queue.states(jobs)

    async def orphans(self) -> list[tuple[str, int]]:
        return await self._open_queue.orphans()

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        await self._open_queue.requeue(jobs)

    def forget_in(self, transaction: WriteTransaction, finished_before: datetime, limit: int) -> int:
        return self._open_queue.forget_in(transaction, finished_before, limit)

    async def delete_ended(self, jobs: Sequence[tuple[str, int]]) -> None:
        await self._open_queue.delete_ended(jobs)

    async def stats(self) -> QueueStats:
        return await self._open_queue.stats()
