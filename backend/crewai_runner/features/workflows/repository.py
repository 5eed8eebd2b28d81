"""Queries on workflows and their versions, each restricted to one workspace."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.slug_repository import reserve_slugs
from crewai_runner.db.subject_name_repository import load_subject_names, subject_name
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow

VERSION_SUMMARY = (
    WorkflowVersionRow.number,
    WorkflowVersionRow.note,
    WorkflowVersionRow.created_by,
    subject_name(WorkflowVersionRow.created_by).label("created_by_name"),
    WorkflowVersionRow.created_at,
)
_JOIN = WorkflowRow.id == WorkflowVersionRow.workflow_id


class WorkflowRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, workflow_id: str, workspace_id: str) -> WorkflowRow | None:
        return await self._session.scalar(_in_workspace(workspace_id).where(WorkflowRow.id == workflow_id))

    async def get_for_update(self, workflow_id: str, workspace_id: str) -> WorkflowRow | None:
        """Return the current row, locked until the transaction ends."""
        query = _in_workspace(workspace_id).where(WorkflowRow.id == workflow_id).with_for_update()
        return await self._session.scalar(query, execution_options={"populate_existing": True})

    async def get_by_name(self, name: str, workspace_id: str) -> WorkflowRow | None:
        return await self._session.scalar(_in_workspace(workspace_id).where(WorkflowRow.name == name))

    async def get_by_slug(self, slug: str, workspace_id: str) -> WorkflowRow | None:
        return await self._session.scalar(_in_workspace(workspace_id).where(WorkflowRow.slug == slug))

    async def reserve_slugs(self, start: str, workspace_id: str) -> set[str]:
        """Return the used slugs that start with a text, of workflows and projects."""
        return await reserve_slugs(self._session, start, workspace_id)

    async def list_names_starting_with(self, start: str, workspace_id: str) -> set[str]:
        query = select(WorkflowRow.name).where(
            WorkflowRow.workspace_id == workspace_id, WorkflowRow.name.startswith(start, autoescape=True)
        )
        return set(await self._session.scalars(query))

    async def get_version(
        self, workflow_id: str, workspace_id: str, number: int
    ) -> WorkflowVersionRow | None:
        query = select(WorkflowVersionRow).join(WorkflowRow, _JOIN)
        return await self._session.scalar(
            query.where(*_version_of(workflow_id, workspace_id), WorkflowVersionRow.number == number)
        )

    async def list_versions(
        self, workflow_id: str, workspace_id: str, before: int | None, limit: int
    ) -> Sequence[Any]:
        """Return the versions, newest first, without documents."""
        conditions = [*_version_of(workflow_id, workspace_id)]
        if before is not None:
            conditions.append(WorkflowVersionRow.number < before)
        query = select(*VERSION_SUMMARY).join(WorkflowRow, _JOIN).where(*conditions)
        found = await self._session.execute(query.order_by(WorkflowVersionRow.number.desc()).limit(limit))
        rows: Sequence[Any] = found.all()
        return rows

    async def load_names(self, versions: Sequence[WorkflowVersionRow]) -> None:
        """Read who saved the versions."""
        await load_subject_names(self._session, versions)

    async def add_version(self, version: WorkflowVersionRow) -> None:
        self._session.add(version)
        await self._session.flush()

    async def write(self, row: WorkflowRow, **columns: Any) -> bool:
        """Set columns and write the row. Returns False, and changes nothing, if the name is taken."""
        name, workspace_id = columns["name"], row.workspace_id
        try:
            # Changes made before the savepoint would be flushed outside of it.
            async with self._session.begin_nested():
                for column, value in columns.items():
                    setattr(row, column, value)
                self._session.add(row)
        except IntegrityError:
            if await self.get_by_name(name, workspace_id) is not None:
                return False
            if "slug" not in columns or columns["slug"] == row.id:
                raise
            # Another transaction took the slug in the meantime.
            return await self.write(row, **columns | {"slug": row.id})
        return True

    async def delete(self, workflow: WorkflowRow) -> None:
        await self._session.delete(workflow)
        await self._session.flush()


def _in_workspace(workspace_id: str) -> Select[WorkflowRow]:
    return select(WorkflowRow).where(WorkflowRow.workspace_id == workspace_id)


def _version_of(workflow_id: str, workspace_id: str) -> tuple[ColumnElement[bool], ...]:
    return WorkflowRow.workspace_id == workspace_id, WorkflowVersionRow.workflow_id == workflow_id
