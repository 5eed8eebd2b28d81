"""The queries of a run's events on a connection of the snapshot reader."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, select

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.runs import RunEventRow, RunRow, RunTaskRow
from crewai_runner.domain.usage import Usage
from crewai_runner.features.runs.schemas import SelectedRow

_RUNS, _EVENTS, _TASKS = table_of(RunRow).c, table_of(RunEventRow).c, table_of(RunTaskRow).c
_USAGE = ("cost_amount", "cost_currency", *(name for name in Usage.model_fields if name in _RUNS))
_MAX_IDS = 500


class RunProgress(NamedTuple):
    """How far a run has come."""

    state: str
    last_seq: int


class EventListRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_run(self, run_id: str, workspace_id: str) -> Row[int, datetime | None] | None:
        """Return (last_seq, events_deleted_at) of a run."""
        query = select(_RUNS.last_seq, _RUNS.events_deleted_at)
        query = query.where(_RUNS.id == run_id, _RUNS.workspace_id == workspace_id)
        return self._connection.execute(query).one_or_none()

    def get_state(self, run_id: str, workspace_id: str) -> SelectedRow | None:
        """Return state, usage, last_seq and events_deleted_at of a run."""
        query = select(
            _RUNS.state, _RUNS.last_seq, _RUNS.events_deleted_at, *(_RUNS[name] for name in _USAGE)
        )
        query = query.where(_RUNS.id == run_id, _RUNS.workspace_id == workspace_id)
        return self._connection.execute(query).one_or_none()

    def list_tasks(self, run_id: str) -> Sequence[SelectedRow]:
        """Return the columns of a run's tasks in their order."""
        query = select(table_of(RunTaskRow)).where(_TASKS.run_id == run_id).order_by(_TASKS.position)
        return self._connection.execute(query).all()

    def list_frames(self, run_id: str, after: int, limit: int) -> Sequence[str]:
        """Return the events with a number above `after` as they were serialized, in order."""
        query = select(_EVENTS.frame).where(_EVENTS.run_id == run_id, _EVENTS.seq > after)
        return self._connection.scalars(query.order_by(_EVENTS.seq).limit(limit)).all()

    def list_after(self, run_id: str, after: int, limit: int) -> Sequence[Row[int, str, str]]:
        """Return (seq, type, frame) of the events with a number above `after`, in order."""
        query = select(_EVENTS.seq, _EVENTS.type, _EVENTS.frame)
        query = query.where(_EVENTS.run_id == run_id, _EVENTS.seq > after)
        return self._connection.execute(query.order_by(_EVENTS.seq).limit(limit)).all()

    def progress_of(self, run_ids: Sequence[str]) -> Mapping[str, RunProgress]:
        """Return how far the runs have come, by id; those that were deleted are missing."""
        found: dict[str, RunProgress] = {}
        for start in range(0, len(run_ids), _MAX_IDS):
            query = select(_RUNS.id, _RUNS.state, _RUNS.last_seq)
            query = query.where(_RUNS.id.in_(run_ids[start : start + _MAX_IDS]))
            for run_id, state, last_seq in self._connection.execute(query):
                found[run_id] = RunProgress(state, last_seq)
        return found
