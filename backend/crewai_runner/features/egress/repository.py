"""The query of a run's connections."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.runs import RunEventRow, RunRow

_RUNS, _EVENTS = table_of(RunRow).c, table_of(RunEventRow).c


class ConnectionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def has_run(self, run_id: str, workspace_id: str) -> bool:
        query = select(_RUNS.id).where(_RUNS.id == run_id, _RUNS.workspace_id == workspace_id)
        return self._connection.execute(query).one_or_none() is not None

    def list_documents(self, run_id: str) -> Sequence[Any]:
        """Return the stored connections of a run, in the order of its events."""
        query = select(_EVENTS.connections).where(_EVENTS.run_id == run_id, _EVENTS.connections.is_not(None))
        return self._connection.scalars(query.order_by(_EVENTS.seq)).all()
