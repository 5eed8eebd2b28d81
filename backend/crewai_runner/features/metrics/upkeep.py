"""How the process itself fares: its journal, its event loop, the workers beside it."""

import asyncio

from crewai_runner.features.metrics.instruments import (
    ANSWER_BUCKETS,
    BATCH_BUCKETS,
    LAG_BUCKETS,
    Instruments,
)

LOOK_SECONDS = 1.0


class UpkeepMetrics:
    """What the journal, the lease and the sweep write to. `worker_retired` may be called from any thread."""

    def __init__(self, instruments: Instruments) -> None:
        self._events = instruments.histogram(
            "journal_batch_events", "Events of crews stored in one transaction.", BATCH_BUCKETS
        )
        self._seconds = instruments.histogram(
            "journal_batch_duration_seconds", "Time to store a batch, tries included.", ANSWER_BUCKETS
        )
        self._refused = instruments.counter(
            "journal_events_refused", "Events of attempts that had been fenced off or stopped."
        )
        self._losses = instruments.counter(
            "lease_losses", "Workers that gave no sign of life and were retired by this one."
        )
        self._orphans = instruments.counter("orphaned_runs", "Runs of dead workers given back to the queue.")
        self._lag = instruments.histogram(
            "event_loop_lag_seconds", "How late the event loop wakes whoever sleeps.", LAG_BUCKETS
        )

    def batch_stored(self, events: int, seconds: float) -> None:
        self._events.observe(events)
        self._seconds.observe(seconds)

    def events_refused(self, events: int) -> None:
        self._refused.inc(events)

    def worker_retired(self) -> None:
        self._losses.inc()

    def orphans_reclaimed(self, runs: int) -> None:
        self._orphans.inc(runs)

    async def watch_loop(self) -> None:
        """Sleep and see how late it wakes, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            self._lag.observe(max(0.0, loop.time() - due))
