"""The frequent state transitions, each with its event, in a transaction of the transaction writer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crewai_runner.core.clock import now
from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.committed_events import CommittedEvents, RunFacts
from crewai_runner.domain.run import RunResult, RunState, transition
from crewai_runner.domain.run_event_payloads import QueueReason, RunCompletedData
from crewai_runner.domain.run_events import RunCompleted, RunEvent
from crewai_runner.domain.stored_size import measure_json
from crewai_runner.features.events.service import assign_sequence_numbers
from crewai_runner.features.events.writes import EventWrites, SerializedEvents
from crewai_runner.features.lifecycle.repository import OpenWorkRepository
from crewai_runner.features.lifecycle.rules import (
    begin_columns,
    begin_event,
    dump_result,
    finish_columns,
    queue_event,
)
from crewai_runner.features.messages.schemas import OPEN_STATES
from crewai_runner.features.runs.schemas import SelectedRow, to_usage
from crewai_runner.features.runs.writes import RunWrites
from crewai_runner.queue.port import JobQueue

FIRST_ATTEMPT = 1


@dataclass(frozen=True, slots=True)
class _NextEvent:
    numbered: list[RunEvent]
    serialized: SerializedEvents


class LifecycleWrites:
    """Changes the state of locked runs, given as their selected columns."""

    def __init__(self, transaction: WriteTransaction, mask: SecretMask) -> None:
        self._transaction, self._mask = transaction, mask
        self._runs = RunWrites(transaction.connection)

    def create_and_queue(
        self,
        queue: JobQueue,
        columns: dict[str, Any],
        tasks: Sequence[dict[str, Any]],
        reason: QueueReason,
    ) -> None:
        """Add a run, its tasks, its first event and its job. `columns` are those of `build_run_columns`."""
        run = RunRow(**columns, attempt=FIRST_ATTEMPT, last_seq=0, active_seconds=0.0)
        event = self._prepare(run, queue_event(run.workflow_id, run.attempt, reason))
        stored_bytes = run.stored_bytes + event.serialized.stored_bytes
        progress = {"attempt": FIRST_ATTEMPT, "last_seq": 1, "stored_bytes": stored_bytes}
        self._runs.create(columns | progress, tasks)
        self._append(run, event)
        queue.submit_in(self._transaction, run.id, run.attempt, tenant=run.workspace_id)

    def begin_first(self, run: SelectedRow, engine: str, *, native: bool, claim: str) -> int:
        """Begin the first attempt of a queued run; return its fencing token."""
        transition(RunState(run.state), RunState.RUNNING)
        at = now()
        columns = begin_columns(run.fencing_token, claim, at)
        event = self._prepare(run, begin_event(run.attempt, engine, at, native=native, first=True))
        self._append(run, event)
        progress = {
            "started_at": at,
            "last_seq": run.last_seq + 1,
            "stored_bytes": run.stored_bytes + event.serialized.stored_bytes,
        }
        self._runs.update(run.id, columns | progress)
        token: int = columns["fencing_token"]
        return token

    def has_open_work(self, run_id: str) -> bool:
        """Return whether the run has calls, steps, tasks or messages that its end must end as well."""
        return any(OpenWorkRepository(self._transaction.connection).count(run_id, OPEN_STATES))

    def complete(
        self,
        run: SelectedRow,
        result: RunResult,
        active_seconds: float,
        connections: dict[str, Any] | None = None,
    ) -> None:
        """Complete a run that has no open work. `connections` are stored with the event."""
        transition(RunState(run.state), RunState.COMPLETED)
        at = now()
        result = clean_model(result, self._mask.scoped(run.workspace_id, run.id))
        done = RunCompletedData(raw=result.raw, usage=to_usage(run))
        event = self._prepare(run, RunCompleted(at=at, data=done))
        event.serialized.rows[-1]["connections"] = connections
        self._append(run, event, active_seconds)
        stored = dump_result(result)
        progress = {
            "result": stored,
            "active_seconds": active_seconds,
            "last_seq": run.last_seq + 1,
            "stored_bytes": run.stored_bytes + event.serialized.stored_bytes + measure_json(stored),
        }
        self._runs.update(run.id, finish_columns(RunState.COMPLETED, at) | progress)

    def _prepare(self, run: SelectedRow | RunRow, event: RunEvent) -> _NextEvent:
        """Number and serialize the next event of the run."""
        cleaned = clean_model(event, self._mask.scoped(run.workspace_id, run.id))
        numbered = assign_sequence_numbers(run.id, run.last_seq, [cleaned])
        return _NextEvent(numbered, SerializedEvents.of(run.attempt, numbered))

    def _append(
        self, run: SelectedRow | RunRow, event: _NextEvent, active_seconds: float | None = None
    ) -> None:
        """Store the next event of the run; the caller updates its last number and its stored bytes."""
        EventWrites(self._transaction.connection).add_all(event.serialized.rows)
        seconds = run.active_seconds if active_seconds is None else active_seconds
        facts = RunFacts(run.workflow_name, run.created_at, seconds)
        committed = CommittedEvents(
            run.id, run.attempt, event.numbered, facts, frames=event.serialized.frames
        )
        self._transaction.events.append(committed)
        self._transaction.topics.add(run.id)
