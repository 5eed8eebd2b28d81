"""Rows of approvals."""

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
            # What another transaction wrote while the lock was awaited counts, not what was read before.
            query = query.with_for_update().execution_options(populate_existing=True)
        return await self._session.scalar(query)

    async def open_of(self, run_id: str) -> ApprovalRow | None:
        query = select(ApprovalRow).where(ApprovalRow.run_id == run_id, ApprovalRow.state == "open")
        return await self._session.scalar(query.with_for_update().execution_options(populate_existing=True))

    async def page(
        self, workspace_id: str, state: str | None, run_id: str | None, before: str | None, limit: int
    ) -> Sequence[ApprovalRow]:
        query = select(ApprovalRow).where(ApprovalRow.workspace_id == workspace_id)
        if state is not None:
            query = query.where(ApprovalRow.state == state)
        if run_id is not None:
            query = query.where(ApprovalRow.run_id == run_id)
        if before is not None:
            query = query.where(ApprovalRow.id < before)
        return (await self._session.scalars(query.order_by(ApprovalRow.id.desc()).limit(limit))).all()

    async def runs_of_overdue(self, moment: datetime, limit: int) -> Sequence[str]:
        """Runs whose open question is older than its time; not locked."""
        query = (
            select(ApprovalRow.run_id)
            .where(ApprovalRow.state == "open", ApprovalRow.expires_at <= moment)
            .order_by(ApprovalRow.run_id)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()
