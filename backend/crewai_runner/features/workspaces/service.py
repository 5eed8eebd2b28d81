"""Workspaces own everything; there is one, built in, until there are users."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.features.workspaces.repository import WorkspaceRepository


class WorkspaceService:
    def __init__(self, session: AsyncSession) -> None:
        self._workspaces = WorkspaceRepository(session)

    async def ensure_builtin(self) -> None:
        """Make the built-in workspace when it is missing."""
        await self._workspaces.ensure_builtin()
