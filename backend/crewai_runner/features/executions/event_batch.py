"""The events of a batch, grouped by attempt, and the live text between them."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from crewai_runner.core.clock import Stopwatch
from crewai_runner.core.logging import get_logger
from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.secret_mask import SecretMask, StreamMask, TextMask
from crewai_runner.core.text import replace_unstorable
from crewai_runner.domain.artifact_events import make_artifact_event
from crewai_runner.domain.committed_events import CalledModel
from crewai_runner.domain.run import FINAL_STATES, RunFailure, RunState
from crewai_runner.domain.run_connection import NumberedConnection, StoredConnections
from crewai_runner.domain.run_event_payloads import LlmChunkData, WarningRaisedData
from crewai_runner.domain.run_events import (
    LlmChunk,
    LlmCompleted,
    LlmFailed,
    RunEvent,
    TaskCompleted,
    WarningRaised,
)
from crewai_runner.domain.run_quota import RunQuota
from crewai_runner.features.events.service import assign_sequence_numbers
from crewai_runner.features.executions.connection_ledger import ConnectionLedger
from crewai_runner.features.executions.event_backlog import EventBacklog
from crewai_runner.features.runs.schemas import SelectedRow

log = get_logger(__name__)
NO_FILES: Mapping[str, str] = MappingProxyType({})
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
    task_keys: Collection[str] | None = None
    """The tasks that events may be about; None accepts every task."""
    backlog: EventBacklog = field(default_factory=lambda: EventBacklog(""))
    unknown_tasks: set[str] = field(default_factory=set)
    """Tasks that events were about and that the workflow does not have."""
    batched: int = 0
    """How many events of the attempt batches have taken so far."""
    failure: RunFailure | None = None
    """Why the run fails: an event could not be stored, or its quota is exceeded."""
    is_refused: bool = False
    """Whether a newer attempt owns the run, or it has finished."""
    last_seq: int = 0
    streams: dict[str, StreamMask] = field(default_factory=dict)
    """The streamed text of each model call in progress."""
    connections: ConnectionLedger = field(default_factory=ConnectionLedger)
    """The connections that the attempt has made, and that are not stored yet."""

    @property
    def key(self) -> AttemptKey:
        return self.run_id, self.fencing_token

    @property
    def mask(self) -> TextMask:
        return self.secrets.scoped(self.workspace_id, self.run_id)

    def knows_task(self, key: str | None) -> bool:
        """Return whether events may be about a task; None stands for the run."""
        return key is None or self.task_keys is None or key in self.task_keys

    def continue_from(self, before: "AttemptSink") -> None:
        """Take over what an earlier sink of the same attempt has counted."""
        self.last_seq, self.batched, self.connections = before.last_seq, before.batched, before.connections

    def describe(self, connections: Sequence[NumberedConnection]) -> dict[str, Any] | None:
        """Return what to store of connections, with secrets masked in what other programs have named."""
        if not connections:
            return None
        entries = [_mask_connection(numbered, self.mask) for numbered in connections]
        return StoredConnections(self.fencing_token, entries).to_json()

    def check_quota(self, quota: RunQuota, events: int, stored_bytes: int) -> None:
        """Stop the attempt if its run, which has stored this much, exceeds the quota."""
        excess = quota.find_excess(events, stored_bytes)
        if excess is not None and self.failure is None:
            self.failure = excess
            self.on_refused()

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
    size: int
    """About how many bytes of memory the event takes."""


@dataclass(slots=True)
class JoinedChunks:
    """Consecutive pieces of one call's text, joined when they are shown: a fast answer has very many."""

    position: int
    """How many events of the batch come before them."""
    first: LlmChunk
    texts: list[str]


