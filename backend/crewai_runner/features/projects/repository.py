"""Queries on projects, their versions and secrets, each restricted to one workspace."""

from collections.abc import Sequence

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.slug_repository import reserve_slugs
from crewai_runner.db.tables.projects import (
    ProjectRow,
    ProjectSecretRow,
    ProjectVersionRow,
)
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.features.projects.schemas import BuildState

_JOIN = ProjectRow.id == ProjectVersionRow.project_id


class ProjectRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, project_id: str, workspace_id: str, *, lock: bool = False) -> ProjectRow | None:
        """Return a project; with `lock` the current row, locked until the transaction ends."""
        query = _in_workspace(workspace_id).where(ProjectRow.id == project_id)
        if not lock:
            return await self._session.scalar(query)
        return await self._session.scalar(
            query.with_for_update(), execution_options={"populate_existing": True}
        )

    async def list_page(
        self, workspace_id: str, text: str | None, before: str | None, limit: int
    ) -> list[tuple[ProjectRow, str]]:
        """Return projects with the build state of their newest version, newest first."""
        newest = (ProjectVersionRow.project_id == ProjectRow.id) & (
            ProjectVersionRow.number == ProjectRow.newest_version
        )
        query = select(ProjectRow, ProjectVersionRow.build_state).join(ProjectVersionRow, newest)
        query = query.where(ProjectRow.workspace_id == workspace_id)
        if text:
            query = query.where(
                or_(
                    ProjectRow.name.icontains(text, autoescape=True),
                    ProjectRow.description.icontains(text, autoescape=True),
                )
            )
        if before is not None:
            query = query.where(ProjectRow.id < before)
        rows = await self._session.execute(query.order_by(ProjectRow.id.desc()).limit(limit))
        return [(row, state) for row, state in rows]

    async def reserve_slugs(self, start: str, workspace_id: str) -> set[str]:
        """Return the used slugs that start with a text, of workflows and projects."""
        return await reserve_slugs(self._session, start, workspace_id)

    async def list_names_starting_with(self, start: str, workspace_id: str) -> set[str]:
        query = select(ProjectRow.name).where(
            ProjectRow.workspace_id == workspace_id, ProjectRow.name.startswith(start, autoescape=True)
        )
        return set(await self._session.scalars(query))

    async def find_by_name(self, name: str, workspace_id: str) -> str | None:
        """Return the id of the oldest project with this name: names can be changed to equal ones."""
        query = select(ProjectRow.id).where(ProjectRow.workspace_id == workspace_id, ProjectRow.name == name)
        return await self._session.scalar(query.order_by(ProjectRow.id).limit(1))

    async def find_by_slug(self, slug: str, workspace_id: str) -> str | None:
        query = select(ProjectRow.id).where(ProjectRow.workspace_id == workspace_id, ProjectRow.slug == slug)
        return await self._session.scalar(query)

    async def find_ready_version(self, project_id: str, workspace_id: str) -> int | None:
        """Return the number of the newest version whose environment is built."""
        query = select(func.max(ProjectVersionRow.number)).join(ProjectRow, _JOIN)
        return await self._session.scalar(
            query.where(
                ProjectRow.workspace_id == workspace_id,
                ProjectVersionRow.project_id == project_id,
                ProjectVersionRow.build_state == BuildState.READY,
            )
        )

    async def add(self, row: ProjectRow) -> None:
        self._session.add(row)
        await self._session.flush()

    async def delete(self, row: ProjectRow) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def count_unfinished_runs(self, project_id: str) -> int:
        query = select(func.count()).where(RunRow.project_id == project_id, RunRow.finished_at.is_(None))
        return int(await self._session.scalar(query) or 0)

    async def add_version(self, version: ProjectVersionRow) -> None:
        self._session.add(version)
        await self._session.flush()

    async def get_version(
        self, project_id: str, workspace_id: str, number: int, *, lock: bool = False
    ) -> ProjectVersionRow | None:
        """Return a version without its archive."""
        query = (
            select(ProjectVersionRow)
            .join(ProjectRow, _JOIN)
            .where(
                ProjectRow.workspace_id == workspace_id,
                ProjectVersionRow.project_id == project_id,
                ProjectVersionRow.number == number,
            )
        )
        if not lock:
            return await self._session.scalar(query)
        return await self._session.scalar(
            query.with_for_update(of=ProjectVersionRow), execution_options={"populate_existing": True}
        )

    async def list_versions(
        self, project_id: str, before: int | None, limit: int
    ) -> Sequence[ProjectVersionRow]:
        """Return the versions, newest first, without archives."""
        query = select(ProjectVersionRow).where(ProjectVersionRow.project_id == project_id)
        if before is not None:
            query = query.where(ProjectVersionRow.number < before)
        return (
            await self._session.scalars(query.order_by(ProjectVersionRow.number.desc()).limit(limit))
        ).all()

    async def get_archive(self, project_id: str, number: int) -> bytes | None:
        return await self._session.scalar(
            select(ProjectVersionRow.archive).where(
                ProjectVersionRow.project_id == project_id, ProjectVersionRow.number == number
            )
        )


class ProjectSecretRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_all(self, project_id: str) -> Sequence[ProjectSecretRow]:
        query = select(ProjectSecretRow).where(ProjectSecretRow.project_id == project_id)
        return (await self._session.scalars(query.order_by(ProjectSecretRow.name))).all()

    async def get(self, project_id: str, name: str) -> ProjectSecretRow | None:
        return await self._session.get(ProjectSecretRow, (project_id, name))

    async def save(self, secret: ProjectSecretRow) -> None:
        self._session.add(secret)
        await self._session.flush()

    async def delete(self, project_id: str, name: str) -> bool:
        """Delete a secret; return whether it existed."""
        found = await self._session.execute(
            delete(ProjectSecretRow)
            .where(ProjectSecretRow.project_id == project_id, ProjectSecretRow.name == name)
            .returning(ProjectSecretRow.name)
        )
        return found.scalar_one_or_none() is not None


def _in_workspace(workspace_id: str) -> Select[ProjectRow]:
    return select(ProjectRow).where(ProjectRow.workspace_id == workspace_id)
