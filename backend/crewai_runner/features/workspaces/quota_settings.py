"""Shows and sets the quotas of a workspace."""

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.tables.workspaces import WorkspaceQuotaRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.run_quota import MEGABYTE
from crewai_runner.domain.usage import Cost, normalize_amount
from crewai_runner.domain.workspace_quota import QuotaLimits, day_of, list_above, merge_limits, month_of
from crewai_runner.features.workspaces.errors import QuotaAboveLimit, WorkspaceNotFound
from crewai_runner.features.workspaces.quota import WorkspaceLimits
from crewai_runner.features.workspaces.quota_repository import (
    QuotaRepository,
    count_started_runs,
    get_spending,
    list_spending,
)
from crewai_runner.features.workspaces.repository import (
    WorkspaceRepository,
    WorkspaceUsageRepository,
    count_unfinished_runs,
    count_unfinished_runs_elsewhere,
)
from crewai_runner.features.workspaces.schemas import QuotaUse, WorkspaceQuotas


class QuotaSettingsService:
    """Owners set quotas up to those that the administrator or the settings set."""

    def __init__(self, session: AsyncSession, limits: WorkspaceLimits) -> None:
        self._session, self._settings = session, limits.as_quotas()
        self._quotas, self._workspaces = QuotaRepository(session), WorkspaceRepository(session)

    async def get(self, workspace_id: str) -> WorkspaceQuotas:
        """Return the quotas of a workspace and what it has used. Raises WorkspaceNotFound."""
        await self._check_exists(workspace_id)
        return await self._describe(await self._quotas.get(workspace_id))

    async def set_own(self, workspace_id: str, limits: QuotaLimits) -> WorkspaceQuotas:
        """Set what the owners want. Raises QuotaAboveLimit."""
        row = await self._quotas.get(workspace_id, lock=True)
        upper = self._get_upper(row)
        if above := list_above(upper, limits):
            raise QuotaAboveLimit(_describe_above(above, upper), errors=_list_errors(above, upper))
        before = self._merge(row)
        row.by_owner = _dump(limits)
        return await self._save(row, before)

    async def set_upper(self, workspace_id: str, limits: QuotaLimits) -> WorkspaceQuotas:
        """Set what the administrator allows. Raises WorkspaceNotFound."""
        await self._check_exists(workspace_id)
        row = await self._quotas.get(workspace_id, lock=True)
        before = self._merge(row)
        row.by_administrator = _dump(limits)
        return await self._save(row, before)

    async def _check_exists(self, workspace_id: str) -> None:
        is_well_formed = has_prefix(workspace_id, Prefix.WORKSPACE)
        if not is_well_formed or await self._workspaces.find(workspace_id) is None:
            raise WorkspaceNotFound(workspace_id)

    async def _save(self, row: WorkspaceQuotaRow, before: QuotaLimits) -> WorkspaceQuotas:
        """Store the quotas. What was not counted while there was no limit is counted later."""
        entry = get_entry()
        entry.set_workspace(row.workspace_id)
        entry.set_target("workspace", row.workspace_id)
        await self._quotas.save(row)
        after, at = self._merge(row), now()
        if (before.runs_per_day is None) != (after.runs_per_day is None):
            await self._quotas.forget_usage(row.workspace_id, day_of(at).name)
        money, money_before = after.spend_per_month, before.spend_per_month
        if money is not None and (money_before is None or money_before.currency != money.currency):
            await self._quotas.forget_usage(row.workspace_id, month_of(at).name, money.currency)
        return await self._describe(row)

    async def _describe(self, row: WorkspaceQuotaRow) -> WorkspaceQuotas:
        limits, at = self._merge(row), now()
        stored = await WorkspaceUsageRepository(self._session).sum_by_workspace()
        connection = await self._session.connection()
        use = await connection.run_sync(
            lambda sync: _read_use(sync, row.workspace_id, limits, stored.get(row.workspace_id, 0))
        )
        return WorkspaceQuotas(
            limits=limits,
            own_limits=QuotaLimits.model_validate(row.by_owner),
            upper_limits=self._get_upper(row),
            administrator_limits=QuotaLimits.model_validate(row.by_administrator),
            use=use,
            day_ends_at=day_of(at).end,
            month_ends_at=month_of(at).end,
        )

    def _get_upper(self, row: WorkspaceQuotaRow) -> QuotaLimits:
        return merge_limits(self._settings, QuotaLimits.model_validate(row.by_administrator))

    def _merge(self, row: WorkspaceQuotaRow) -> QuotaLimits:
        return merge_limits(self._get_upper(row), QuotaLimits.model_validate(row.by_owner))


def _read_use(connection: Connection, workspace_id: str, limits: QuotaLimits, stored_bytes: int) -> QuotaUse:
    at = now()
    _, active = count_unfinished_runs(connection, workspace_id)
    spent = dict(list_spending(connection, workspace_id, at))
    if limits.spend_per_month is not None:
        currency = limits.spend_per_month.currency
        spent[currency] = get_spending(connection, workspace_id, currency, at)
    return QuotaUse(
        runs_at_once=active - count_unfinished_runs_elsewhere(connection, workspace_id),
        runs_today=count_started_runs(connection, workspace_id, at),
        spent_this_month=[
            Cost(amount=normalize_amount(amount), currency=currency)
            for currency, amount in sorted(spent.items())
        ],
        stored_mb=round(stored_bytes / MEGABYTE, 3),
    )


def _dump(limits: QuotaLimits) -> dict[str, object]:
    return limits.model_dump(mode="json", exclude_none=True)


def _describe_above(above: list[str], upper: QuotaLimits) -> str:
    return " ".join(error["detail"] for error in _list_errors(above, upper))


def _list_errors(above: list[str], upper: QuotaLimits) -> list[dict[str, str]]:
    aliases = {name: field.alias or name for name, field in QuotaLimits.model_fields.items()}
    return [
        {
            "pointer": f"/{aliases[name]}",
            "detail": f"`{aliases[name]}` may be at most {getattr(upper, name)} on this server.",
        }
        for name in above
    ]
