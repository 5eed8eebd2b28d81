"""Workspaces own all other rows. The first one is built in."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.db.tables.people import MembershipRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run_quota import MEGABYTE
from crewai_runner.features.workspaces.errors import (
    TooManyRuns,
    TooManyWorkspaces,
    WorkspaceNameTaken,
    WorkspaceStorageFull,
)
from crewai_runner.features.workspaces.repository import (
    WorkspaceRepository,
    WorkspaceUsageRepository,
    count_unfinished_runs,
    count_unfinished_runs_elsewhere,
)
from crewai_runner.features.workspaces.schemas import WorkspaceAnswer, WorkspaceList, WorkspaceRead

MAX_WORKSPACES = 1000
MIN_COUNT_SECONDS = 1.0
"""A refusal counts again what is stored, at most this often: space that was freed is available at once."""


Furnish = Callable[[AsyncSession, str], Awaitable[object]]
"""Adds to a new workspace, by its id, what every workspace has: the built-in model."""


@dataclass(frozen=True, slots=True)
class WorkspaceDeps:
    """Dependencies of the workspace service, built by the container."""

    furnish: Furnish


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

    async def list_all(self) -> WorkspaceList:
        """Return all workspaces of the server."""
        rows = await self._workspaces.list_all()
        return WorkspaceList(workspaces=[WorkspaceRead.model_validate(row) for row in rows])

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

    async def rename(self, workspace_id: str, name: str) -> WorkspaceAnswer:
        """Rename a workspace. Raises WorkspaceNameTaken."""
        row = await self._workspaces.get(workspace_id)
        if name.lower() != row.name.lower():
            await self._check_name(name)
        row.name = name
        return _answer(row)

    async def _check_name(self, name: str) -> None:
        await lock_workspace(self._session, BUILTIN_WORKSPACE)
        if await self._workspaces.find_by_name(name) is not None:
            raise WorkspaceNameTaken(name)


def _answer(row: WorkspaceRow) -> WorkspaceAnswer:
    return WorkspaceAnswer(workspace=WorkspaceRead.model_validate(row))


@dataclass(frozen=True, slots=True)
class WorkspaceLimits:
    """The limits of each workspace; 0: unlimited."""

    max_stored_mb: float = 0
    max_active_runs: int = 0
    max_queued_runs: int = 0


@dataclass(slots=True)
class WorkspaceQuota:
    """Refuses new runs of a workspace that stores too much or has too many runs; runs that exist continue.

    Holds what each workspace stored when this process last counted it.
    """

    sessions: Sessions
    limits: WorkspaceLimits
    _stored_bytes: Mapping[str, int] = field(default_factory=dict)
    _counted_at: float | None = None

    async def refresh(self) -> None:
        """Count what each workspace stores; without a limit nothing is counted."""
        if not self.limits.max_stored_mb:
            return
        counted_at = time.monotonic()
        async with read_session(self.sessions) as session:
            self._stored_bytes = await WorkspaceUsageRepository(session).sum_by_workspace()
        self._counted_at = counted_at

    async def check_storage(self, principal: Principal) -> None:
        """Raise WorkspaceStorageFull (507) if the workspace stores more than its limit."""
        if not self.limits.max_stored_mb:
            return
        if self._counted_at is None or (self._exceeds_storage(principal) and self._is_outdated()):
            await self.refresh()
        if self._exceeds_storage(principal):
            stored = self._stored_bytes[principal.workspace_id] / MEGABYTE
            raise WorkspaceStorageFull(stored, self.limits.max_stored_mb)

    def check_runs(self, connection: Connection, workspace_id: str) -> None:
        """Raise TooManyRuns (429) if no further run may be queued in the caller's transaction.

        Runs elsewhere do not count: nothing here can end them.
        """
        limits = self.limits
        if not limits.max_active_runs and not limits.max_queued_runs:
            return
        queued, active = count_unfinished_runs(connection, workspace_id)
        if limits.max_active_runs and active >= limits.max_active_runs:
            active -= count_unfinished_runs_elsewhere(connection, workspace_id)
        for which, count, limit, setting in (
            ("that have not ended", active, limits.max_active_runs, "WORKSPACE_MAX_ACTIVE_RUNS"),
            ("in the queue", queued, limits.max_queued_runs, "WORKSPACE_MAX_QUEUED_RUNS"),
        ):
            if limit and count >= limit:
                raise TooManyRuns(which, count, setting, limit)

    def check_runs_elsewhere(self, connection: Connection, workspace_id: str) -> None:
        """Raise TooManyRuns (429) if as many runs elsewhere have not ended as there may be runs here."""
        limit = self.limits.max_active_runs
        if limit and (count := count_unfinished_runs_elsewhere(connection, workspace_id)) >= limit:
            raise TooManyRuns("elsewhere that have not ended", count, "WORKSPACE_MAX_ACTIVE_RUNS", limit)

    def _exceeds_storage(self, principal: Principal) -> bool:
        stored = self._stored_bytes.get(principal.workspace_id, 0)
        return stored > self.limits.max_stored_mb * MEGABYTE

    def _is_outdated(self) -> bool:
        return self._counted_at is None or time.monotonic() - self._counted_at > MIN_COUNT_SECONDS
