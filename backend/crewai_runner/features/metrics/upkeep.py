"""Metrics of the process itself: event writer, event loop, and the workers it retires."""

import asyncio

from crewai_runner.features.metrics.instruments import (
    ANSWER_BUCKETS,
    BATCH_BUCKETS,
    LAG_BUCKETS,
    Instruments,
)

INTERVAL_SECONDS = 1.0


class UpkeepMetrics:
    """Written by the event writer, the lease and the periodic tasks.

    `worker_retired` and `backlog_full` are called from any thread.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._events = instruments.histogram(
            "journal_batch_events", "Events of crews stored in one transaction.", BATCH_BUCKETS
        )
        self._seconds = instruments.histogram(
            "journal_batch_duration_seconds", "Time to store a batch, including retries.", ANSWER_BUCKETS
        )
        self._refused = instruments.counter(
            "journal_events_refused",
            "Events rejected because their attempt was outdated or its run finished.",
        )
        self._backlogs = instruments.counter(
            "event_backlogs_full",
            "Times that an attempt's unstored events reached the limit, so that its model calls waited.",
        )
        self._losses = instruments.counter(
            "lease_losses", "Workers retired by this one because their lease expired."
        )
        self._orphans = instruments.counter("orphaned_runs", "Runs of dead workers requeued.")
        self._hosts_lost = instruments.counter(
            "crew_hosts_lost", "Crew hosts that died or were killed, by reason.", "reason"
        )
        self._hosts_retired = instruments.counter(
            "crew_hosts_retired", "Crew hosts replaced after their last work, by reason.", "reason"
        )
        self._retention = instruments.counter(
            "retention_deleted", "Runs and events deleted because of their age.", "kind"
        )
        self._lag = instruments.histogram(
            "event_loop_lag_seconds", "Delay of a timer on the event loop.", LAG_BUCKETS
        )

    def batch_stored(self, events: int, seconds: float) -> None:
        self._events.observe(events)
        self._seconds.observe(seconds)

    def events_refused(self, events: int) -> None:
        self._refused.inc(events)

    def backlog_full(self) -> None:
        self._backlogs.inc()

    def worker_retired(self) -> None:
        self._losses.inc()

    def orphans_reclaimed(self, runs: int) -> None:
        self._orphans.inc(runs)

    def host_lost(self, reason: str) -> None:
        self._hosts_lost.labels(reason).inc()

    def host_retired(self, reason: str) -> None:
        self._hosts_retired.labels(reason).inc()

    def retention_deleted(self, *, runs: int, events: int) -> None:
        self._retention.labels("runs").inc(runs)
        self._retention.labels("events").inc(events)

    async def measure_loop_lag(self) -> None:
        """Measure the delay of a timer, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            self._lag.observe(max(0.0, loop.time() - due))
