"""A live stream of one run's events: stored events are read from the database, then new ones are awaited."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Row

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import Sessions, read_session, retry_while_unavailable
from crewai_runner.domain.run import RunState
from crewai_runner.domain.run_events import FINAL_EVENT_TYPES
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.events.schemas import RunSnapshot, SnapshotData
from crewai_runner.features.runs.schemas import to_usage
from crewai_runner.features.runs.service import RunService
from crewai_runner.stream.notifier import Chunk, Notifier

PAGE_SIZE = 500
POLL_SECONDS = 2.0
"""Maximum wait for a notification; then the events are read anyway, because it may have been lost."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream as JSON text. `seq` is None for frames that are not stored and have no id."""

    seq: int | None
    type: str
    text: str


class RunEventStream:
    """Streams the events of runs to readers; opens a short session for each read, not one per stream."""

    def __init__(self, sessions: Sessions, notifier: Notifier, ping_seconds: float) -> None:
        self._sessions, self._notifier, self._ping_seconds = sessions, notifier, ping_seconds

    async def check_access(self, principal: Principal, run_id: str) -> None:
        """Raise RunNotFound unless the run is in the principal's workspace."""
        async with read_session(self._sessions) as session:
            await RunService(session).get(principal, run_id)

    async def open(self, principal: Principal, run_id: str, after: int) -> AsyncIterator[Frame | None]:
        """Yield a snapshot, then every event with a number above `after` until the run has finished.

        Yields None as a heartbeat when nothing was sent for `ping_seconds`. Raises RunNotFound.
        """
        wait_seconds = min(POLL_SECONDS, self._ping_seconds)
        with self._notifier.subscribe(run_id) as subscription:
            yield await retry_while_unavailable(partial(self._read_snapshot, principal, run_id))
            idle_seconds, timed_out = 0.0, True
            while True:
                # Cleared before reading, so that a notification during the read is not lost.
                subscription.changed.clear()
                chunks = subscription.pop_chunks()
                must_read = (
                    subscription.pop_new_rows() or timed_out or any(chunk.after > after for chunk in chunks)
                )
                rows = await self._read_events(run_id, after) if must_read else []
                for frame in merge_by_sequence(rows, chunks):
                    after, idle_seconds = frame.seq or after, 0.0
                    yield frame
                if len(rows) == PAGE_SIZE:
                    continue
                may_be_complete = must_read and (not rows or rows[-1].type in FINAL_EVENT_TYPES)
                if may_be_complete and await retry_while_unavailable(
                    partial(self._is_complete, run_id, after)
                ):
                    return
                timed_out = not await wait_event(subscription.changed, wait_seconds)
                if timed_out:
                    idle_seconds += wait_seconds
                if idle_seconds >= self._ping_seconds:
                    idle_seconds = 0.0
                    yield None

    async def _read_events(self, run_id: str, after: int) -> Sequence[Row[int, str, str]]:
        async def read() -> Sequence[Row[int, str, str]]:
            async with read_session(self._sessions) as session:
                return await EventRepository(session).list_after(run_id, after, PAGE_SIZE)

        return await retry_while_unavailable(read)

    async def _is_complete(self, run_id: str, after: int) -> bool:
        """Return whether the run has finished and has no event above `after`."""
        async with read_session(self._sessions) as session:
            is_finished = await RunService(session).is_finished(run_id)
            return is_finished and not await EventRepository(session).list_after(run_id, after, 1)

    async def _read_snapshot(self, principal: Principal, run_id: str) -> Frame:
        async with read_session(self._sessions) as session:
            runs = RunService(session)
            run = await runs.get(principal, run_id)
            data = SnapshotData(
                status=RunState(run.state), tasks=await runs.list_tasks(run_id), usage=to_usage(run)
            )
            snapshot = RunSnapshot(seq=run.last_seq, run_id=run_id, at=now(), data=data)
        return Frame(None, snapshot.type, snapshot.model_dump_json())


def merge_by_sequence(rows: Sequence[Row[int, str, str]], chunks: Sequence[Chunk]) -> list[Frame]:
    """Merge stored events and live chunks; each chunk comes directly after the event it follows."""
    keyed_frames = [((row.seq, 0), Frame(row.seq, row.type, row.frame)) for row in rows]
    keyed_frames += [((chunk.after, 1), Frame(None, "llm.chunk", chunk.text)) for chunk in chunks]
    return [frame for _, frame in sorted(keyed_frames, key=lambda pair: pair[0])]
