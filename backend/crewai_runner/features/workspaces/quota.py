"""Refuses new runs of a workspace that has reached a limit; runs that exist continue.

The limits are those of the settings, for every workspace, and the quotas that were set for one of them.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.network_access import NetworkAccess
from crewai_runner.domain.run_quota import MEGABYTE
from crewai_runner.domain.workspace_quota import NO_LIMITS, QuotaLimits, Spending, day_of, month_of
from crewai_runner.features.workspaces.errors import (
    RunsAtOnceReached,
    RunsPerDayReached,
    SpendingQuotaReached,
    StorageQuotaReached,
    TooManyRuns,
    WorkspaceStorageFull,
)
from crewai_runner.features.workspaces.quota_repository import (
    QuotaRepository,
    add_spending,
    add_started_run,
    count_started_runs,
    get_spending,
    lock_limits,
)
from crewai_runner.features.workspaces.repository import (
    WorkspaceUsageRepository,
    count_unfinished_runs,
    count_unfinished_runs_elsewhere,
)

MIN_COUNT_SECONDS = 1.0
"""A refusal counts again what is stored, at most this often: space that was freed is available at once."""
MAX_AGE_SECONDS = 30.0
"""How long the quotas are used without reading them: a notification from another process can be lost."""


@dataclass(frozen=True, slots=True)
class WorkspaceLimits:
    """The limits that the settings set for each workspace; 0: unlimited."""

    max_stored_mb: float = 0
    max_active_runs: int = 0
    max_queued_runs: int = 0
    kept_days: int = 0

    def as_quotas(self) -> QuotaLimits:
        """Return those that quotas have as well."""
        return QuotaLimits(
            runs_at_once=self.max_active_runs or None,
            stored_mb=self.max_stored_mb or None,
            kept_days=self.kept_days or None,
        )


@dataclass(slots=True)
class WorkspaceQuota:
    """Holds the quotas, which are few, and what each workspace stored when this process last counted it."""

    sessions: Sessions
    limits: WorkspaceLimits
    _quotas: Mapping[str, QuotaLimits] = field(default_factory=dict)
    _changes: int = 0
    _read_changes: int = -1
    _read_at: float = 0.0
    _stored_bytes: Mapping[str, int] = field(default_factory=dict)
    _counted_at: float | None = None

    def clear(self) -> None:
        """Read the quotas again when they are needed: some were changed."""
        self._changes += 1

    async def load(self) -> Mapping[str, QuotaLimits]:
        """Return the quotas of the workspaces that have any; read again after a change."""
        changes, read_at = self._changes, time.monotonic()
        if self._read_changes != changes or self._read_at < read_at - MAX_AGE_SECONDS:
            async with read_session(self.sessions) as session:
                self._quotas = await QuotaRepository(session).list_all()
            self._read_changes, self._read_at = changes, read_at
        return self._quotas

    def has_quota(self, workspace_id: str) -> bool:
        """Whether starts in the workspace lock its quotas. `load` was called."""
        return workspace_id in self._quotas

    async def refresh(self) -> None:
        """Count what each workspace stores; without a limit nothing is counted."""
        quotas = await self.load()
        if not self.limits.max_stored_mb and all(one.stored_mb is None for one in quotas.values()):
            return
        counted_at = time.monotonic()
        async with read_session(self.sessions) as session:
            self._stored_bytes = await WorkspaceUsageRepository(session).sum_by_workspace()
        self._counted_at = counted_at

    async def check_storage(self, principal: Principal) -> None:
        """Raise WorkspaceStorageFull or StorageQuotaReached (507) if the workspace stores too much."""
        quota = (await self.load()).get(principal.workspace_id, NO_LIMITS).stored_mb
        limit = min(value for value in (quota, self.limits.max_stored_mb, float("inf")) if value)
        if limit == float("inf"):
            return
        if self._counted_at is None or (self._stored_mb(principal) > limit and self._is_outdated()):
            await self.refresh()
        stored = self._stored_mb(principal)
        if stored > limit:
            raise (
                StorageQuotaReached(stored, limit) if limit == quota else WorkspaceStorageFull(stored, limit)
            )

    def check_runs(self, connection: Connection, workspace_id: str) -> None:
        """Raise what `admit_run` raises, without counting a run. `load` was called."""
        limits = self._get(workspace_id)
        self._check_runs(connection, workspace_id, limits)
        self._check_spending(connection, workspace_id, limits)
        if limits.runs_per_day is not None:
            started = count_started_runs(connection, workspace_id, now())
            self._check_day(started + 1, limits.runs_per_day)

    def admit_run(self, connection: Connection, workspace_id: str) -> None:
        """Count a run that the caller's transaction adds. `load` was called.

        Raises TooManyRuns, QuotaReached (429). With a quota other starts of the workspace, in any process,
        wait until the transaction ends, so that no two of them take the last place.
        """
        limits = lock_limits(connection, workspace_id) if self.has_quota(workspace_id) else NO_LIMITS
        self._check_runs(connection, workspace_id, limits)
        self._check_spending(connection, workspace_id, limits)
        if limits.runs_per_day is not None:
            self._check_day(add_started_run(connection, workspace_id, now()), limits.runs_per_day)

    def admit_finished_run(self, connection: Connection, workspace_id: str) -> None:
        """Let a run that has ended continue, which is not a start. Raises QuotaReached (429)."""
        if not self.has_quota(workspace_id):
            return
        limits = lock_limits(connection, workspace_id)
        if limits.runs_at_once is not None:
            self._check_active(connection, workspace_id, limits.runs_at_once)
        self._check_spending(connection, workspace_id, limits)

    def check_runs_elsewhere(self, connection: Connection, workspace_id: str) -> None:
        """Raise TooManyRuns (429) if as many runs elsewhere have not ended as there may be runs here."""
        limit = self.limits.max_active_runs
        if limit and (count := count_unfinished_runs_elsewhere(connection, workspace_id)) >= limit:
            raise TooManyRuns("elsewhere that have not ended", count, "WORKSPACE_MAX_ACTIVE_RUNS", limit)

    async def list_kept_days(self) -> Mapping[str, int]:
        """Return for how many days workspaces keep their runs, where that is less than the settings say."""
        most = self.limits.kept_days or float("inf")
        days = {workspace_id: one.kept_days for workspace_id, one in (await self.load()).items()}
        return {workspace_id: kept for workspace_id, kept in days.items() if kept is not None and kept < most}

    async def limits_spending(self, workspace_id: str) -> bool:
        """Whether the workspace has a limit of what it spends in a month."""
        return (await self.load()).get(workspace_id, NO_LIMITS).spend_per_month is not None

    async def get_network_limit(self, workspace_id: str) -> NetworkAccess | None:
        """Return what tools of the workspace's runs may contact at most; None: it sets no limit."""
        return (await self.load()).get(workspace_id, NO_LIMITS).network

    def count_spending(
        self, connection: Connection, workspace_id: str, costs: Mapping[str, Decimal]
    ) -> Spending | None:
        """Count costs by currency that the transaction has stored; None without a limit of spending."""
        limit = self._get(workspace_id).spend_per_month
        if limit is None:
            return None
        at = now()
        cost = costs.get(limit.currency, Decimal(0))
        return Spending(limit, add_spending(connection, workspace_id, limit, cost, at), month_of(at))

    def _get(self, workspace_id: str) -> QuotaLimits:
        return self._quotas.get(workspace_id, NO_LIMITS)

    def _check_runs(self, connection: Connection, workspace_id: str, quota: QuotaLimits) -> None:
        """Runs elsewhere do not count: nothing here can end them."""
        limits = self.limits
        if not limits.max_active_runs and not limits.max_queued_runs and quota.runs_at_once is None:
            return
        queued, active = count_unfinished_runs(connection, workspace_id)
        lowest = min(value for value in (limits.max_active_runs, quota.runs_at_once, active + 1) if value)
        if active >= lowest:
            active -= count_unfinished_runs_elsewhere(connection, workspace_id)
        if quota.runs_at_once is not None and active >= quota.runs_at_once:
            raise RunsAtOnceReached(active, quota.runs_at_once)
        for which, count, limit, setting in (
            ("that have not ended", active, limits.max_active_runs, "WORKSPACE_MAX_ACTIVE_RUNS"),
            ("in the queue", queued, limits.max_queued_runs, "WORKSPACE_MAX_QUEUED_RUNS"),
        ):
            if limit and count >= limit:
                raise TooManyRuns(which, count, setting, limit)

    @staticmethod
    def _check_active(connection: Connection, workspace_id: str, limit: int) -> None:
        _, active = count_unfinished_runs(connection, workspace_id)
        if active >= limit:
            active -= count_unfinished_runs_elsewhere(connection, workspace_id)
        if active >= limit:
            raise RunsAtOnceReached(active, limit)

    @staticmethod
    def _check_day(started: int, limit: int) -> None:
        if started > limit:
            raise RunsPerDayReached(started - 1, limit, day_of(now()).end)

    @staticmethod
    def _check_spending(connection: Connection, workspace_id: str, limits: QuotaLimits) -> None:
        limit, at = limits.spend_per_month, now()
        if limit is None:
            return
        amount = get_spending(connection, workspace_id, limit.currency, at)
        spending = Spending(limit, amount, month_of(at))
        if spending.is_used_up:
            raise SpendingQuotaReached(spending)

    def _stored_mb(self, principal: Principal) -> float:
        return self._stored_bytes.get(principal.workspace_id, 0) / MEGABYTE

    def _is_outdated(self) -> bool:
        return self._counted_at is None or time.monotonic() - self._counted_at > MIN_COUNT_SECONDS
