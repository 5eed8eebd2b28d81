"""The telemetry of one process: metrics, and traces if enabled."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import Protocol

from crewai_runner import __version__
from crewai_runner.core.setting_choices import Role
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.features.metrics.database_collector import DatabaseCollector
from crewai_runner.features.metrics.instruments import Instruments
from crewai_runner.features.metrics.pool_collector import PoolCollector
from crewai_runner.features.metrics.requests import RequestMetrics
from crewai_runner.features.metrics.runs import RunMetrics
from crewai_runner.features.metrics.upkeep import UpkeepMetrics
from crewai_runner.queue.port import JobQueue


class Traces(Protocol):
    """The destination of run spans."""

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None: ...

    async def close(self) -> None:
        """Send the remaining spans, for at most a few seconds."""


class Telemetry:
    """Other parts write to its members; a scrape reads `text`."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        queue: JobQueue,
        active_runs: Sized,
        count_pool_timeouts: Callable[[], int] = lambda: 0,
    ) -> None:
        instruments = Instruments()
        self._instruments = instruments
        self.requests = RequestMetrics(instruments)
        self.runs = RunMetrics(instruments)
        self.upkeep = UpkeepMetrics(instruments)
        self.traces = traces_of(settings)
        self._database_collector = DatabaseCollector(sessions, queue, settings.data_dir)
        instruments.add(self._database_collector)
        instruments.add(PoolCollector(count_pool_timeouts))
        _describe(instruments, settings, active_runs)
        self._watching: asyncio.Task[None] | None = None

    def on_commit(self, batch: Sequence[CommittedEvents]) -> None:
        """A `CommitListener`."""
        self.runs.on_commit(batch)
        if self.traces is not None:
            self.traces.on_commit(batch)

    async def text(self) -> bytes:
        """Every metric in Prometheus' text format; rendered in a thread, to not block the event loop."""
        await self._database_collector.refresh()
        return await asyncio.to_thread(self._instruments.text)

    def start(self) -> None:
        self._watching = asyncio.create_task(self.upkeep.measure_loop_lag(), name="event-loop-lag")

    async def close(self) -> None:
        """Call it after the last event is stored."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if self.traces is not None:
            await self.traces.close()


@dataclass(frozen=True, slots=True)
class MetricsDeps:
    """What the container provides for the metrics endpoint."""

    telemetry: Telemetry
    is_public: bool


def traces_of(settings: Settings) -> Traces | None:
    """None without OTLP_ENDPOINT: then OpenTelemetry is not imported and no thread is started."""
    if not settings.otlp_endpoint:
        return None
    from crewai_runner.features.metrics.otlp import OtlpTraces  # noqa: PLC0415

    return OtlpTraces(settings.otlp_endpoint, role=settings.role.value)


def _describe(instruments: Instruments, settings: Settings, active_runs: Sized) -> None:
    database = "sqlite" if settings.is_embedded else "postgresql"
    build = instruments.gauge(
        "build_info", "Always 1; the labels describe the build.", "version", "role", "database"
    )
    build.labels(__version__, settings.role.value, database).set(1)
    active = instruments.gauge("active_runs", "Runs that this process runs now.")
    active.set_function(lambda: len(active_runs))
    places = instruments.gauge("run_places", "Maximum of runs that this process runs at once.")
    places.set(0 if settings.role is Role.API else settings.worker_concurrency)
