"""The query of the list of workflows, on a connection of the snapshot reader."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow
from crewai_runner.features.workflows.schemas import ListedWorkflow, WorkflowInputs, WorkflowSort

_WORKFLOWS, _VERSIONS = table_of(WorkflowRow).c, table_of(WorkflowVersionRow).c
_COLUMNS = tuple(_WORKFLOWS[name] for name in ListedWorkflow._fields)
_ORDERS: dict[WorkflowSort, tuple[ColumnElement[object], ...]] = {
    WorkflowSort.NAME: (_WORKFLOWS.name,),
    WorkflowSort.UPDATED: (_WORKFLOWS.updated_at.desc(), _WORKFLOWS.id.desc()),
}


class WorkflowListRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_page(
        self,
        workspace_id: str,
        conditions: Sequence[ColumnElement[bool]],
        sort: WorkflowSort,
        limit: int,
    ) -> list[ListedWorkflow]:
        query = select(*_COLUMNS).where(_WORKFLOWS.workspace_id == workspace_id, *conditions)
        rows = self._connection.execute(query.order_by(*_ORDERS[sort]).limit(limit))
        return [ListedWorkflow(*row) for row in rows]

    def list_inputs(self, workspace_id: str, after: str | None, limit: int) -> list[WorkflowInputs]:
        """Return the workflows after a name, by name, with the inputs of their newest version."""
        columns = (_WORKFLOWS.slug, _WORKFLOWS.name, _WORKFLOWS.description, _VERSIONS.definition["inputs"])
        is_newest = and_(
            _VERSIONS.workflow_id == _WORKFLOWS.id, _VERSIONS.number == _WORKFLOWS.newest_version
        )
        query = select(*columns).join(table_of(WorkflowVersionRow), is_newest)
        query = query.where(_WORKFLOWS.workspace_id == workspace_id)
        if after is not None:
            query = query.where(name_after(after))
        rows = self._connection.execute(query.order_by(_WORKFLOWS.name).limit(limit))
        return [WorkflowInputs(*row) for row in rows]


def matches_text(text: str) -> ColumnElement[bool]:
    """Return the condition that the name or description contains a text, ignoring case."""
    return or_(
        _WORKFLOWS.name.icontains(text, autoescape=True),
        _WORKFLOWS.description.icontains(text, autoescape=True),
    )


def edited_before(moment: datetime, workflow_id: str) -> ColumnElement[bool]:
    """Return the condition that a row comes after the given one in `WorkflowSort.UPDATED`."""
    same = and_(_WORKFLOWS.updated_at == moment, _WORKFLOWS.id < workflow_id)
    return or_(_WORKFLOWS.updated_at < moment, same)


def name_after(name: str) -> ColumnElement[bool]:
    """Return the condition that a row comes after the given name in `WorkflowSort.NAME`."""
    return _WORKFLOWS.name > name
