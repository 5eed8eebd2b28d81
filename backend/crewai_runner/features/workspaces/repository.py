"""Queries on workspaces."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.tables.workspaces import WorkspaceRow


class WorkspaceRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure_builtin(self) -> None:
        row = {"id": BUILTIN_WORKSPACE, "name": "Default"}
        await self._session.execute(insert_if_absent(self._session, WorkspaceRow, row))
