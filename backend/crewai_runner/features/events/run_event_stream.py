"""A live stream of one run's events: stored events are read from the database, new ones from its feed."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import retry_while_unavailable
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.events.feed_registry import FeedRegistry
from crewai_runner.features.events.frames import Frame, merge_by_sequence
from crewai_runner.features.events.list_repository import EventListRepository
from crewai_runner.features.events.run_feed import PAGE_SIZE
from crewai_runner.features.events.schemas import RunSnapshot, SnapshotData
from crewai_runner.features.runs.errors import RunNotFound
from crewai_runner.features.runs.schemas import to_run_task_read, to_usage


@dataclass(frozen=True, slots=True)
class _Start:
    """What a stream begins with, all of one moment: the snapshot, and the first rows after its number."""

    snapshot: Frame
    last_seq: int
    is_finished: bool
    rows: list[Frame]


@dataclass(slots=True)
class _Position:
    """Where a reader is: the last number it has, and whether that event was the run's end."""

    after: int
    is_final: bool = False

    def take(self, rows: Sequence[Frame], queued: Sequence[Frame]) -> tuple[list[Frame], bool]:
        """Return the rows and the queued frames that follow them, and whether events between are missing.

        Queued events that the rows cover are left out.
        """
        if rows:
            self._advance(rows[-1])
        frames, is_missing = [], False
        for frame in queued:
            if frame.seq is None:
                frames.append(frame)
            elif frame.seq == self.after + 1:
                frames.append(frame)
                self._advance(frame)
            elif frame.seq > self.after:
                is_missing = True
                break
        return (merge_by_sequence(rows, frames) if rows else frames), is_missing

    def _advance(self, event: Frame) -> None:
        self.after, self.is_final = event.seq or self.after, event.is_final


class RunEventStream:
    """Streams the events of runs to readers; each read is a short transaction."""

    def __init__(self, reader: SnapshotReader, feeds: FeedRegistry, ping_seconds: float) -> None:
        self._reader, self._feeds, self._ping_seconds = reader, feeds, ping_seconds

    async def check_access(self, principal: Principal, run_id: str) -> None:
        """Raise RunNotFound unless the run is in the principal's workspace."""

        def find(connection: Connection) -> bool:
            return EventListRepository(connection).get_run(run_id, principal.workspace_id) is not None

        if not has_prefix(run_id, Prefix.RUN) or not await self._reader.run(find):
            raise RunNotFound(run_id)

    async def open(self, principal: Principal, run_id: str, after: int) -> AsyncIterator[Frame | None]:
        """Yield the frames of `open_batches` one by one, None for a heartbeat."""
        async with aclosing(self.open_batches(principal, run_id, after)) as batches:
            async for frames in batches:
                for frame in frames:
                    yield frame
                if not frames:
                    yield None

    async def open_batches(
        self, principal: Principal, run_id: str, after: int
    ) -> AsyncGenerator[Sequence[Frame], None]:
        """Yield a snapshot, then every event with a number above `after` until the run has finished.

        Frames that are there at the same time come together. An empty batch is a heartbeat: nothing was sent
        for `ping_seconds`. Raises RunNotFound.
        """
        # The feed is joined before anything is read, so that no event falls between the rows and the feed.
        with self._feeds.join(run_id, self._ping_seconds) as (feed, reader):
            start = await retry_while_unavailable(partial(self._read_start, principal, run_id, after))
            feed.start_after(start.last_seq)
            yield [start.snapshot]
            rows, position = start.rows, _Position(after, start.is_finished and not start.rows)
            while True:
                while len(rows) == PAGE_SIZE:
                    yield position.take(rows, [])[0]
                    rows = await self._read_events(run_id, position.after)
                has_missed = reader.has_missed
                frames, is_missing = position.take(rows, reader.pop())
                if frames:
                    reader.note_sent()
                    yield frames
                if has_missed or is_missing:
                    rows = await self._read_events(run_id, position.after)
                    continue
                rows = []
                if (position.is_final or reader.is_over) and not reader.has_frames:
                    return
                if not await reader.wait():
                    reader.note_sent()
                    yield []

    async def _read_events(self, run_id: str, after: int) -> list[Frame]:
        return await retry_while_unavailable(partial(self._feeds.read_frames, run_id, after, PAGE_SIZE))

    async def _read_start(self, principal: Principal, run_id: str, after: int) -> _Start:
        def read(connection: Connection) -> _Start:
            events = EventListRepository(connection)
            run = events.get_state(run_id, principal.workspace_id)
            if run is None:
                raise RunNotFound(run_id)
            data = SnapshotData(
                status=RunState(run.state),
                tasks=[to_run_task_read(task) for task in events.list_tasks(run_id)],
                usage=to_usage(run),
                events_deleted_at=run.events_deleted_at,
            )
            snapshot = RunSnapshot(seq=run.last_seq, run_id=run_id, at=now(), data=data)
            rows = events.list_after(run_id, after, PAGE_SIZE) if run.last_seq > after else []
            return _Start(
                snapshot=Frame(None, snapshot.type, snapshot.model_dump_json()),
                last_seq=run.last_seq,
                is_finished=data.status in FINAL_STATES,
                rows=[Frame(row.seq, row.type, row.frame) for row in rows],
            )

        return await self._reader.run(read)
