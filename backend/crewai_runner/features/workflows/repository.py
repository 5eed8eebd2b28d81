"""Rows of workflows and their versions. Every read starts from the workspace."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow

VERSION_SUMMARY = (
    WorkflowVersionRow.number,
    WorkflowVersionRow.note,
    WorkflowVersionRow.created_by,
    WorkflowVersionRow.created_at,
)
NEWEST_EDIT_FIRST: tuple[Any, ...] = (WorkflowRow.updated_at.desc(), WorkflowRow.id.desc())
BY_NAME: tuple[Any, ...] = (WorkflowRow.name,)

_BELONGS = WorkflowRow.id == WorkflowVersionRow.workflow_id


class WorkflowRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, workflow_id: str, workspace_id: str) -> WorkflowRow | None:
        return await self._session.scalar(_in_workspace(workspace_id).where(WorkflowRow.id == workflow_id))

    async def get_locked(self, workflow_id: str, workspace_id: str) -> WorkflowRow | None:
        """The row as it is now; other writers wait until this transaction ends."""
        query = _in_workspace(workspace_id).where(WorkflowRow.id == workflow_id).with_for_update()
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def named(self, name: str, workspace_id: str) -> WorkflowRow | None:
        return await self._session.scalar(_in_workspace(workspace_id).where(WorkflowRow.name == name))

    async def names_beginning(self, start: str, workspace_id: str) -> set[str]:
        query = select(WorkflowRow.name).where(
            WorkflowRow.workspace_id == workspace_id, WorkflowRow.name.startswith(start, autoescape=True)
        )
        return set(await self._session.scalars(query))

    async def page(
        self,
        workspace_id: str,
        conditions: Sequence[ColumnElement[bool]],
        order: Sequence[Any],
        limit: int,
    ) -> Sequence[WorkflowRow]:
        query = _in_workspace(workspace_id).where(*conditions).order_by(*order).limit(limit)
        return (await self._session.scalars(query)).all()

    async def version(self, workflow_id: str, workspace_id: str, number: int) -> WorkflowVersionRow | None:
        query = select(WorkflowVersionRow).join(WorkflowRow, _BELONGS)
        return await self._session.scalar(
            query.where(*_of(workflow_id, workspace_id), WorkflowVersionRow.number == number)
        )

    async def versions(
        self, workflow_id: str, workspace_id: str, before: int | None, limit: int
    ) -> Sequence[Any]:
        """Newest first, without their texts."""
        conditions = [*_of(workflow_id, workspace_id)]
        if before is not None:
            conditions.append(WorkflowVersionRow.number < before)
        query = select(*VERSION_SUMMARY).join(WorkflowRow, _BELONGS).where(*conditions)
        found = await self._session.execute(query.order_by(WorkflowVersionRow.number.desc()).limit(limit))
        rows: Sequence[Any] = found.all()
        return rows

    async def add_version(self, version: WorkflowVersionRow) -> None:
        self._session.add(version)
        await self._session.flush()

    async def write(self, row: WorkflowRow, **columns: Any) -> bool:
        """Set columns and write the row; False, with nothing written, when its name is taken."""
        name, workspace_id = columns["name"], row.workspace_id
        try:
            # Set inside the savepoint: what is pending before it would be written outside of it.
            async with self._session.begin_nested():
                for column, value in columns.items():
                    setattr(row, column, value)
                self._session.add(row)
        except IntegrityError:
            if await self.named(name, workspace_id) is None:
                raise
            return False
        return True

    async def delete(self, workflow: WorkflowRow) -> None:
        await self._session.delete(workflow)
        await self._session.flush()


def containing(text: str) -> ColumnElement[bool]:
    """Name or description contains a text, in any case."""
    return or_(
        WorkflowRow.name.icontains(text, autoescape=True),
        WorkflowRow.description.icontains(text, autoescape=True),
    )


def edited_before(moment: datetime, workflow_id: str) -> ColumnElement[bool]:
    """Stands behind that row when the newest edit comes first."""
    same = and_(WorkflowRow.updated_at == moment, WorkflowRow.id < workflow_id)
    return or_(WorkflowRow.updated_at < moment, same)


def named_after(name: str) -> ColumnElement[bool]:
    return WorkflowRow.name > name


def _in_workspace(workspace_id: str) -> Select[WorkflowRow]:
    return select(WorkflowRow).where(WorkflowRow.workspace_id == workspace_id)


def _of(workflow_id: str, workspace_id: str) -> tuple[ColumnElement[bool], ...]:
    return WorkflowRow.workspace_id == workspace_id, WorkflowVersionRow.workflow_id == workflow_id
