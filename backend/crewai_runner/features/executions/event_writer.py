"""Stores the events of running crews and updates their runs, in one transaction.

One writer serves every run of the process, so that the cost hardly depends on the number of runs.
"""

import asyncio
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping

from crewai_runner.core.clock import Stopwatch
from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.supervision import restart_on_error
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.failures import find_storage_failure, is_temporary
from crewai_runner.db.transaction_writer import TransactionWriter, WriteTransaction
from crewai_runner.domain.committed_events import NO_MODELS, CalledModel
from crewai_runner.domain.run_events import LlmChunk, RunEvent
from crewai_runner.domain.run_quota import RunQuota
from crewai_runner.features.executions.connection_ledger import ConnectionLedger
from crewai_runner.features.executions.event_backlog import EventBacklog, EventWriterMetrics, estimate_size
from crewai_runner.features.executions.event_batch import (
    NO_FILES,
    AttemptBatch,
    AttemptKey,
    AttemptSink,
    Batches,
    PendingEvent,
    group_by_attempt,
)
from crewai_runner.features.executions.event_store import StoredEvents, store_batches
from crewai_runner.features.executions.failures import storage_failure
from crewai_runner.features.executions.live_text import LiveText
from crewai_runner.features.executions.spending_guard import SpendingGuard
from crewai_runner.features.runs.writes import RunWrites
from crewai_runner.stream.notifier import Notifier

log = get_logger(__name__)
BATCH_INTERVAL_SECONDS = 0.02
FIRST_BATCH_SECONDS = 0.005
"""After a pause: long enough to store events together that follow each other directly."""
MAX_BATCH = 500
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)


