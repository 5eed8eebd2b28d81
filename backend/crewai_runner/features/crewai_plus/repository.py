"""Queries on runs that are executed elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.tables.runs import RunRow, RunSpanRow, RunTaskRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run import RunState


class ExternalRunRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, execution_uuid: str, workspace_id: str) -> RunRow | None:
        query = select(RunRow).where(
            RunRow.workspace_id == workspace_id, RunRow.execution_uuid == execution_uuid
        )
        return await self._session.scalar(query)

    async def list_silent(self, before: datetime, limit: int) -> Sequence[str]:
        """Return the ids of unfinished runs, of every workspace, whose last report is older than `before`."""
        query = (
            select(RunRow.id)
            # Names the workspaces, so that the index of unfinished runs is used.
            .where(RunRow.workspace_id.in_(select(WorkspaceRow.id)), RunRow.state == RunState.RUNNING)
            .where(RunRow.finished_at.is_(None), RunRow.execution_uuid.is_not(None))
            .where(RunRow.attempt_started_at < before)
            .limit(limit)
        )
        return (await self._session.scalars(query)).all()

    async def add_spans(self, run_id: str, span_ids: Sequence[str]) -> set[str]:
        """Store the ids of received spans; return those that were not stored before."""
        added = set()
        for span_id in span_ids:
            row = {"run_id": run_id, "span_id": span_id}
            statement = insert_if_absent(self._session, RunSpanRow, row).returning(RunSpanRow.span_id)
            if (await self._session.execute(statement)).scalar() is not None:
                added.add(span_id)
        return added

    async def get_task(self, run_id: str, key: str) -> RunTaskRow | None:
        return await self._session.get(RunTaskRow, (run_id, key))

    async def add_task(self, task: RunTaskRow) -> None:
        self._session.add(task)
        await self._session.flush()
