"""The event log of runs: appending events in the caller's transaction, and reading them in pages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import add_notification, record_committed_events
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.committed_events import CommittedEvents, RunFacts
from crewai_runner.domain.run_events import RUN_EVENT, LlmCompleted, LlmFailed, LlmStarted, RunEvent
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.events.schemas import EventPage
from crewai_runner.features.runs.service import RunService


class EventService:
    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._events = EventRepository(session)
        self._mask = mask

    async def append(self, run: RunRow, *events: RunEvent) -> list[RunEvent]:
        """Number events of one run, store and return them. The caller has locked the run."""
        await self._session.flush()
        mask = self._mask.scoped(run.workspace_id, run.id)
        cleaned = [clean_model(event, mask) for event in events]
        numbered = assign_sequence_numbers(run.id, run.last_seq, cleaned)
        await self._events.add_all(self._to_rows(run.attempt, numbered))
        run.last_seq += len(numbered)
        facts = RunFacts(run.workflow_name, run.created_at, run.active_seconds)
        record_committed_events(self._session, CommittedEvents(run.id, run.attempt, numbered, facts))
        add_notification(self._session, run.id)
        return numbered

    async def find_open_calls(self, run_id: str) -> list[LlmStarted]:
        """Return the model calls of a run that have not ended, in order."""
        open_calls: dict[str, LlmStarted] = {}
        for frame in await self._events.list_call_frames(run_id):
            match RUN_EVENT.validate_json(frame):
                case LlmStarted() as event:
                    open_calls[event.data.call_id] = event
                case LlmCompleted() | LlmFailed() as event:
                    open_calls.pop(event.data.call_id, None)
        return list(open_calls.values())

    async def add_batch(self, batch: Sequence[tuple[int, Sequence[RunEvent]]]) -> None:
        """Store numbered events of many runs in one statement; each entry is (attempt, cleaned events)."""
        rows = [row for attempt, events in batch for row in self._to_rows(attempt, events)]
        await self._events.add_all(rows)

    async def list_step_events(self, run_id: str) -> list[RunEvent]:
        """Return the events of tools, delegations and agents, in order; none if every step has ended."""
        frames = await self._events.list_step_frames(run_id)
        return [RUN_EVENT.validate_json(frame) for frame in frames]

    def _to_rows(self, attempt: int, events: Sequence[RunEvent]) -> list[dict[str, Any]]:
        return [
            {
                "run_id": event.run_id,
                "seq": event.seq,
                "attempt": attempt,
                "type": event.type,
                "at": event.at,
                "frame": event.model_dump_json(exclude_none=False),
            }
            for event in events
        ]

    async def list_page(self, principal: Principal, run_id: str, after: int, limit: int) -> EventPage:
        """Return up to `limit` events with a number above `after`, in order. Raises RunNotFound."""
        run = await RunService(self._session).get(principal, run_id)
        rows = await self._events.list_after(run_id, after, limit)
        events = [RUN_EVENT.validate_json(row.frame) for row in rows]
        return EventPage(events=events, last_seq=run.last_seq)


def assign_sequence_numbers(run_id: str, last_seq: int, events: Sequence[RunEvent]) -> list[RunEvent]:
    """Copy the events with the run id and consecutive numbers from `last_seq` + 1."""
    return [
        event.model_copy(update={"run_id": run_id, "seq": seq})
        for seq, event in enumerate(events, start=last_seq + 1)
    ]
