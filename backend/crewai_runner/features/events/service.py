"""The event log of runs: appending events and reading them, in the caller's transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import add_notification, record_committed_events
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.committed_events import CommittedEvents, RunFacts
from crewai_runner.domain.run_events import RUN_EVENT, LlmCompleted, LlmFailed, LlmStarted, RunEvent
from crewai_runner.features.events.repository import EventRepository
from crewai_runner.features.events.writes import EventWrites, SerializedEvents


class EventService:
    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._events = EventRepository(session)
        self._mask = mask

    async def append(self, run: RunRow, *events: RunEvent) -> list[RunEvent]:
        """Number events of one run, store and return them. The caller has locked the run."""
        mask = self._mask.scoped(run.workspace_id, run.id)
        cleaned = [clean_model(event, mask) for event in events]
        numbered = assign_sequence_numbers(run.id, run.last_seq, cleaned)
        run.last_seq += len(numbered)
        run.events_ended_at = numbered[-1].at if numbered and run.finished_at is not None else None
        serialized = SerializedEvents.of(run.attempt, numbered)
        run.stored_bytes += serialized.stored_bytes
        await self._session.flush()
        connection = await self._session.connection()
        await connection.run_sync(lambda connection: EventWrites(connection).add_all(serialized.rows))
        facts = RunFacts(run.workflow_name, run.created_at, run.active_seconds)
        committed = CommittedEvents(
            run.id,
            run.attempt,
            numbered,
            facts,
            frames=serialized.frames,
            is_elsewhere=run.execution_uuid is not None,
        )
        record_committed_events(self._session, committed)
        add_notification(self._session, run.id)
        return numbered

    async def attach_connections(self, run_id: str, seq: int, connections: dict[str, Any]) -> None:
        """Store connections with an event that has none."""
        await self._events.attach_connections(run_id, seq, connections)

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

    async def list_after(self, run_id: str, after: int, limit: int) -> list[RunEvent]:
        """Return the events with a number above `after`, in order. Access is not checked."""
        return [
            RUN_EVENT.validate_json(frame) for frame in await self._events.list_after(run_id, after, limit)
        ]

    async def find_last_seq(self, run_id: str, types: Sequence[str]) -> int | None:
        """Return the number of the last event of these types, or None. Access is not checked."""
        return await self._events.find_last_seq(run_id, types)

    async def list_step_events(self, run_id: str) -> list[RunEvent]:
        """Return the events of tools, delegations and agents, in order; none if every step has ended."""
        frames = await self._events.list_step_frames(run_id)
        return [RUN_EVENT.validate_json(frame) for frame in frames]


def assign_sequence_numbers(run_id: str, last_seq: int, events: Sequence[RunEvent]) -> list[RunEvent]:
    """Copy the events with the run id and consecutive numbers from `last_seq` + 1."""
    return [
        event.model_copy(update={"run_id": run_id, "seq": seq})
        for seq, event in enumerate(events, start=last_seq + 1)
    ]
