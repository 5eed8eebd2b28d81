"""Queries on approval requests."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import ApprovalRow


class ApprovalRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, approval: ApprovalRow) -> None:
        self._session.add(approval)

    async def get(self, approval_id: str, workspace_id: str, *, lock: bool = False) -> ApprovalRow | None:
        query = select(ApprovalRow).where(
            ApprovalRow.workspace_id == workspace_id, ApprovalRow.id == approval_id
        )
        if lock:
            # Reload: another transaction may have changed the row while this one waited for the lock.
            query = query.with_for_update().execution_options(populate_existing=True)
        return await self._session.scalar(query)

    async def lock_open(self, run_id: str) -> ApprovalRow | None:
        """Return the run's open approval request, locked."""
        query = select(ApprovalRow).where(ApprovalRow.run_id == run_id, ApprovalRow.state == "open")
        return await self._session.scalar(query.with_for_update().execution_options(populate_existing=True))

    async def get_open(self, run_id: str, workspace_id: str) -> ApprovalRow | None:
        """Return the run's open approval request, not locked."""
        query = select(ApprovalRow).where(
            ApprovalRow.workspace_id == workspace_id, ApprovalRow.state == "open"
        )
        return await self._session.scalar(query.where(ApprovalRow.run_id == run_id))

    async def get_newest(self, run_id: str) -> ApprovalRow | None:
        """Return the run's latest approval request."""
        query = select(ApprovalRow).where(ApprovalRow.run_id == run_id).order_by(ApprovalRow.id.desc())
        return await self._session.scalar(query.limit(1))

    async def list_in_state(self, run_id: str, state: str) -> Sequence[ApprovalRow]:
        """Return the run's approval requests in a state, oldest first."""
        query = select(ApprovalRow).where(ApprovalRow.run_id == run_id, ApprovalRow.state == state)
        return (await self._session.scalars(query.order_by(ApprovalRow.id))).all()

    async def list_overdue_run_ids(self, at: datetime, limit: int) -> Sequence[str]:
        """Return the runs whose open approval request expires at or before `at`; nothing is locked."""
        query = (
            select(ApprovalRow.run_id)
            .where(ApprovalRow.state == "open", ApprovalRow.expires_at <= at)
            .order_by(ApprovalRow.run_id)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()
