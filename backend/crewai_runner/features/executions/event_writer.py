"""What running crews tell is stored first and the run's record moved on, together or not at all.

One writer serves every run of the process: it gathers events for a moment and stores them in one
transaction, so the cost of a batch hardly grows with the number of runs.
"""

import asyncio
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crewai_runner.core.logging import SecretMask, get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import Sessions, record_committed_events, unit_of_work
from crewai_runner.domain.committed_events import NO_MODELS, CalledModel, CommittedEvents
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.domain.run_events import RUN_EVENT, LlmChunk, RunEvent
from crewai_runner.features.events.service import EventService, assign_sequence_numbers
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.notifier import Chunk, Notifier

log = get_logger(__name__)
GATHER_SECONDS = 0.02
FIRST_GATHER_SECONDS = 0.005
"""After a silence: long enough for what is told in one breath, such as a task's and its agent's start."""
MAX_BATCH = 500
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)


@dataclass(slots=True)
class PendingEvent:
    """One told event, with the fencing token of the attempt that told it and the models it may call."""

    run_id: str
    fencing_token: int
    event: RunEvent
    models: Mapping[str, CalledModel]


@dataclass(slots=True)
class RunBatch:
    """An attempt's share of one batch."""

    models: Mapping[str, CalledModel]
    events: list[RunEvent] = field(default_factory=list)
    chunks: list[tuple[int, LlmChunk]] = field(default_factory=list)


Owner = tuple[str, int]
"""A run and the fencing token of one attempt at it."""
Stories = dict[Owner, RunBatch]


class EventWriterMetrics(Protocol):
    """Who counts what the journal does. Called on the event loop; must be quick."""

    def batch_stored(self, events: int, seconds: float) -> None: ...

    def events_refused(self, events: int) -> None:
        """An attempt that was fenced off, or whose run is over, told these."""


