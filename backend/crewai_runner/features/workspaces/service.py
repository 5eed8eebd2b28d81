"""Workspaces own all other rows; currently there is one built-in workspace."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.features.workspaces.repository import WorkspaceRepository


class WorkspaceService:
    def __init__(self, session: AsyncSession) -> None:
        self._workspaces = WorkspaceRepository(session)

    async def ensure_builtin(self) -> None:
        """Create the built-in workspace if it is missing."""
        await self._workspaces.ensure_builtin()