@dataclass(slots=True)
class AttemptBatch:
    """The events of one attempt in one batch, and the text of its model calls."""

    sink: AttemptSink
    position: int
    """How many events of the attempt earlier batches have taken."""
    active_seconds: float
    """The run's active time when the batch was taken."""
    events: list[RunEvent] = field(default_factory=list)
    chunks: list[JoinedChunks] = field(default_factory=list)
    numbered: list[RunEvent] = field(default_factory=list)
    """The events as the last try to store them has numbered them."""
    frames: list[str] = field(default_factory=list)
    """The JSON text of each of them."""
    connections: list[NumberedConnection] = field(default_factory=list)
    """Those that were made before the batch was taken."""

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
        first.connections = self.connections
        second = AttemptBatch(self.sink, self.position + middle, self.active_seconds, self.events[middle:])
        return first, second

    def add_chunk(self, chunk: LlmChunk) -> None:
        """Add a piece of text; join it to the previous one if both belong to the same call and position."""
        position = len(self.events)
        if not self.sink.knows_task(chunk.task_key):
            chunk = chunk.model_copy(update={"task_key": None})
        last = self.chunks[-1] if self.chunks and not chunk.data.replaces else None
        if last and last.position == position and last.first.data.call_id == chunk.data.call_id:
            last.texts.append(chunk.data.text)
            return
        self.chunks.append(JoinedChunks(position, chunk, [chunk.data.text]))

    def file_of(self, event: TaskCompleted) -> str | None:
        """Return the path of the file that the completed task writes."""
        return self.sink.files.get(event.task_key or "")

    def mask_chunks(self) -> list[tuple[int, LlmChunk]]:
        """Return the chunks that can be shown now, masked.

        The end of a call's text is held back while it may be the beginning of a secret, across batches, until
        the call ends.
        """
        shown: list[tuple[int, LlmChunk]] = []
        waiting = deque(self.chunks)
        for index in range(len(self.events) + 1):
            while waiting and waiting[0].position == index:
                joined = waiting.popleft()
                if joined.first.data.replaces:
                    self.sink.end_stream(joined.first.data.call_id)
                text = self.sink.stream(joined.first.data.call_id).feed("".join(joined.texts))
                shown.append((index, _with_text(joined.first, text)))
            if index < len(self.events) and isinstance(end := self.events[index], LlmCompleted | LlmFailed):
                text = self.sink.end_stream(end.data.call_id)
                data = LlmChunkData(call_id=end.data.call_id, text=replace_unstorable(text))
                shown.append((index, LlmChunk(task_key=end.task_key, agent=end.agent, data=data)))
        return [(index, chunk) for index, chunk in shown if chunk.data.text or chunk.data.replaces]


Batches = dict[AttemptKey, AttemptBatch]


def group_by_attempt(pending: Iterable[PendingEvent]) -> Batches:
    batches: Batches = {}
    for item in pending:
        batch = batches.get(item.sink.key)
        if batch is None:
            batch = batches[item.sink.key] = AttemptBatch(
                item.sink, item.sink.batched, item.sink.stopwatch.seconds
            )
        event = _without_unknown_task(batch, item.event)
        if isinstance(event, LlmChunk):
            batch.add_chunk(event)
        else:
            batch.events.append(event)
            if isinstance(event, TaskCompleted) and (path := batch.file_of(event)):
                output = clean_model(event, item.sink.mask).data.raw
                batch.events.append(make_artifact_event(event.task_key or "", path, output))
        item.sink.batched = batch.end
    for batch in batches.values():
        if batch.events:
            batch.connections = batch.sink.connections.take()
    return batches


def _without_unknown_task(batch: AttemptBatch, event: RunEvent) -> RunEvent:
    """Return the event as one of the run if its task does not exist, and warn of the task once.

    There is no row of the task to update, and the failed update would discard the whole transaction.
    """
    sink, key = batch.sink, event.task_key
    if key is None or sink.knows_task(key):
        return event
    if key not in sink.unknown_tasks:
        sink.unknown_tasks.add(key)
        log.warning("event_writer.unknown_task", run_id=sink.run_id, task=key, type=event.type)
        message = (
            f"Events name the task {key!r}, which the workflow does not have; they are shown for the run."
        )
        data = WarningRaisedData(code="unknown-task", message=message)
        batch.events.append(WarningRaised(agent=event.agent, data=data))
    return event.model_copy(update={"task_key": None})


def _with_text(chunk: LlmChunk, text: str) -> LlmChunk:
    return chunk.model_copy(update={"data": chunk.data.model_copy(update={"text": replace_unstorable(text)})})


def _mask_connection(numbered: NumberedConnection, mask: TextMask) -> NumberedConnection:
    made = numbered.connection
    reason = None if made.reason is None else mask(made.reason)
    masked = replace(made, host=mask(made.host), name=mask(made.name), reason=reason)
    return replace(numbered, connection=masked)


def owns_run(row: SelectedRow | None, fencing_token: int) -> bool:
    """Whether an attempt may store events: no later one has begun, and the run has not finished."""
    return row is not None and row.fencing_token == fencing_token and RunState(row.state) not in FINAL_STATES
