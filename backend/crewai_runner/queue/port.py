"""The port for durable work: what the product asks of a queue engine.

The queue carries ids only. The promise: a submission exists if and only if the caller's
transaction commits; a job whose process died is tried again; one live attempt per key.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

RunJob = Callable[[str, int], Awaitable[None]]
"""The body of a job: `(run_id, attempt)`. Idempotent by contract; must not raise for a failed crew."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Figures for health and metrics. `oldest_wait_seconds` is None when nothing waits.

    `workers` is how many processes hold a lease to take work; the embedded one counts as one.
    """

    waiting: int
    running: int
    oldest_wait_seconds: float | None
    workers: int = field(default=1, compare=False)


class JobQueue(Protocol):
    """Durable work for runs, with two adapters: DBOS and inline."""

    async def start(self, job: RunJob, *, consume: bool = True) -> None:
        """Open the engine; with `consume`, take jobs (role `all` or `worker`) and recover one's own."""

    async def drain(self, timeout_seconds: float) -> None:
        """Take no more jobs, wait for the running ones up to the time-out, then close the engine."""

    async def submit(
        self,
        session: AsyncSession,
        run_id: str,
        attempt: int,
        *,
        tenant: str,
        priority: int = 10,
        not_before: datetime | None = None,
    ) -> None:
        """Queue one attempt in the caller's transaction. The same run and attempt twice is one job."""

    async def cancel(self, run_id: str, attempt: int) -> None:
        """Forget a job that has not begun; cancel one that has. Unknown jobs are no error."""

    async def orphans(self) -> list[tuple[str, int]]:
        """Attempts that were begun by a worker that is no more."""

    async def requeue(self, jobs: list[tuple[str, int]]) -> None:
        """Give orphaned attempts back to the queue."""

    async def forget(self, finished_before: datetime) -> int:
        """Drop the queue's own records of jobs that ended before then; returns how many."""

    async def stats(self) -> QueueStats: ...
