"""Figures from the database and the disk, read when a scrape needs them and cached for some seconds."""

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
from crewai_runner.features.metrics.repository import MetricsRepository, UnfinishedRuns
from crewai_runner.queue.port import JobQueue, QueueStats

CACHE_SECONDS = 5.0
TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Figures:
    """None where the source did not answer: no figure is better than an outdated one."""

    runs: UnfinishedRuns | None
    queue: QueueStats | None
    free_bytes: int | None


class DatabaseCollector:
    """A Prometheus collector of the latest figures; all processes on one database report the same."""

    def __init__(self, sessions: Sessions, queue: JobQueue, data_dir: Path) -> None:
        self._sessions, self._jobs, self._data_dir = sessions, queue, data_dir
        self._figures: Figures | None = None
        self._read_at = 0.0
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the figures again unless the cache is fresh; concurrent scrapes read them once."""
        async with self._refreshing:
            if self._figures is not None and time.monotonic() - self._read_at < CACHE_SECONDS:
                return
            runs, queue = await asyncio.gather(self._runs(), self._queue())
            free = await asyncio.to_thread(self._free_bytes)
            self._figures, self._read_at = Figures(runs, queue, free), time.monotonic()

    async def _runs(self) -> UnfinishedRuns | None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), read_session(self._sessions) as session:
                return await MetricsRepository(session).count_unfinished()
        except (TimeoutError, SQLAlchemyError, OSError):
            return None

    async def _queue(self) -> QueueStats | None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
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
        yield from _of_runs(found.runs)
        yield from _of_queue(found.queue)
        yield _gauge("data_dir_free_bytes", "Free disk space of the data folder.", found.free_bytes)

    def describe(self) -> list[Metric]:
        """Empty, so that registering does not collect."""
        return []


def _of_runs(unfinished: UnfinishedRuns | None) -> Iterator[Metric]:
    runs = GaugeMetricFamily(f"{PREFIX}_runs", "Unfinished runs of this server, by state.", labels=["state"])
    for state, count in () if unfinished is None else unfinished.by_state.items():
        runs.add_metric([state], count)
    yield runs
    elsewhere = None if unfinished is None else unfinished.elsewhere
    yield _gauge("runs_elsewhere", "Unfinished runs that run elsewhere and report here.", elsewhere)


def _of_queue(stats: QueueStats | None) -> Iterator[Metric]:
    waiting = None if stats is None else stats.waiting
    yield _gauge("queue_depth", "Attempts waiting in the queue.", waiting)
    taken = None if stats is None else stats.running
    yield _gauge("queue_taken", "Attempts started by workers.", taken)
    oldest = None if stats is None else stats.oldest_wait_seconds or 0.0
    yield _gauge("queue_oldest_wait_seconds", "Wait of the oldest queued attempt; 0 if none waits.", oldest)


def _gauge(name: str, says: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", says)
    if value is not None:
        family.add_metric([], value)
    return family