class EventWriter:
    """The process's one writer of events told by crews."""

    def __init__(
        self,
        sessions: Sessions,
        notifier: Notifier,
        mask: SecretMask,
        watch: EventWriterMetrics | None = None,
    ) -> None:
        self._sessions, self._notifier, self._mask, self._watch = sessions, notifier, mask, watch
        self._lines: deque[PendingEvent] = deque()
        self._lock = threading.Lock()
        self._news, self._urgent = asyncio.Event(), asyncio.Event()
        self._told = self._stored = 0
        self._wrote_at = -math.inf
        self._progress = asyncio.Condition()
        self._refused: dict[Owner, Callable[[], None]] = {}
        self._newest: dict[Owner, int] = {}
        self._writer: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = asyncio.create_task(self._write_for_ever(), name="journal")

    async def close(self) -> None:
        """Store what was told, then end."""
        self._closing = True
        self._news.set()
        self._urgent.set()
        if self._writer is not None:
            await self._writer

    def open_sink(
        self,
        run_id: str,
        fencing_token: int,
        on_refused: Callable[[], None],
        models: Mapping[str, CalledModel] = NO_MODELS,
    ) -> Callable[[RunEvent], None]:
        """A sink for one attempt, callable from any thread.

        `on_refused` is called when a newer attempt owns the run or the run is over.
        """
        self._refused[run_id, fencing_token] = on_refused

        def tell(event: RunEvent) -> None:
            with self._lock:
                self._lines.append(PendingEvent(run_id, fencing_token, event, models))
                self._told += 1
                first = len(self._lines) == 1
            if first and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._news.set)

        return tell

    def close_sink(self, run_id: str, fencing_token: int) -> None:
        self._refused.pop((run_id, fencing_token), None)
        self._newest.pop((run_id, fencing_token), None)

    async def flush(self) -> None:
        """Wait until everything told so far is stored; the writer gathers no longer."""
        target = self._told
        self._urgent.set()
        async with self._progress:
            await self._progress.wait_for(lambda: self._stored >= target)

    async def _write_for_ever(self) -> None:
        while True:
            await self._news.wait()
            if not self._closing:
                await wait_event(self._urgent, self._pause())
            self._urgent.clear()
            self._wrote_at = time.monotonic()
            lines = self._take()
            if lines:
                stories, began = _stories(lines), time.perf_counter()
                seqs = await self._write_until_stored(stories)
                try:
                    self._tell_readers(stories, seqs)
                    self._count(stories, seqs, time.perf_counter() - began)
                except Exception:
                    log.exception("journal.untold")  # the rows are stored; the writer must live
                async with self._progress:
                    self._stored += len(lines)
                    self._progress.notify_all()
            elif self._closing:
                return

    def _pause(self) -> float:
        """Seconds to gather: short after a silence, and never two batches closer than `GATHER_SECONDS`."""
        return max(FIRST_GATHER_SECONDS, self._wrote_at + GATHER_SECONDS - time.monotonic())

    def _count(self, stories: Stories, seqs: dict[Owner, int], seconds: float) -> None:
        if self._watch is None:
            return
        stored = sum(len(stories[owner].events) for owner in seqs)
        refused = sum(len(story.events) for owner, story in stories.items() if owner not in seqs)
        if stored:
            self._watch.batch_stored(stored, seconds)
        if refused:
            self._watch.events_refused(refused)

    def _take(self) -> list[PendingEvent]:
        with self._lock:
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), MAX_BATCH))]
            if not self._lines and not self._closing:
                self._news.clear()
        return lines

    async def _write_until_stored(self, stories: Stories) -> dict[Owner, int]:
        """A database that is away for a while loses nothing: the batch is tried again."""
        for tries in itertools.count():
            try:
                return await self._write(stories)
            except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
                wait = RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)]
                log.warning("journal.retry", error=type(error).__name__, wait=wait)
                await asyncio.sleep(wait)
            except Exception:
                log.exception("journal.defect", runs=sorted({run_id for run_id, _ in stories}))
                return await self._write_apart(stories)
        raise AssertionError("counting never ends")

    async def _write_apart(self, stories: Stories) -> dict[Owner, int]:
        """A defect would fail for ever: the run that has it ends, and the others of its batch go on."""
        if len(stories) == 1:
            self._refuse(*stories)
            return {}
        seqs: dict[Owner, int] = {}
        for owner, story in stories.items():
            seqs |= await self._write_until_stored({owner: story})
        return seqs

    def _refuse(self, owner: Owner) -> None:
        self._refused.get(owner, _ignore)()

    async def _write(self, stories: Stories) -> dict[Owner, int]:
        """Store a batch; the answer holds the newest number of each run that was not refused."""
        wanted = sorted(owner for owner, story in stories.items() if story.events)
        if not wanted:
            return {}
        async with unit_of_work(self._sessions) as session:
            runs, events = RunService(session), EventService(session, self._mask)
            rows = await runs.lock_many([run_id for run_id, _ in wanted])
            owned = {o: rows[o[0]] for o in wanted if _owns(rows.get(o[0]), o[1])}
            numbered = {o: self._numbered(o, row.last_seq, stories[o]) for o, row in owned.items()}
            if owned:
                await events.add_batch([(row.attempt, numbered[o]) for o, row in owned.items()])
                await runs.apply_events([(row, numbered[o]) for o, row in owned.items()])
                for told in numbered.values():
                    await MessageService(session).apply_events(told)
                for o, row in owned.items():
                    told_now = CommittedEvents(o[0], row.attempt, numbered[o], models=stories[o].models)
                    record_committed_events(session, told_now)
        for owner in set(wanted) - owned.keys():
            log.warning("journal.refused", run_id=owner[0], events=len(stories[owner].events))
            self._refuse(owner)
        return {o: row.last_seq + len(numbered[o]) for o, row in owned.items()}

    def _numbered(self, owner: Owner, last_seq: int, story: RunBatch) -> list[RunEvent]:
        """The events as they are kept: what they bring into tasks and messages holds no secret either."""
        return assign_sequence_numbers(owner[0], last_seq, [self._masked(event) for event in story.events])

    def _masked(self, event: RunEvent) -> RunEvent:
        text = event.model_dump_json()
        masked = self._mask(text)
        return event if masked == text else RUN_EVENT.validate_json(masked)

    def _tell_readers(self, stories: Stories, seqs: dict[Owner, int]) -> None:
        for owner, story in stories.items():
            if owner not in seqs and story.events:
                continue  # refused
            # Without stored events in this batch the chunk follows what its attempt stored last.
            before = seqs[owner] - len(story.events) if owner in seqs else self._newest.get(owner, 0)
            for position, chunk in story.chunks:
                self._whisper(owner[0], before + position, chunk)
        self._newest |= {owner: seq for owner, seq in seqs.items() if owner in self._refused}
        self._notifier.publish(run_id for run_id, _ in seqs)

    def _whisper(self, run_id: str, after: int, chunk: LlmChunk) -> None:
        frame = chunk.model_copy(update={"run_id": run_id}).model_dump_json(exclude={"seq"})
        self._notifier.publish_ephemeral(run_id, Chunk(after, self._mask(frame)))


def _stories(lines: list[PendingEvent]) -> Stories:
    stories: Stories = {}
    for line in lines:
        owner = (line.run_id, line.fencing_token)
        story = stories.get(owner)
        if story is None:
            story = stories[owner] = RunBatch(line.models)
        if isinstance(line.event, LlmChunk):
            _add_chunk(story, line.event)
        else:
            story.events.append(line.event)
    return stories


def _add_chunk(story: RunBatch, chunk: LlmChunk) -> None:
    """Pieces that one call told within a batch travel as one: readers paint once a frame anyway."""
    position = len(story.events)
    if story.chunks:
        before, last = story.chunks[-1]
        if before == position and last.data.call_id == chunk.data.call_id:
            joined = last.data.model_copy(update={"text": last.data.text + chunk.data.text})
            story.chunks[-1] = (position, last.model_copy(update={"data": joined}))
            return
    story.chunks.append((position, chunk))


def _owns(row: Any, fencing_token: int) -> bool:
    return row is not None and row.fencing_token == fencing_token and RunState(row.state) not in FINAL_STATES


def _ignore() -> None:
    """Nobody listens any more."""
