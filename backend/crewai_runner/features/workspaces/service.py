"""Workspaces own all other rows. The first one is built in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.tables.people import MembershipRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.workspaces.errors import TooManyWorkspaces, WorkspaceNameTaken
from crewai_runner.features.workspaces.quota import WorkspaceLimits, WorkspaceQuota
from crewai_runner.features.workspaces.repository import WorkspaceRepository
from crewai_runner.features.workspaces.schemas import (
    WorkspaceAnswer,
    WorkspaceRead,
    WorkspaceUpdate,
)

__all__ = ["WorkspaceDeps", "WorkspaceLimits", "WorkspaceQuota", "WorkspaceService"]
MAX_WORKSPACES = 1000


Furnish = Callable[[AsyncSession, str], Awaitable[object]]
"""Adds to a new workspace, by its id, what every workspace has: the built-in model."""


@dataclass(frozen=True, slots=True)
class WorkspaceDeps:
    """Dependencies of the workspace service, built by the container."""

    furnish: Furnish
    limits: WorkspaceLimits = field(default_factory=WorkspaceLimits)


class WorkspaceService:
    def __init__(self, session: AsyncSession, deps: WorkspaceDeps) -> None:
        self._session, self._deps = session, deps
        self._workspaces = WorkspaceRepository(session)

    async def ensure_builtin(self) -> None:
        """Create the built-in workspace if it is missing."""
        await self._workspaces.ensure_builtin()

    async def furnish_all(self) -> None:
        """Add the built-in model to the workspaces that lack it."""
        for row in await self._workspaces.list_all():
            await self._deps.furnish(self._session, row.id)

    async def get(self, workspace_id: str) -> WorkspaceAnswer:
        """Return a workspace that the caller is in."""
        return _answer(await self._workspaces.get(workspace_id))

    async def list_all(self) -> Sequence[WorkspaceRead]:
        """Return all workspaces of the server, by name."""
        return [WorkspaceRead.model_validate(row) for row in await self._workspaces.list_all()]

    async def create(self, principal: Principal, name: str) -> WorkspaceAnswer:
        """Create a workspace; a person becomes its owner. Raises WorkspaceNameTaken, TooManyWorkspaces."""
        await self._check_name(name)
        if len(await self._workspaces.list_all()) >= MAX_WORKSPACES:
            raise TooManyWorkspaces(MAX_WORKSPACES)
        row = WorkspaceRow(id=new_id(Prefix.WORKSPACE), name=name)
        owner = None
        if principal.person_id is not None:
            owner = MembershipRow(
                workspace_id=row.id,
                person_id=principal.person_id,
                role=WorkspaceRole.OWNER,
                created_by=principal.subject,
            )
        await self._workspaces.add(row, owner)
        await self._deps.furnish(self._session, row.id)
        return _answer(row)

    async def update(self, workspace_id: str, body: WorkspaceUpdate) -> WorkspaceAnswer:
        """Rename a workspace or change its settings. Raises WorkspaceNameTaken."""
        row = await self._workspaces.get(workspace_id)
        if body.name is not None:
            if body.name.lower() != row.name.lower():
                await self._check_name(body.name)
            row.name = body.name
        if body.allows_public_links is not None:
            row.allows_public_links = body.allows_public_links
        return _answer(row)

    async def _check_name(self, name: str) -> None:
        await lock_workspace(self._session, BUILTIN_WORKSPACE)
        if await self._workspaces.find_by_name(name) is not None:
            raise WorkspaceNameTaken(name)


def _answer(row: WorkspaceRow) -> WorkspaceAnswer:
    return WorkspaceAnswer(workspace=WorkspaceRead.model_validate(row))
