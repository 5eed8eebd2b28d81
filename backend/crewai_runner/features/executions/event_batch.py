"""The events of a batch, grouped by attempt, and the live text between them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from crewai_runner.core.clock import Stopwatch
from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.secret_mask import SecretMask, StreamMask, TextMask
from crewai_runner.core.text import replace_unstorable
from crewai_runner.domain.committed_events import CalledModel
from crewai_runner.domain.run_event_payloads import LlmChunkData
from crewai_runner.domain.run_events import (
    ArtifactSaved,
    LlmChunk,
    LlmCompleted,
    LlmFailed,
    RunEvent,
    TaskCompleted,
)
from crewai_runner.features.events.service import assign_sequence_numbers

AttemptKey = tuple[str, int]
"""A run id and the fencing token of one of its attempts."""


@dataclass(slots=True, eq=False)
class AttemptSink:
    """One attempt as the event writer knows it: the models it may call, and the secrets of its run."""

    run_id: str
    fencing_token: int
    models: Mapping[str, CalledModel]
    secrets: SecretMask
    workspace_id: str
    on_refused: Callable[[], None]
    stopwatch: Stopwatch
    """Measures the run's active time, earlier attempts included."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The path of the file that a task writes, by task key."""
    batched: int = 0
    """How many events of the attempt batches have taken so far."""
    has_failed: bool = False
    """Whether an event could not be stored."""
    last_seq: int = 0
    streams: dict[str, StreamMask] = field(default_factory=dict)
    """The streamed text of each model call in progress."""

    @property
    def key(self) -> AttemptKey:
        return self.run_id, self.fencing_token

    @property
    def mask(self) -> TextMask:
        return self.secrets.scoped(self.workspace_id, self.run_id)

    def stream(self, call_id: str) -> StreamMask:
        return self.streams.setdefault(call_id, StreamMask(self.mask))

    def end_stream(self, call_id: str) -> str:
        """Return the text that was held back, masked."""
        stream = self.streams.pop(call_id, None)
        return "" if stream is None else stream.flush()


@dataclass(slots=True)
class PendingEvent:
    """An emitted event and the attempt that emitted it."""

    sink: AttemptSink
    event: RunEvent


@dataclass(slots=True)
class AttemptBatch:
    """The events of one attempt in one batch; each chunk with the number of events before it."""

    sink: AttemptSink
    position: int
    """How many events of the attempt earlier batches have taken."""
    active_seconds: float
    """The run's active time when the batch was taken."""
    events: list[RunEvent] = field(default_factory=list)
    chunks: list[tuple[int, LlmChunk]] = field(default_factory=list)
    numbered: list[RunEvent] = field(default_factory=list)
    """The events as the last try to store them has numbered them."""

    @property
    def end(self) -> int:
        """How many events of the attempt this batch and earlier ones have taken."""
        return self.position + len(self.events)

    def number_new(self, stored: int, last_seq: int) -> list[RunEvent]:
        """Return the events after the attempt's first `stored` ones, masked, with sequence numbers.

        Others were stored by an earlier try whose commit succeeded, although its answer was lost.
        """
        new = self.events[max(0, stored - self.position) :]
        masked = [clean_model(event, self.sink.mask) for event in new]
        numbered = assign_sequence_numbers(self.sink.run_id, last_seq, masked)
        self.numbered = numbered or self.numbered
        return numbered

    def split(self) -> "tuple[AttemptBatch, AttemptBatch]":
        """Return the two halves of the events, without chunks: their positions refer to the whole."""
        middle = len(self.events) // 2
        first = AttemptBatch(self.sink, self.position, self.active_seconds, self.events[:middle])
        second = AttemptBatch(self.sink, self.position + middle, self.active_seconds, self.events[middle:])
        return first, second

    def file_of(self, event: TaskCompleted) -> str | None:
        """Return the path of the file that the completed task writes."""
        return self.sink.files.get(event.task_key or "")

    def mask_chunks(self) -> list[tuple[int, LlmChunk]]:
        """Return the chunks that can be shown now, masked.

        The end of a call's text is held back while it may be the beginning of a secret, across batches, until
        the call ends.
        """
        shown: list[tuple[int, LlmChunk]] = []
        for index in range(len(self.events) + 1):
            for chunk in (chunk for position, chunk in self.chunks if position == index):
                text = self.sink.stream(chunk.data.call_id).feed(chunk.data.text)
                shown.append((index, _with_text(chunk, text)))
            if index < len(self.events) and isinstance(end := self.events[index], LlmCompleted | LlmFailed):
                text = self.sink.end_stream(end.data.call_id)
                data = LlmChunkData(call_id=end.data.call_id, text=replace_unstorable(text))
                shown.append((index, LlmChunk(task_key=end.task_key, agent=end.agent, data=data)))
        return [(index, chunk) for index, chunk in shown if chunk.data.text]


Batches = dict[AttemptKey, AttemptBatch]


def group_by_attempt(pending: Iterable[PendingEvent]) -> Batches:
    batches: Batches = {}
    for item in pending:
        batch = batches.get(item.sink.key)
        if batch is None:
            batch = batches[item.sink.key] = AttemptBatch(
                item.sink, item.sink.batched, item.sink.stopwatch.seconds
            )
        if isinstance(item.event, LlmChunk):
            _add_chunk(batch, item.event)
        else:
            batch.events.append(item.event)
            if isinstance(item.event, TaskCompleted) and (path := batch.file_of(item.event)):
                output = clean_model(item.event, item.sink.mask).data.raw
                batch.events.append(ArtifactSaved.of_output(item.event.task_key or "", path, output))
        item.sink.batched = batch.end
    return batches


def _add_chunk(batch: AttemptBatch, chunk: LlmChunk) -> None:
    """Add a chunk; join it to the previous one if both belong to the same call and position."""
    position = len(batch.events)
    if batch.chunks:
        before, last = batch.chunks[-1]
        if before == position and last.data.call_id == chunk.data.call_id:
            batch.chunks[-1] = (position, _with_text(last, last.data.text + chunk.data.text))
            return
    batch.chunks.append((position, chunk))


def _with_text(chunk: LlmChunk, text: str) -> LlmChunk:
    return chunk.model_copy(update={"data": chunk.data.model_copy(update={"text": replace_unstorable(text)})})