class EventWriter:
    """The only writer of crew events in this process."""

    def __init__(
        self,
        writer: TransactionWriter,
        notifier: Notifier,
        mask: SecretMask,
        metrics: EventWriterMetrics | None = None,
        quota: RunQuota | None = None,
        guard: SpendingGuard | None = None,
    ) -> None:
        self._quota, self._guard = quota or RunQuota(), guard
        self._writer, self._mask, self._metrics = writer, mask, metrics
        self._live_text = LiveText(notifier, self._call_soon)
        self._pending: deque[PendingEvent] = deque()
        self._lock = threading.Lock()
        self._has_pending, self._flush_requested = asyncio.Event(), asyncio.Event()
        self._last_write, self._emitted, self._stored = -math.inf, 0, 0
        self._progress = asyncio.Condition()
        self._sinks: dict[AttemptKey, AttemptSink] = {}
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._closing = False

    def start(self) -> None:
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._task = asyncio.create_task(restart_on_error("event-writer", self._run), name="event-writer")

    async def close(self, timeout_seconds: float | None = None) -> None:
        """Store the pending events, then stop; give up after the timeout."""
        self._closing = True
        self._has_pending.set()
        self._flush_requested.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout_seconds)
            if self._task.cancel():
                log.error("event_writer.events_lost", events=self._emitted - self._stored)

    def open_sink(
        self,
        run_id: str,
        fencing_token: int,
        on_refused: Callable[[], None],
        models: Mapping[str, CalledModel] = NO_MODELS,
        *,
        workspace_id: str = "",
        files: Mapping[str, str] = NO_FILES,
        stopwatch: Stopwatch | None = None,
        task_keys: Collection[str] | None = None,
        on_backlog: Callable[[bool], None] = lambda _is_full: None,
    ) -> Callable[[RunEvent], None]:
        """Return the `emit` function of one attempt, callable from any thread.

        `on_refused` is called when a newer attempt owns the run, when the run has finished or exceeds its
        quota, and when an event could not be stored, `on_backlog` when too many wait to be stored and when
        they are stored. `files` are the paths of the files that tasks write, by task key; `stopwatch` is the
        run's active time, which each batch stores; events about other tasks than `task_keys` are stored
        without a task.
        """
        stopwatch = stopwatch or Stopwatch()
        sink = AttemptSink(
            run_id, fencing_token, models, self._mask, workspace_id, on_refused, stopwatch, files, task_keys
        )
        sink.backlog = EventBacklog(run_id, on_backlog, self._metrics)
        if (before := self._sinks.get(sink.key)) is not None:
            sink.continue_from(before)
        self._sinks[sink.key] = sink

        def emit(event: RunEvent) -> None:
            if isinstance(event, LlmChunk) and sink.backlog.is_empty:
                self._live_text.add(sink, event)
                return
            item = PendingEvent(sink, event, estimate_size(event))
            sink.backlog.add(item.size)
            with self._lock:
                self._pending.append(item)
                self._emitted += 1
                first = len(self._pending) == 1
            if first:
                self._call_soon(self._has_pending.set)

        return emit

    def ledger_of(self, run_id: str, fencing_token: int) -> ConnectionLedger:
        """The connections of an attempt with an open sink; they are stored with the events that follow."""
        return self._sinks[(run_id, fencing_token)].connections

    def _call_soon(self, callback: Callable[[], None]) -> None:
        """Call a function on the event loop, unless it is closed. Callable from any thread."""
        if self._loop is None or self._loop.is_closed():
            return
        if threading.get_ident() == self._loop_thread:  # crew hosts send their events to this thread
            self._loop.call_soon(callback)
        else:
            self._loop.call_soon_threadsafe(callback)

    async def close_sink(self, run_id: str, fencing_token: int) -> AttemptSink | None:
        """Store what the attempt emitted and forget it; return its sink, with its failure if it has one."""
        await self.flush()
        return self._sinks.pop((run_id, fencing_token), None)

    async def store_active_seconds(self) -> None:
        """Store the active time of every attempt, also of those that have emitted nothing for some time."""
        sinks = sorted(self._sinks.values(), key=lambda sink: sink.key)
        if sinks:
            seconds = [(sink.run_id, sink.fencing_token, sink.stopwatch.seconds) for sink in sinks]
            await self._writer.run(
                lambda transaction: RunWrites(transaction.connection).set_active_seconds(seconds)
            )

    async def flush(self) -> None:
        """Wait until every event emitted so far is stored; the writer starts the batch immediately."""
        self._live_text.publish()
        target = self._emitted
        self._flush_requested.set()
        async with self._progress:
            await self._progress.wait_for(lambda: self._stored >= target)

    async def _run(self) -> None:
        while True:
            await self._has_pending.wait()
            if not self._closing:
                await wait_event(self._flush_requested, self._collection_seconds())
            self._flush_requested.clear()
            self._last_write = time.monotonic()
            if pending := self._take():
                try:
                    await self._store(group_by_attempt(pending))
                finally:  # after a bug too: `flush` must not wait for ever
                    for item in pending:
                        item.sink.backlog.remove(item.size)
                    async with self._progress:
                        self._stored += len(pending)
                        self._progress.notify_all()
            elif self._closing:
                return

    async def _store(self, batches: Batches) -> None:
        started = time.perf_counter()
        last_seqs = await self._write_with_retry(batches)
        try:
            self._report(batches, last_seqs, time.perf_counter() - started)
        except Exception:
            log.exception("event_writer.report_failed")  # the rows are stored; the writer must continue

    def _collection_seconds(self) -> float:
        """How long to collect events: short after a pause, else until the interval since the last batch."""
        return max(FIRST_BATCH_SECONDS, self._last_write + BATCH_INTERVAL_SECONDS - time.monotonic())

    def _report(self, batches: Batches, last_seqs: dict[AttemptKey, int], seconds: float) -> None:
        if self._metrics is None:
            return
        stored = sum(len(batches[key].events) for key in last_seqs)
        refused = sum(len(batch.events) for key, batch in batches.items() if key not in last_seqs)
        if stored:
            self._metrics.batch_stored(stored, seconds)
        if refused:
            self._metrics.events_refused(refused)

    def _take(self) -> list[PendingEvent]:
        self._live_text.publish()  # it was emitted before the events
        with self._lock:
            pending = [self._pending.popleft() for _ in range(min(len(self._pending), MAX_BATCH))]
            if not self._pending and not self._closing:
                self._has_pending.clear()
        return pending

    async def _write_with_retry(self, batches: Batches) -> dict[AttemptKey, int]:
        """Store a batch; while the database is away, full or read-only, retry it without limit."""
        for tries in itertools.count():
            try:
                return await self._write(batches)
            except Exception as error:
                if not is_temporary(error):
                    runs = sorted({run_id for run_id, _ in batches})
                    log.exception("event_writer.batch_failed", runs=runs)
                    return await self._write_separately(batches)
                wait = RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)]
                reason = find_storage_failure(error)
                log.warning("event_writer.retry", error=type(error).__name__, storage=reason, wait=wait)
                await asyncio.sleep(wait)
        raise AssertionError("itertools.count() is infinite")

    async def _write_separately(self, batches: Batches) -> dict[AttemptKey, int]:
        """After an unexpected error store each attempt separately, then each half of an attempt's events.

        An event that cannot be stored alone is dropped, and its attempt ends.
        """
        if len(batches) == 1:
            (batch,) = batches.values()
            return await self._write_halves(batch)
        last_seqs: dict[AttemptKey, int] = {}
        for key, batch in batches.items():
            last_seqs |= await self._write_with_retry({key: batch})
        return last_seqs

    async def _write_halves(self, batch: AttemptBatch) -> dict[AttemptKey, int]:
        events, sink = batch.events, batch.sink
        if len(events) == 1:
            log.error("event_writer.event_lost", run_id=sink.run_id, type=events[0].type)
            sink.failure = storage_failure().failure
            sink.on_refused()
            batch.events = []
            return {}
        halves = batch.split()
        last_seqs: dict[AttemptKey, int] = {}
        for half in halves:
            last_seqs |= await self._write_with_retry({sink.key: half})
        batch.events = [event for half in halves for event in half.events]
        batch.chunks = []  # their positions refer to the events before
        return last_seqs

    async def _write(self, batches: Batches) -> dict[AttemptKey, int]:
        """Store a batch; return the last sequence number of each attempt that was not refused."""
        keys = sorted(key for key, batch in batches.items() if batch.events)
        if not keys:
            self._publish_text(batches, {})
            return {}
        if self._guard is not None:
            await self._guard.load()

        def store(transaction: WriteTransaction) -> dict[AttemptKey, StoredEvents]:
            stored = store_batches(transaction, batches, self._guard)
            transaction.after_commit.append(lambda: self._publish_text(batches, stored))
            return stored

        stored = await self._writer.run(store, first=True)
        for key, one in stored.items():
            batches[key].sink.check_quota(self._quota, one.last_seq, one.stored_bytes)
            if self._guard is not None and one.spending is not None:
                self._guard.report(key[0], one.spending)
        for key in set(keys) - stored.keys():
            log.warning("event_writer.refused", run_id=key[0], events=len(batches[key].events))
            batches[key].sink.on_refused()
        return {key: one.last_seq for key, one in stored.items()}

    def _publish_text(self, batches: Batches, stored: Mapping[AttemptKey, StoredEvents]) -> None:
        """Publish the text between the events of a batch, before readers receive these."""
        for key, batch in batches.items():
            sink = batch.sink
            sink.is_refused = sink.is_refused or (bool(batch.events) and key not in stored)
            # Without stored events in this batch text follows the last stored event of its attempt.
            last_seq = stored[key].last_seq if key in stored else sink.last_seq
            self._live_text.publish_batch(batch, last_seq - (len(batch.events) if key in stored else 0))
            sink.last_seq = last_seq
