"""What only the database and the disk know, looked at when a scrape asks and kept for some seconds."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.errors import Unavailable
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.features.metrics.instruments import PREFIX
from crewai_runner.features.metrics.repository import MetricsRepository
from crewai_runner.queue.port import JobQueue, QueueStats

KEPT_SECONDS = 5.0
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Figures:
    """None where nobody answered: no figure is better than an old one."""

    runs: dict[str, int] | None
    queue: QueueStats | None
    free_bytes: int | None


class Record:
    """A collector of the latest figures. Several processes on one database tell the same ones."""

    def __init__(self, sessions: Sessions, queue: JobQueue, data_dir: Path) -> None:
        self._sessions, self._jobs, self._data_dir = sessions, queue, data_dir
        self._figures: Figures | None = None
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    async def refresh(self) -> None:
        """Look again unless that was done a moment ago; scrapes at once look once."""
        async with self._looking:
            if self._figures is not None and time.monotonic() - self._looked_at < KEPT_SECONDS:
                return
            runs, queue = await asyncio.gather(self._runs(), self._queue())
            free = await asyncio.to_thread(self._free_bytes)
            self._figures, self._looked_at = Figures(runs, queue, free), time.monotonic()

    async def _runs(self) -> dict[str, int] | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), read_session(self._sessions) as session:
                return await MetricsRepository(session).unfinished()
        except (TimeoutError, SQLAlchemyError, OSError):
            return None

    async def _queue(self) -> QueueStats | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._jobs.stats()
        except (TimeoutError, SQLAlchemyError, OSError, Unavailable):
            return None

    def _free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self._data_dir).free
        except OSError:
            return None

    def collect(self) -> Iterator[Metric]:
        """Called by the registry at a scrape, in a thread."""
        found = self._figures or Figures(None, None, None)
        yield _gauge("database_up", "1 when the database answered.", float(found.runs is not None))
        runs = GaugeMetricFamily(f"{PREFIX}_runs", "Runs that are not over, by state.", labels=["state"])
        for state, count in (found.runs or {}).items():
            runs.add_metric([state], count)
        yield runs
        yield from _of_queue(found.queue)
        yield _gauge("data_dir_free_bytes", "Room left where the data folder is.", found.free_bytes)

    def describe(self) -> list[Metric]:
        """Nothing is collected just to learn the names."""
        return []


def _of_queue(stats: QueueStats | None) -> Iterator[Metric]:
    waiting = None if stats is None else stats.waiting
    yield _gauge("queue_depth", "Attempts that wait in the queue.", waiting)
    taken = None if stats is None else stats.running
    yield _gauge("queue_taken", "Attempts that workers have taken.", taken)
    oldest = None if stats is None else stats.oldest_wait_seconds or 0.0
    yield _gauge("queue_oldest_wait_seconds", "How long the oldest attempt has waited; 0: none does.", oldest)


def _gauge(name: str, says: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", says)
    if value is not None:
        family.add_metric([], value)
    return family
