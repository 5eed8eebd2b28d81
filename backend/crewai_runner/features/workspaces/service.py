"""Workspaces own all other rows; currently there is one built-in workspace."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.run_quota import MEGABYTE
from crewai_runner.features.workspaces.errors import TooManyRuns, WorkspaceStorageFull
from crewai_runner.features.workspaces.repository import (
    WorkspaceRepository,
    WorkspaceUsageRepository,
    count_unfinished_runs,
    count_unfinished_runs_elsewhere,
)

MIN_COUNT_SECONDS = 1.0
"""A refusal counts again what is stored, at most this often: space that was freed is available at once."""


class WorkspaceService:
    def __init__(self, session: AsyncSession) -> None:
        self._workspaces = WorkspaceRepository(session)

    async def ensure_builtin(self) -> None:
        """Create the built-in workspace if it is missing."""
        await self._workspaces.ensure_builtin()


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
