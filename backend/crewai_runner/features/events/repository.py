"""Queries on stored events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import RunEventRow


class EventRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_all(self, rows: list[dict[str, Any]]) -> None:
        await self._session.execute(insert(RunEventRow), rows)

    async def list_after(self, run_id: str, seq: int, limit: int) -> Sequence[Row[int, str, str]]:
        """Return (seq, type, frame) of the events with a number above `seq`, in order."""
        query = (
            select(RunEventRow.seq, RunEventRow.type, RunEventRow.frame)
            .where(RunEventRow.run_id == run_id, RunEventRow.seq > seq)
            .order_by(RunEventRow.seq)
            .limit(limit)
        )
        return (await self._session.execute(query)).all()
