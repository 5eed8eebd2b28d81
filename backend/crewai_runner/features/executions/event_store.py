"""Stores a batch of crew events with what they change, in one transaction of the transaction writer."""

from collections.abc import Sequence
from dataclasses import dataclass

from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.domain.committed_events import CommittedEvents
from crewai_runner.domain.run_events import RunEvent, TaskCompleted
from crewai_runner.domain.workspace_quota import Spending
from crewai_runner.features.events.writes import EventWrites
from crewai_runner.features.executions.event_batch import AttemptBatch, AttemptKey, Batches, owns_run
from crewai_runner.features.executions.spending_guard import SpendingGuard
from crewai_runner.features.messages.writes import MessageWrites
from crewai_runner.features.runs.schemas import BatchChange
from crewai_runner.features.runs.writes import RunWrites


@dataclass(frozen=True, slots=True)
class StoredEvents:
    """What a run has stored after a batch, over all its attempts."""

    stored_bytes: int
    last_seq: int
    spending: Spending | None = None
    """What the run's workspace has spent this month, if that is limited."""


def store_batches(
    transaction: WriteTransaction, batches: Batches, guard: SpendingGuard | None = None
) -> dict[AttemptKey, StoredEvents]:
    """Store the events of the attempts that own their runs, and what they change.

    The runs are locked first, so that their numbers have no gaps. An attempt that is missing in the result
    was refused: a newer one owns its run, or the run has finished.
    """
    connection = transaction.connection
    keys = sorted(key for key, batch in batches.items() if batch.events)
    runs = RunWrites(connection)
    rows = runs.lock_many([run_id for run_id, _ in keys])
    owned = {key: rows[key[0]] for key in keys if owns_run(rows.get(key[0]), key[1])}
    if not owned:
        return {}
    numbered = {key: batches[key].number_new(row.attempt_events, row.last_seq) for key, row in owned.items()}
    serialized = EventWrites(connection).add_batch(
        [
            (row.attempt, numbered[key], batches[key].sink.describe(batches[key].connections))
            for key, row in owned.items()
        ]
    )
    replaced = {key: runs.measure_replaced(row, numbered[key]) for key, row in owned.items()}
    changes = {
        key: BatchChange(
            row,
            numbered[key],
            batches[key].end,
            batches[key].active_seconds,
            of_run.stored_bytes - replaced[key],
        )
        for (key, row), of_run in zip(owned.items(), serialized, strict=True)
    }
    runs.apply_events(list(changes.values()))
    spending: dict[str, Spending] = {}
    if guard is not None:
        events = [(batches[key].sink.workspace_id, new) for key, new in numbered.items()]
        spending = guard.count(connection, events)
    for (key, row), of_run in zip(owned.items(), serialized, strict=True):
        batch = batches[key]
        batch.frames = of_run.frames or batch.frames
        MessageWrites(connection).apply_events(numbered[key])
        _save_files(runs, batch, numbered[key])
        committed = CommittedEvents(
            key[0], row.attempt, batch.numbered, models=batch.sink.models, frames=batch.frames
        )
        transaction.events.append(committed)
        transaction.topics.add(key[0])
    return {
        key: StoredEvents(
            row.stored_bytes + changes[key].stored_bytes,
            row.last_seq + len(numbered[key]),
            spending.get(batches[key].sink.workspace_id),
        )
        for key, row in owned.items()
    }


def _save_files(runs: RunWrites, batch: AttemptBatch, events: Sequence[RunEvent]) -> None:
    """Save the files of completed tasks together with the events."""
    for event in events:
        if isinstance(event, TaskCompleted) and (path := batch.file_of(event)):
            runs.save_artifact(batch.sink.run_id, event.task_key or "", path, event.data.raw)
