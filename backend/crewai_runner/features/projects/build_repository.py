"""Queries on the builds of project versions and their logs. Access is checked by the caller."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.projects import ProjectBuildLogRow, ProjectRow, ProjectVersionRow


class ProjectBuildRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock_version(self, project_id: str, number: int) -> ProjectVersionRow | None:
        """Return a version, locked, without a workspace check; for workers only."""
        query = select(ProjectVersionRow).where(
            ProjectVersionRow.project_id == project_id, ProjectVersionRow.number == number
        )
        return await self._session.scalar(
            query.with_for_update(), execution_options={"populate_existing": True}
        )

    async def get_source(self, project_id: str, number: int) -> tuple[bytes, dict[str, Any]]:
        """Return the archive and the inspection of a version. Raises NoResultFound."""
        query = select(ProjectVersionRow.archive, ProjectVersionRow.inspection).where(
            ProjectVersionRow.project_id == project_id, ProjectVersionRow.number == number
        )
        archive, inspection = (await self._session.execute(query)).one()
        return archive, inspection

    async def set_build(
        self, project_id: str, number: int, build_number: int, columns: Mapping[str, Any]
    ) -> bool:
        """Set columns of a version, unless a later build has begun; return whether they were set."""
        changed = await self._session.execute(
            update(ProjectVersionRow)
            .where(
                ProjectVersionRow.project_id == project_id,
                ProjectVersionRow.number == number,
                ProjectVersionRow.build_number == build_number,
            )
            .values(dict(columns))
            .returning(ProjectVersionRow.number)
        )
        return changed.scalar_one_or_none() is not None

    async def touch_project(self, project_id: str, number: int) -> None:
        """Count a change of the project if it shows this version."""
        await self._session.execute(
            update(ProjectRow)
            .where(ProjectRow.id == project_id, ProjectRow.newest_version == number)
            .values(version=ProjectRow.version + 1)
        )

    async def delete_log(self, project_id: str, number: int) -> None:
        await self._session.execute(delete(ProjectBuildLogRow).where(*_log_of(project_id, number)))

    async def add_log(self, project_id: str, number: int, text: str) -> None:
        """Append a piece to the log."""
        query = select(func.max(ProjectBuildLogRow.seq)).where(*_log_of(project_id, number))
        seq = int(await self._session.scalar(query) or 0) + 1
        self._session.add(ProjectBuildLogRow(project_id=project_id, number=number, seq=seq, text=text))
        await self._session.flush()

    async def list_log(self, project_id: str, number: int, after: int, limit: int) -> list[tuple[int, str]]:
        """Return (seq, text) of the next pieces of the log, in order."""
        query = select(ProjectBuildLogRow.seq, ProjectBuildLogRow.text).where(
            *_log_of(project_id, number), ProjectBuildLogRow.seq > after
        )
        rows = await self._session.execute(query.order_by(ProjectBuildLogRow.seq).limit(limit))
        return [(seq, text) for seq, text in rows]


def _log_of(project_id: str, number: int) -> tuple[Any, ...]:
    return ProjectBuildLogRow.project_id == project_id, ProjectBuildLogRow.number == number
