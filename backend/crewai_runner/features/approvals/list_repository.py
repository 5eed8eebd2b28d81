"""The query of the list of approval requests, on a connection of the snapshot reader."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, func, select, type_coerce

from crewai_runner.db.base import JsonTimestamp, table_of
from crewai_runner.db.tables.runs import ApprovalRow

_APPROVALS = table_of(ApprovalRow).c
_COLUMNS = (
    _APPROVALS.id,
    _APPROVALS.run_id,
    _APPROVALS.kind,
    func.nullif(_APPROVALS.task_key, "").label("task_key"),
    _APPROVALS.agent,
    _APPROVALS.prompt,
    _APPROVALS.output,
    _APPROVALS.state,
    _APPROVALS.feedback,
    _APPROVALS.resolved_by,
    type_coerce(_APPROVALS.created_at, JsonTimestamp()).label("created_at"),
    type_coerce(_APPROVALS.expires_at, JsonTimestamp()).label("expires_at"),
    type_coerce(_APPROVALS.resolved_at, JsonTimestamp()).label("resolved_at"),
)
"""In the order of the fields of `ApprovalRead`."""
_SELECT_PAGE: Select[Any] = (
    select(*_COLUMNS)
    .where(_APPROVALS.workspace_id == bindparam("workspace_id"))
    .order_by(_APPROVALS.id.desc())
    .limit(bindparam("limit", type_=Integer))
)


class ApprovalListRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_page(
        self, workspace_id: str, state: str | None, run_id: str | None, before: str | None, limit: int
    ) -> Sequence[Sequence[Any]]:
        """Return the fields of `ApprovalRead` of the approvals with an id below `before`, newest first."""
        query = _SELECT_PAGE
        if state is not None:
            query = query.where(_APPROVALS.state == state)
        if run_id is not None:
            query = query.where(_APPROVALS.run_id == run_id)
        if before is not None:
            query = query.where(_APPROVALS.id < before)
        return self._connection.execute(query, {"workspace_id": workspace_id, "limit": limit}).all()
