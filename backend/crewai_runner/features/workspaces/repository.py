"""Rows of workspaces."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.tables.workspaces import WorkspaceRow


class WorkspaceRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure_builtin(self) -> None:
        if await self._session.get(WorkspaceRow, BUILTIN_WORKSPACE) is None:
            self._session.add(WorkspaceRow(id=BUILTIN_WORKSPACE, name="Default"))
