"""Stores the events of running crews and updates their runs, in one transaction.

One writer serves every run of the process, so that the cost hardly depends on the number of runs.
"""

import asyncio
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from crewai_runner.core.clock import Stopwatch
from crewai_runner.core.logging import get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.supervision import restart_on_error
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.failures import find_storage_failure, is_temporary
from crewai_runner.db.session import Sessions, record_committed_events, unit_of_work
from crewai_runner.domain.committed_events import NO_MODELS, CalledModel, CommittedEvents
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.domain.run_events import RunEvent, TaskCompleted
from crewai_runner.features.events.service import EventService
from crewai_runner.features.executions.event_batch import (
    AttemptBatch,
    AttemptKey,
    AttemptSink,
    Batches,
    PendingEvent,
    group_by_attempt,
)
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.schemas import BatchChange, SelectedRow
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.notifier import Chunk, Notifier

log = get_logger(__name__)
BATCH_INTERVAL_SECONDS = 0.02
FIRST_BATCH_SECONDS = 0.005
"""After a pause: long enough to store events together that follow each other directly."""
MAX_BATCH = 500
NO_FILES: Mapping[str, str] = MappingProxyType({})
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)


class EventWriterMetrics(Protocol):
    """What the writer reports to. Called on the event loop; must return quickly."""

    def batch_stored(self, events: int, seconds: float) -> None: ...

    def events_refused(self, events: int) -> None:
        """Events were rejected: their attempt is outdated or its run has finished."""


