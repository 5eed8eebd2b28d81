"""The port for durable jobs.

The queue stores ids only. Every adapter guarantees: a job exists if and only if the submitting transaction
commits; a job whose process died runs again; at most one execution per run and attempt is active.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.transaction_writer import WriteTransaction

DEFAULT_PRIORITY = 10
RunJob = Callable[[str, int], Awaitable[None]]
"""A job body: called with (run id, attempt). Must be idempotent and must not raise for a failed crew."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Counts for health and metrics. `oldest_wait_seconds` is None when no job waits.

    `workers` is the number of processes that hold a worker lease; with SQLite it is always 1.
    """

    waiting: int
    running: int
    oldest_wait_seconds: float | None
    workers: int = field(default=1, compare=False)


class JobState(StrEnum):
    """What an unfinished job does."""

    WAITING = "waiting"
    RUNNING = "running"
    ORPHANED = "orphaned"
    """Started by a worker that no longer runs it."""


class JobQueue(Protocol):
    """A durable queue of run attempts. Adapters: DBOS and in-process."""

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        """Open the queue; with `consume`, run jobs here and recover those of this worker."""

    async def drain(self, timeout_seconds: float) -> None:
        """Start no more jobs, wait for the running ones up to the timeout, then close the queue."""

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
        """Submit one attempt in the caller's transaction. Submitting it twice creates one job."""

    def submit_in(self, transaction: WriteTransaction, run_id: str, attempt: int, *, tenant: str) -> None:
        """`submit` in a transaction of the transaction writer."""

    def wake(self) -> None:
        """Look for jobs now: another process has submitted one."""

    async def states(self, jobs: Sequence[tuple[str, int]]) -> dict[tuple[str, int], JobState]:
        """Return the states of those attempts that have an unfinished job."""

    async def orphans(self) -> list[tuple[str, int]]:
        """Return attempts started by a worker that no longer holds a lease."""

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        """Requeue orphaned attempts."""

    def forget_in(self, transaction: WriteTransaction, finished_before: datetime, limit: int) -> int:
        """Delete the records of up to `limit` jobs that ended before a time; return their number.

        Executed in a transaction of the transaction writer.
        """

    async def delete_ended(self, jobs: Sequence[tuple[str, int]]) -> None:
        """Delete the queue's records of those attempts whose job has ended."""

    async def stats(self) -> QueueStats:
        """Return the current counts."""
