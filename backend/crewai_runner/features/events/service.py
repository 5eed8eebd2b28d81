"""The telling: events are rows first; readers replay what they missed, then wait for more."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import (
    Sessions,
    add_notification,
    read_session,
    record_committed_events,
    retry_while_unavailable,
)
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.committed_events import CommittedEvents, RunFacts
from crewai_runner.domain.run import RunState
from crewai_runner.domain.run_events import ENDINGS, RUN_EVENT, RunEvent
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.events.schemas import EventPage, RunSnapshot, SnapshotData
from crewai_runner.features.runs.service import RunService, usage_of
from crewai_runner.stream.notifier import Chunk, Notifier

PAGE = 500
SLOW_POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stream: an event's JSON text. `seq` None: volatile, has no id."""

    seq: int | None
    type: str
    text: str


class EventService:
    """Writes events in the caller's transaction and reads them back."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._events = EventRepository(session)
        self._mask = mask

    async def append(self, run: RunRow, *events: RunEvent) -> None:
        """Number and store events of one run that the caller holds locked."""
        await self._session.flush()
        numbered = number(run.id, run.last_seq, events)
        await self._events.add_all(self.rows(run.attempt, numbered))
        run.last_seq += len(numbered)
        facts = RunFacts(run.workflow_name, run.created_at, run.seconds_at_work)
        record_committed_events(self._session, CommittedEvents(run.id, run.attempt, numbered, facts))
        add_notification(self._session, run.id)

    async def add_batch(self, batch: Sequence[tuple[int, Sequence[RunEvent]]]) -> None:
        """Store numbered events of many runs in one statement; each with its attempt."""
        await self._events.add_all([r for attempt, events in batch for r in self.rows(attempt, events)])

    def rows(self, attempt: int, events: Sequence[RunEvent]) -> list[dict[str, Any]]:
        return [
            {
                "run_id": event.run_id,
                "seq": event.seq,
                "attempt": attempt,
                "type": event.type,
                "at": event.at,
                "frame": self._mask(event.model_dump_json(exclude_none=False)),
            }
            for event in events
        ]

    async def page(self, principal: Principal, run_id: str, after: int, limit: int) -> EventPage:
        run = await RunService(self._session).get(principal, run_id)
        rows = await self._events.after(run_id, after, limit)
        events = [RUN_EVENT.validate_json(row.frame) for row in rows]
        return EventPage(events=events, last_seq=run.last_seq)


def number(run_id: str, last_seq: int, events: Sequence[RunEvent]) -> list[RunEvent]:
    """The same events with the run's id and the next numbers."""
    return [
        event.model_copy(update={"run_id": run_id, "seq": last_seq + offset})
        for offset, event in enumerate(events, start=1)
    ]


class Follower:
    """Follows runs for readers; opens a short session for each look, never for the whole stream."""

    def __init__(self, sessions: Sessions, notifier: Notifier, ping_seconds: float) -> None:
        self._sessions, self._notifier, self._ping_seconds = sessions, notifier, ping_seconds

    async def check(self, principal: Principal, run_id: str) -> None:
        """Raises RunNotFound before a stream is opened for somebody else's run."""
        async with read_session(self._sessions) as session:
            await RunService(session).get(principal, run_id)

    async def follow(self, principal: Principal, run_id: str, after: int) -> AsyncIterator[Frame | None]:
        """A snapshot, then every event after `after`, then the end; None is a heartbeat."""
        with self._notifier.subscribe(run_id) as subscription:
            yield await retry_while_unavailable(partial(self._snapshot, principal, run_id))
            quiet, look = 0.0, True
            while True:
                # Cleared before reading, so that news which arrives meanwhile is not lost.
                subscription.changed.clear()
                chunks = subscription.pop_chunks()
                look = subscription.pop_new_rows() or look or any(chunk.after > after for chunk in chunks)
                rows = await retry_while_unavailable(partial(self._next, run_id, after)) if look else []
                for frame in in_order(rows, chunks):
                    after, quiet = frame.seq or after, 0.0
                    yield frame
                if len(rows) == PAGE:
                    continue
                ended = look and (not rows or rows[-1].type in ENDINGS)
                if ended and await retry_while_unavailable(partial(self._over, run_id, after)):
                    return
                look = not await wait_event(subscription.changed, min(SLOW_POLL_SECONDS, self._ping_seconds))
                if look:
                    quiet += min(SLOW_POLL_SECONDS, self._ping_seconds)
                if quiet >= self._ping_seconds:
                    quiet = 0.0
                    yield None

    async def _next(self, run_id: str, after: int) -> Sequence[Any]:
        async with read_session(self._sessions) as session:
            return await EventRepository(session).after(run_id, after, PAGE)

    async def _over(self, run_id: str, after: int) -> bool:
        """Final, and nothing was written since the last look."""
        async with read_session(self._sessions) as session:
            over = await RunService(session).is_over(run_id)
            return over and not await EventRepository(session).after(run_id, after, 1)

    async def _snapshot(self, principal: Principal, run_id: str) -> Frame:
        async with read_session(self._sessions) as session:
            runs = RunService(session)
            run = await runs.get(principal, run_id)
            data = SnapshotData(
                status=RunState(run.state), tasks=await runs.tasks(run_id), usage=usage_of(run)
            )
            shot = RunSnapshot(seq=run.last_seq, run_id=run_id, at=now(), data=data)
        return Frame(None, shot.type, shot.model_dump_json())


def in_order(rows: Sequence[Any], chunks: Sequence[Chunk]) -> list[Frame]:
    """Stored events and live text as they happened: each chunk right after the event it followed."""
    told = [((row.seq, 0), Frame(row.seq, row.type, row.frame)) for row in rows]
    told += [((chunk.after, 1), Frame(None, "llm.chunk", chunk.text)) for chunk in chunks]
    return [frame for _, frame in sorted(told, key=lambda pair: pair[0])]
