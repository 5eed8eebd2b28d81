"""Queries that delete finished runs, or only their events, in parts of a limited size."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, case, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from crewai_runner.core.clock import now
from crewai_runner.db.tables.runs import LlmCallRow, RunEventRow, RunRow
from crewai_runner.domain.run import FINAL_STATES
from crewai_runner.features.runs.schemas import LockedRun

GrowingRow = type[RunEventRow] | type[LlmCallRow]
_IS_FINISHED = RunRow.state.in_(FINAL_STATES)


class RunDeletionRepository:
    """Each `lock_…` method locks finished runs until the end of the transaction, oldest first."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock_finished(
        self, workspace_id: str, conditions: Sequence[ColumnElement[bool]], limit: int
    ) -> Sequence[LockedRun]:
        """Lock finished runs of a workspace; waits for runs that another transaction has locked."""
        query = select(RunRow.id, RunRow.attempt).where(
            RunRow.workspace_id == workspace_id, _IS_FINISHED, *conditions
        )
        rows = await self._session.execute(query.order_by(RunRow.id).limit(limit).with_for_update())
        return [LockedRun(*row) for row in rows]

    async def lock_finished_before(
        self, moment: datetime, limit: int, workspace_id: str | None = None
    ) -> Sequence[LockedRun]:
        """Lock runs that finished before `moment`, of one workspace or of any, without those locked by
        others.
        """
        own = () if workspace_id is None else (RunRow.workspace_id == workspace_id,)
        return await self._lock_older(RunRow.finished_at, moment, limit, *own)

    async def lock_with_events_before(self, moment: datetime, limit: int) -> Sequence[LockedRun]:
        """Lock runs of any workspace whose events all precede `moment`, without those locked by others."""
        return await self._lock_older(RunRow.events_ended_at, moment, limit)

    async def _lock_older(
        self,
        column: InstrumentedAttribute[datetime | None],
        moment: datetime,
        limit: int,
        *conditions: ColumnElement[bool],
    ) -> Sequence[LockedRun]:
        # The order makes the index of this column the cheapest one, also when most runs match.
        query = (
            select(RunRow.id, RunRow.attempt)
            .where(column.is_not(None), column < moment, _IS_FINISHED, *conditions)
            .order_by(column)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [LockedRun(*row) for row in await self._session.execute(query)]

    async def delete_events(self, run_id: str, limit: int) -> int:
        """Delete the first `limit` events of a run; returns how many it had."""
        return await self._delete_first(RunEventRow, run_id, limit)

    async def measure_events(self, run_id: str, limit: int) -> int:
        """Return the bytes of the first `limit` events of a run."""
        is_sqlite = self._session.get_bind().dialect.name == "sqlite"
        frame = RunEventRow.frame
        # SQLite counts characters of text; its `octet_length` needs version 3.43.
        size = func.length(cast(frame, LargeBinary)) if is_sqlite else func.octet_length(frame)
        of_run = select(size.label("size")).where(RunEventRow.run_id == run_id)
        first = of_run.order_by(RunEventRow.seq).limit(limit).subquery()
        return int(await self._session.scalar(select(func.coalesce(func.sum(first.c.size), 0))) or 0)

    async def delete_calls(self, run_id: str, limit: int) -> int:
        """Delete the first `limit` model calls of a run; returns how many it had."""
        return await self._delete_first(LlmCallRow, run_id, limit)

    async def _delete_first(self, table: GrowingRow, run_id: str, limit: int) -> int:
        of_run = table.run_id == run_id
        first = select(table.seq).where(of_run).order_by(table.seq).limit(limit).subquery()
        # A range of the primary key: comparing with a list would read all rows of the run each time.
        last_seq = select(func.max(first.c.seq)).scalar_subquery()
        statement = delete(table).where(of_run, table.seq <= last_seq)
        result = await self._session.execute(statement.execution_options(synchronize_session=False))
        return int(result.rowcount)  # type: ignore[attr-defined]  # the result of a DELETE is a CursorResult

    async def mark_events_deleted(self, run_id: str, *, are_all_deleted: bool, freed_bytes: int = 0) -> None:
        """Record that events of a run were deleted, whether that was all of them, and what they stored."""
        values: dict[str, Any] = {
            "events_deleted_at": now(),
            # The events of runs of earlier versions are not counted exactly.
            "stored_bytes": case(
                (RunRow.stored_bytes > freed_bytes, RunRow.stored_bytes - freed_bytes), else_=0
            ),
        }
        if are_all_deleted:
            values["events_ended_at"] = None
        await self._session.execute(update(RunRow).where(RunRow.id == run_id).values(values))

    async def delete_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the runs; the database cascades to every row that belongs to them."""
        options = {"synchronize_session": False}
        forks = update(RunRow).where(RunRow.forked_from.in_(run_ids)).values(forked_from=None)
        await self._session.execute(forks.execution_options(**options))
        runs = delete(RunRow).where(RunRow.id.in_(run_ids))
        await self._session.execute(runs.execution_options(**options))
