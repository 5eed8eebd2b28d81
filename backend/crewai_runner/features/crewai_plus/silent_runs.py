"""Ends runs elsewhere whose process is gone: it cannot say so."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import Sessions, pop_notifications, read_session, unit_of_work
from crewai_runner.domain.run import RunState
from crewai_runner.features.crewai_plus.repository import ExternalRunRepository
from crewai_runner.features.crewai_plus.rules import describe_silence
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue

log = get_logger(__name__)
PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class SilentRuns:
    """Finds runs elsewhere without spans for `minutes`. Safe in several processes at once."""

    sessions: Sessions
    queue: JobQueue
    mask: SecretMask
    publish: Callable[[Iterable[str]], None]
    minutes: float

    async def end_all(self) -> int:
        """End every silent run as failed; return how many."""
        limit = now() - timedelta(minutes=self.minutes)
        async with read_session(self.sessions) as session:
            silent = await ExternalRunRepository(session).list_silent(limit, PAGE_SIZE)
        return sum([await self._end(run_id, limit) for run_id in silent])

    async def _end(self, run_id: str, limit: datetime) -> bool:
        """End the run, unless it has sent spans or has ended since it was read."""
        async with unit_of_work(self.sessions) as session:
            run = await RunService(session).lock_for_worker(run_id)
            if run is None or run.state != RunState.RUNNING:
                return False
            if run.attempt_started_at is None or run.attempt_started_at >= limit:
                return False
            await LifecycleService(session, self.queue, self.mask).fail(run, describe_silence(self.minutes))
        log.warning("run.silent_elsewhere", run_id=run_id)
        self.publish(pop_notifications(session))
        return True
