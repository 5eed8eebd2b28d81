"""What every workspace of the server uses, a query for each figure instead of one for each workspace."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.people import MembershipRow
from crewai_runner.db.tables.runs import LlmCallRow, RunRow
from crewai_runner.db.tables.workspaces import WorkspaceQuotaRow, WorkspaceUsageRow
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.domain.workspace_quota import Period

_UNFINISHED = sorted(set(RunState) - FINAL_STATES)
_IS_HERE = RunRow.execution_uuid.is_(None)
"""Runs elsewhere count towards no quota."""
Counts = Mapping[str, int]
"""By workspace; those with nothing are left out."""


class WorkspaceOverviewRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_quotas(self) -> Mapping[str, WorkspaceQuotaRow]:
        rows = await self._session.scalars(select(WorkspaceQuotaRow))
        return {row.workspace_id: row for row in rows}

    async def count_people(self) -> Counts:
        query = select(MembershipRow.workspace_id, func.count())
        return await self._count(query.group_by(MembershipRow.workspace_id))

    async def count_unfinished(self) -> Counts:
        """Count the runs that have not ended."""
        query = select(RunRow.workspace_id, func.count()).where(
            RunRow.finished_at.is_(None), RunRow.state.in_(_UNFINISHED), _IS_HERE
        )
        return await self._count(query.group_by(RunRow.workspace_id))

    async def count_started(self, since: datetime) -> Counts:
        """Count the stored runs that were started since a moment."""
        query = select(RunRow.workspace_id, func.count()).where(RunRow.created_at >= since, _IS_HERE)
        return await self._count(query.group_by(RunRow.workspace_id))

    async def sum_costs(self, since: datetime) -> Sequence[tuple[str, str, Decimal]]:
        """Return (workspace, currency, amount) of the stored calls since a moment."""
        query = (
            select(RunRow.workspace_id, LlmCallRow.cost_currency, func.sum(LlmCallRow.cost_amount))
            .join(RunRow, RunRow.id == LlmCallRow.run_id)
            .where(
                LlmCallRow.at >= since,
                LlmCallRow.cost_currency.is_not(None),
                or_(RunRow.finished_at.is_(None), RunRow.finished_at >= since),
                _IS_HERE,
            )
            .group_by(RunRow.workspace_id, LlmCallRow.cost_currency)
        )
        rows = await self._session.execute(query)
        return [(workspace, str(currency), Decimal(amount or 0)) for workspace, currency, amount in rows]

    async def list_counters(self, period: Period) -> Sequence[tuple[str, str, Decimal]]:
        """Return (workspace, currency, amount) of what was counted, which includes runs that are deleted."""
        query = select(WorkspaceUsageRow).where(WorkspaceUsageRow.period == period.name)
        rows = await self._session.scalars(query)
        return [(row.workspace_id, row.currency, Decimal(row.amount)) for row in rows]

    async def _count(self, query: Select[str, int]) -> Counts:
        return {workspace_id: int(count) for workspace_id, count in await self._session.execute(query)}
