"""Queries on approval requests."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.people import PersonRow
from crewai_runner.db.tables.runs import ApprovalRow
from crewai_runner.features.approvals.rules import TOOL_KINDS

_HOLDS = ApprovalRow.kind.not_in(TOOL_KINDS)


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
        """Return the open request that the run waits for, locked; not one for a call of a tool."""
        query = select(ApprovalRow).where(ApprovalRow.run_id == run_id, ApprovalRow.state == "open", _HOLDS)
        return await self._session.scalar(query.with_for_update().execution_options(populate_existing=True))

    async def get_open(self, run_id: str, workspace_id: str) -> ApprovalRow | None:
        """Return the open request that the run waits for, not locked; not one for a call of a tool."""
        query = select(ApprovalRow).where(
            ApprovalRow.workspace_id == workspace_id, ApprovalRow.state == "open", _HOLDS
        )
        return await self._session.scalar(query.where(ApprovalRow.run_id == run_id))

    async def get_newest(self, run_id: str) -> ApprovalRow | None:
        """Return the latest request that the run waited for; not one for a call of a tool."""
        query = (
            select(ApprovalRow).where(ApprovalRow.run_id == run_id, _HOLDS).order_by(ApprovalRow.id.desc())
        )
        return await self._session.scalar(query.limit(1))

    async def get_tool_call(self, run_id: str, key: str) -> ApprovalRow | None:
        """Return the latest request for a call of a tool, or of its question."""
        query = select(ApprovalRow).where(
            ApprovalRow.run_id == run_id, ApprovalRow.question_hash == key, ApprovalRow.kind.in_(TOOL_KINDS)
        )
        return await self._session.scalar(query.order_by(ApprovalRow.id.desc()).limit(1))

    async def is_allowed_for_run(self, run_id: str, tool: str) -> bool:
        """Whether a person has allowed all later calls of a tool in the run."""
        query = select(ApprovalRow.id).where(
            ApprovalRow.run_id == run_id,
            ApprovalRow.tool == tool,
            ApprovalRow.state == "approved",
            ApprovalRow.for_run.is_(True),
        )
        return await self._session.scalar(query.limit(1)) is not None

    async def lock_open_tool_calls(self, run_id: str) -> Sequence[ApprovalRow]:
        """Return the open requests of a run for calls of tools, and their questions, locked."""
        query = select(ApprovalRow).where(
            ApprovalRow.run_id == run_id, ApprovalRow.state == "open", ApprovalRow.kind.in_(TOOL_KINDS)
        )
        query = query.order_by(ApprovalRow.id).with_for_update().execution_options(populate_existing=True)
        return (await self._session.scalars(query)).all()

    async def get_name(self, person_id: str | None) -> str | None:
        """Return the name of someone who is, or was, on this server."""
        if person_id is None:
            return None
        return await self._session.scalar(select(PersonRow.name).where(PersonRow.id == person_id))

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