class EventWriter:
    """The only writer of crew events in this process."""

    def __init__(
        self,
        sessions: Sessions,
        notifier: Notifier,
        mask: SecretMask,
        metrics: EventWriterMetrics | None = None,
    ) -> None:
        self._sessions, self._notifier, self._mask, self._metrics = sessions, notifier, mask, metrics
        self._pending: deque[PendingEvent] = deque()
        self._lock = threading.Lock()
        self._has_pending, self._flush_requested = asyncio.Event(), asyncio.Event()
        self._emitted = self._stored = 0
        self._last_write = -math.inf
        self._progress = asyncio.Condition()
        self._sinks: dict[AttemptKey, AttemptSink] = {}
        self._writer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = asyncio.create_task(restart_on_error("event-writer", self._run), name="event-writer")

    async def close(self, timeout_seconds: float | None = None) -> None:
        """Store the pending events, then stop; give up after the timeout."""
        self._closing = True
        self._has_pending.set()
        self._flush_requested.set()
        if self._writer is not None:
            await asyncio.wait([self._writer], timeout=timeout_seconds)
            if self._writer.cancel():
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
    ) -> Callable[[RunEvent], None]:
        """Return the `emit` function of one attempt, callable from any thread.

        `on_refused` is called when a newer attempt owns the run, when the run has finished, and when an event
        could not be stored. `files` are the paths of the files that tasks write, by task key; `stopwatch`
        measures the run's active time, which each batch stores.
        """
        stopwatch = stopwatch or Stopwatch()
        sink = AttemptSink(
            run_id, fencing_token, models, self._mask, workspace_id, on_refused, stopwatch, files
        )
        if (before := self._sinks.get(sink.key)) is not None:
            sink.last_seq, sink.batched = before.last_seq, before.batched
        self._sinks[sink.key] = sink

        def emit(event: RunEvent) -> None:
            with self._lock:
                self._pending.append(PendingEvent(sink, event))
                self._emitted += 1
                first = len(self._pending) == 1
            if first and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._has_pending.set)

        return emit

    async def close_sink(self, run_id: str, fencing_token: int) -> bool:
        """Store what the attempt emitted and forget it; return whether every event could be stored."""
        await self.flush()
        sink = self._sinks.pop((run_id, fencing_token), None)
        return sink is None or not sink.has_failed

    async def store_active_seconds(self) -> None:
        """Store the active time of every attempt, also of those that have emitted nothing for some time."""
        sinks = sorted(self._sinks.values(), key=lambda sink: sink.key)
        if sinks:
            async with unit_of_work(self._sessions) as session:
                await RunService(session).set_active_seconds(
                    [(sink.run_id, sink.fencing_token, sink.stopwatch.seconds) for sink in sinks]
                )

    async def flush(self) -> None:
        """Wait until every event emitted so far is stored; the writer starts the batch immediately."""
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
            pending = self._take()
            if pending:
                try:
                    await self._store_and_notify(group_by_attempt(pending))
                finally:  # after a bug too: `flush` must not wait for ever
                    async with self._progress:
                        self._stored += len(pending)
                        self._progress.notify_all()
            elif self._closing:
                return

    async def _store_and_notify(self, batches: Batches) -> None:
        started = time.perf_counter()
        last_seqs = await self._write_with_retry(batches)
        try:
            self._notify_readers(batches, last_seqs)
            self._report(batches, last_seqs, time.perf_counter() - started)
        except Exception:
            log.exception("event_writer.notify_failed")  # the rows are stored; the writer must continue

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
            sink.has_failed = True
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
            return {}
        async with unit_of_work(self._sessions) as session:
            runs, events = RunService(session), EventService(session, self._mask)
            rows = await runs.lock_many([run_id for run_id, _ in keys])
            owned = {key: rows[key[0]] for key in keys if _owns(rows.get(key[0]), key[1])}
            numbered = {
                key: batches[key].number_new(row.attempt_events, row.last_seq) for key, row in owned.items()
            }
            if owned:
                await events.add_batch([(row.attempt, numbered[key]) for key, row in owned.items()])
                await runs.apply_events(
                    [
                        BatchChange(row, numbered[key], batches[key].end, batches[key].active_seconds)
                        for key, row in owned.items()
                    ]
                )
                for run_events in numbered.values():
                    await MessageService(session).apply_events(run_events)
                await self._save_files(runs, {key: (batches[key], numbered[key]) for key in owned})
                for key, row in owned.items():
                    batch = batches[key]
                    committed = CommittedEvents(key[0], row.attempt, batch.numbered, models=batch.sink.models)
                    record_committed_events(session, committed)
        for key in set(keys) - owned.keys():
            log.warning("event_writer.refused", run_id=key[0], events=len(batches[key].events))
            batches[key].sink.on_refused()
        return {key: row.last_seq + len(numbered[key]) for key, row in owned.items()}

    @staticmethod
    async def _save_files(
        runs: RunService, stored: Mapping[AttemptKey, tuple[AttemptBatch, list[RunEvent]]]
    ) -> None:
        """Save the files of completed tasks together with the events."""
        for (run_id, _), (batch, events) in stored.items():
            for event in events:
                if isinstance(event, TaskCompleted) and (path := batch.file_of(event)):
                    await runs.save_artifact(run_id, event.task_key or "", path, event.data.raw)

    def _notify_readers(self, batches: Batches, last_seqs: dict[AttemptKey, int]) -> None:
        for key, batch in batches.items():
            if key not in last_seqs and batch.events:
                continue  # refused
            # Without stored events in this batch a chunk follows the last stored event of its attempt.
            before = last_seqs[key] - len(batch.events) if key in last_seqs else batch.sink.last_seq
            for position, chunk in batch.mask_chunks():
                frame = chunk.model_copy(update={"run_id": key[0]}).model_dump_json(exclude={"seq"})
                self._notifier.publish_ephemeral(key[0], Chunk(before + position, frame))
            batch.sink.last_seq = last_seqs.get(key, batch.sink.last_seq)
        self._notifier.publish(run_id for run_id, _ in last_seqs)


def _owns(row: SelectedRow | None, fencing_token: int) -> bool:
    return row is not None and row.fencing_token == fencing_token and RunState(row.state) not in FINAL_STATES
