"""Queries on the limits of workspaces, and on what counts towards them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.base import table_of
from crewai_runner.db.insert import insert_or_add
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.tables.runs import LlmCallRow, RunRow
from crewai_runner.db.tables.workspaces import WorkspaceQuotaRow, WorkspaceUsageRow
from crewai_runner.domain.workspace_quota import (
    NO_LIMITS,
    Period,
    QuotaLimits,
    SpendLimit,
    day_of,
    merge_limits,
    month_of,
)

_QUOTAS, _USAGE = table_of(WorkspaceQuotaRow), table_of(WorkspaceUsageRow)
_RUNS, _CALLS = table_of(RunRow), table_of(LlmCallRow)
_LOCK = (
    select(_QUOTAS.c.by_administrator, _QUOTAS.c.by_owner)
    .where(_QUOTAS.c.workspace_id == bindparam("workspace"))
    .with_for_update()
)
_IS_USAGE = (
    _USAGE.c.workspace_id == bindparam("workspace"),
    _USAGE.c.period == bindparam("in_period"),
    _USAGE.c.currency == bindparam("in_currency"),
)
_GET_USAGE = select(_USAGE.c.amount).where(*_IS_USAGE)
_ADD_USAGE = (
    update(_USAGE)
    .where(*_IS_USAGE)
    .values(amount=_USAGE.c.amount + bindparam("added", type_=_USAGE.c.amount.type))
    .returning(_USAGE.c.amount)
)
_RUNS_COUNTED = ""
"""The currency of rows that count runs."""


class QuotaRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_all(self) -> Mapping[str, QuotaLimits]:
        """Return the limits of the workspaces that have any."""
        rows = await self._session.execute(select(_QUOTAS))
        limits = {row.workspace_id: _merge(row.by_administrator, row.by_owner) for row in rows}
        return {workspace_id: found for workspace_id, found in limits.items() if found.has_limit()}

    async def get(self, workspace_id: str, *, lock: bool = False) -> WorkspaceQuotaRow:
        """Return the limits that were set for a workspace; a new row if there is none."""
        if lock:
            await lock_workspace(self._session, workspace_id)
        row = await self._session.get(WorkspaceQuotaRow, workspace_id, with_for_update=lock)
        return row or WorkspaceQuotaRow(workspace_id=workspace_id, by_administrator={}, by_owner={})

    async def save(self, row: WorkspaceQuotaRow) -> None:
        self._session.add(row)
        await self._session.flush()

    async def forget_usage(self, workspace_id: str, period: str, currency: str = _RUNS_COUNTED) -> None:
        """Let the next addition count again: nothing was counted while there was no limit."""
        await self._session.execute(
            delete(WorkspaceUsageRow).where(
                WorkspaceUsageRow.workspace_id == workspace_id,
                WorkspaceUsageRow.period == period,
                WorkspaceUsageRow.currency == currency,
            )
        )


def _merge(by_administrator: Mapping[str, object], by_owner: Mapping[str, object]) -> QuotaLimits:
    return merge_limits(QuotaLimits.model_validate(by_administrator), QuotaLimits.model_validate(by_owner))


def lock_limits(connection: Connection, workspace_id: str) -> QuotaLimits:
    """Return the limits of a workspace; other starts in it wait until the transaction ends.

    On SQLite there is only one writing transaction at a time.
    """
    row = connection.execute(_LOCK, {"workspace": workspace_id}).one_or_none()
    return NO_LIMITS if row is None else _merge(row.by_administrator, row.by_owner)


def count_started_runs(connection: Connection, workspace_id: str, at: datetime) -> int:
    """Return how many runs were started on the day."""
    day = day_of(at)
    counted = connection.scalar(_GET_USAGE, _usage_key(workspace_id, day, _RUNS_COUNTED))
    return _count_stored_runs(connection, workspace_id, day.start) if counted is None else int(counted)


def add_started_run(connection: Connection, workspace_id: str, at: datetime) -> int:
    """Count a run that is about to be added; return how many that makes on the day.

    The caller has locked the limits of the workspace.
    """
    day = day_of(at)
    key = _usage_key(workspace_id, day, _RUNS_COUNTED)
    counted = connection.scalar(_ADD_USAGE, key | {"added": Decimal(1)})
    if counted is not None:
        return int(counted)
    count = _count_stored_runs(connection, workspace_id, day.start) + 1
    return int(_insert_usage(connection, workspace_id, day, _RUNS_COUNTED, Decimal(count), Decimal(1)))


def get_spending(connection: Connection, workspace_id: str, currency: str, at: datetime) -> Decimal:
    """Return what the workspace has spent in the month."""
    month = month_of(at)
    counted = connection.scalar(_GET_USAGE, _usage_key(workspace_id, month, currency))
    return _sum_calls(connection, workspace_id, month, currency) if counted is None else Decimal(counted)


def add_spending(
    connection: Connection, workspace_id: str, limit: SpendLimit, cost: Decimal, at: datetime
) -> Decimal:
    """Count the cost of calls that the transaction has stored; return what the month has cost so far."""
    month = month_of(at)
    key = _usage_key(workspace_id, month, limit.currency)
    statement = _ADD_USAGE if cost else _GET_USAGE
    counted = connection.scalar(statement, key | ({"added": cost} if cost else {}))
    if counted is not None:
        return Decimal(counted)
    total = _sum_calls(connection, workspace_id, month, limit.currency)
    return _insert_usage(connection, workspace_id, month, limit.currency, total, cost)


def list_spending(connection: Connection, workspace_id: str, at: datetime) -> Sequence[tuple[str, Decimal]]:
    """Return (currency, amount) of the costs of the month, from the stored calls."""
    query = _select_costs(workspace_id, month_of(at)).add_columns(_CALLS.c.cost_currency)
    rows = connection.execute(
        query.where(_CALLS.c.cost_currency.is_not(None)).group_by(_CALLS.c.cost_currency)
    )
    return sorted((str(currency), Decimal(amount or 0)) for amount, currency in rows)


def _usage_key(workspace_id: str, period: Period, currency: str) -> dict[str, object]:
    return {"workspace": workspace_id, "in_period": period.name, "in_currency": currency}


def _insert_usage(
    connection: Connection, workspace_id: str, period: Period, currency: str, total: Decimal, added: Decimal
) -> Decimal:
    """Add the row of a period; to one that was added at the same time, add only what is new."""
    row = {"workspace_id": workspace_id, "period": period.name, "currency": currency, "amount": total}
    statement = insert_or_add(connection, WorkspaceUsageRow, row, {"amount": added})
    return Decimal(connection.scalar(statement.returning(_USAGE.c.amount)) or 0)


def _count_stored_runs(connection: Connection, workspace_id: str, since: datetime) -> int:
    """Count the runs created since a moment. Finished and other runs have an index each."""

    def count(condition: ColumnElement[bool]) -> int:
        query = select(func.count()).where(
            _RUNS.c.workspace_id == workspace_id,
            _RUNS.c.created_at >= since,
            _RUNS.c.execution_uuid.is_(None),
            condition,
        )
        return int(connection.scalar(query) or 0)

    return count(_RUNS.c.finished_at.is_(None)) + count(_RUNS.c.finished_at.is_not(None))


def _sum_calls(connection: Connection, workspace_id: str, month: Period, currency: str) -> Decimal:
    query = _select_costs(workspace_id, month).where(_CALLS.c.cost_currency == currency)
    return Decimal(connection.scalar(query) or 0)


def _select_costs(workspace_id: str, month: Period) -> Select[tuple[Decimal | None]]:
    """Select the sum of the calls of the month that runs here have made."""
    return (
        select(func.sum(_CALLS.c.cost_amount))
        .join(_RUNS, _RUNS.c.id == _CALLS.c.run_id)
        .where(
            _RUNS.c.workspace_id == workspace_id,
            _RUNS.c.execution_uuid.is_(None),
            or_(_RUNS.c.finished_at.is_(None), _RUNS.c.finished_at >= month.start),
            _CALLS.c.at >= month.start,
        )
    )
