"""Queries on the webhooks of runs. Those of workers are not restricted to a workspace."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.run_webhooks import RunWebhookRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import RunState

MAX_FAILURES = 6
_OF_RUN = RunRow.id == RunWebhookRow.run_id


class WebhookRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: RunWebhookRow) -> None:
        self._session.add(row)
        await self._session.flush()

    async def get(self, run_id: str, workspace_id: str) -> RunWebhookRow | None:
        query = select(RunWebhookRow).where(
            RunWebhookRow.workspace_id == workspace_id, RunWebhookRow.run_id == run_id
        )
        return await self._session.scalar(query)

    async def get_for_worker(self, run_id: str) -> tuple[RunWebhookRow, RunRow] | None:
        query = select(RunWebhookRow, RunRow).join(RunRow, _OF_RUN).where(RunWebhookRow.run_id == run_id)
        found = (await self._session.execute(query)).one_or_none()
        return None if found is None else (found[0], found[1])

    async def has_any(self) -> bool:
        return bool(await self._session.scalar(select(exists(select(RunWebhookRow.run_id)))))

    async def list_due(self, at: datetime, limit: int) -> Sequence[str]:
        """Return the runs with events that may be sent now."""
        is_due = or_(RunWebhookRow.next_at.is_(None), RunWebhookRow.next_at <= at)
        query = select(RunWebhookRow.run_id).join(RunRow, _OF_RUN)
        query = query.where(
            RunRow.last_seq > RunWebhookRow.after_seq, RunWebhookRow.failures < MAX_FAILURES, is_due
        )
        return (await self._session.scalars(query.limit(limit))).all()

    async def claim(self, run_id: str, at: datetime, until: datetime) -> bool:
        """Reserve a run for this worker until a time; False if another worker has done so."""
        is_due = or_(RunWebhookRow.next_at.is_(None), RunWebhookRow.next_at <= at)
        statement = update(RunWebhookRow).where(RunWebhookRow.run_id == run_id, is_due)
        result = await self._session.execute(statement.values(next_at=until))
        return isinstance(result, CursorResult) and result.rowcount == 1

    async def release(
        self, run_id: str, after_seq: int, failures: int, next_at: datetime | None, error: str | None
    ) -> None:
        """Store how far a claimed run is delivered."""
        values = {"after_seq": after_seq, "failures": failures, "next_at": next_at, "error": error}
        statement = update(RunWebhookRow).where(RunWebhookRow.run_id == run_id)
        await self._session.execute(statement.values(**values))

    async def delete_finished(self, before: datetime) -> None:
        """Delete the webhooks of completed runs that are delivered, and of runs that ended before a time."""
        delivered = and_(RunRow.state == RunState.COMPLETED, RunRow.last_seq <= RunWebhookRow.after_seq)
        ended = or_(delivered, RunRow.finished_at < before)
        await self._session.execute(delete(RunWebhookRow).where(exists().where(_OF_RUN, ended)))
