"""Streamed text on its way from attempts to readers, without waiting for a batch of events."""

import threading
from collections.abc import Callable

from crewai_runner.core.logging import get_logger
from crewai_runner.domain.run_events import LlmChunk
from crewai_runner.features.executions.event_batch import AttemptBatch, AttemptSink
from crewai_runner.stream.notifier import Chunk, Notifier

log = get_logger(__name__)


class LiveText:
    """Publishes the text of attempts whose events are all stored: there is no event that it has to follow.

    Pieces that arrive until the event loop is free are published together.
    """

    def __init__(self, notifier: Notifier, call_soon: Callable[[Callable[[], None]], None]) -> None:
        """`call_soon` calls a function on the event loop, from any thread."""
        self._notifier, self._call_soon = notifier, call_soon
        self._lock = threading.Lock()
        self._batches: dict[AttemptSink, AttemptBatch] = {}

    def add(self, sink: AttemptSink, chunk: LlmChunk) -> None:
        """Publish a piece soon. Callable from any thread."""
        with self._lock:
            is_first = not self._batches
            batch = self._batches.setdefault(sink, AttemptBatch(sink, sink.batched, 0.0))
            batch.add_chunk(chunk)
        if is_first:
            self._call_soon(self.publish)

    def publish(self) -> None:
        """Publish what was added. Call it on the event loop, before events that follow are stored."""
        with self._lock:
            batches, self._batches = self._batches, {}
        for sink, batch in batches.items():
            try:
                self.publish_batch(batch, sink.last_seq)
            except Exception:
                log.exception("live_text.failed", run_id=sink.run_id)  # the stored event has the full text

    def publish_batch(self, batch: AttemptBatch, last_seq: int) -> None:
        """Publish the text of a batch; `last_seq` is the number of the last event before the batch."""
        if batch.sink.is_refused:
            return
        for position, chunk in batch.mask_chunks():
            frame = chunk.model_copy(update={"run_id": batch.sink.run_id}).model_dump_json(exclude={"seq"})
            self._notifier.publish_ephemeral(batch.sink.run_id, Chunk(last_seq + position, frame))
