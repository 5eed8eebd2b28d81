"""All workspaces of the server, with their quotas and what they use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.db.tables.workspaces import WorkspaceQuotaRow, WorkspaceRow
from crewai_runner.domain.run_quota import MEGABYTE
from crewai_runner.domain.usage import Cost, normalize_amount
from crewai_runner.domain.workspace_quota import NO_LIMITS, QuotaLimits, day_of, merge_limits, month_of
from crewai_runner.features.workspaces.overview_repository import Counts, WorkspaceOverviewRepository
from crewai_runner.features.workspaces.quota import WorkspaceLimits
from crewai_runner.features.workspaces.repository import WorkspaceRepository, WorkspaceUsageRepository
from crewai_runner.features.workspaces.schemas import (
    QuotaUse,
    WorkspaceOverview,
    WorkspaceOverviewList,
    WorkspaceRead,
)

Costs = Mapping[str, Mapping[str, Decimal]]
"""Amounts by workspace and currency."""


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is stored, and what was counted for quotas, which includes runs that are deleted."""

    people: Counts
    unfinished: Counts
    started: Counts
    counted_runs: Counts
    costs: Costs
    counted_costs: Costs
    stored_bytes: Counts

    def get_use(self, workspace_id: str, limits: QuotaLimits) -> QuotaUse:
        """Return the use; without a quota nothing is counted, and old counters do not matter."""
        costs, runs = dict(self.costs.get(workspace_id, {})), self.started.get(workspace_id, 0)
        if limits.runs_per_day is not None:
            runs = self.counted_runs.get(workspace_id, runs)
        if limits.spend_per_month is not None:
            currency = limits.spend_per_month.currency
            stored = costs.get(currency, Decimal(0))
            costs[currency] = self.counted_costs.get(workspace_id, {}).get(currency, stored)
        return QuotaUse(
            runs_at_once=self.unfinished.get(workspace_id, 0),
            runs_today=runs,
            spent_this_month=[
                Cost(amount=normalize_amount(amount), currency=currency)
                for currency, amount in sorted(costs.items())
            ],
            stored_mb=round(self.stored_bytes.get(workspace_id, 0) / MEGABYTE, 3),
        )


class WorkspaceOverviewService:
    def __init__(self, session: AsyncSession, limits: WorkspaceLimits) -> None:
        self._session, self._settings = session, limits.as_quotas()
        self._overview = WorkspaceOverviewRepository(session)

    async def list_all(self) -> WorkspaceOverviewList:
        """Return all workspaces in the order of their names."""
        quotas, figures = await self._overview.list_quotas(), await self._read_figures(now())
        rows = await WorkspaceRepository(self._session).list_all()
        return WorkspaceOverviewList(
            workspaces=[self._describe(row, quotas.get(row.id), figures) for row in rows]
        )

    def _describe(
        self, row: WorkspaceRow, quota: WorkspaceQuotaRow | None, figures: _Figures
    ) -> WorkspaceOverview:
        limits = merge_limits(self._settings, NO_LIMITS)
        if quota is not None:
            for document in (quota.by_administrator, quota.by_owner):
                limits = merge_limits(limits, QuotaLimits.model_validate(document))
        return WorkspaceOverview(
            **WorkspaceRead.model_validate(row).model_dump(by_alias=False),
            people=figures.people.get(row.id, 0),
            limits=limits,
            use=figures.get_use(row.id, limits),
        )

    async def _read_figures(self, at: datetime) -> _Figures:
        day, month, overview = day_of(at), month_of(at), self._overview
        counted = await overview.list_counters(day)
        return _Figures(
            people=await overview.count_people(),
            unfinished=await overview.count_unfinished(),
            started=await overview.count_started(day.start),
            counted_runs={workspace_id: int(amount) for workspace_id, _, amount in counted},
            costs=_group(await overview.sum_costs(month.start)),
            counted_costs=_group(await overview.list_counters(month)),
            stored_bytes=await WorkspaceUsageRepository(self._session).sum_by_workspace(),
        )


def _group(amounts: Sequence[tuple[str, str, Decimal]]) -> Costs:
    grouped: dict[str, dict[str, Decimal]] = {}
    for workspace_id, currency, amount in amounts:
        grouped.setdefault(workspace_id, {})[currency] = amount
    return grouped
