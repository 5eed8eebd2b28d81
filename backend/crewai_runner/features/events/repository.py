"""Queries on stored events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import RunEventRow
from crewai_runner.domain.open_steps import ENDS, STARTS

_CALL_BEGUN = "llm.started"
_CALL_ENDED = ("llm.completed", "llm.failed")


class EventRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_call_frames(self, run_id: str) -> Sequence[str]:
        """Return the frames of the events of model calls, in order; none if every call has ended."""
        of_run = (RunEventRow.run_id == run_id, RunEventRow.type.in_((_CALL_BEGUN, *_CALL_ENDED)))
        begun = func.count().filter(RunEventRow.type == _CALL_BEGUN)
        begun_calls, events = (await self._session.execute(select(begun, func.count()).where(*of_run))).one()
        if events == 2 * begun_calls:
            return []
        query = select(RunEventRow.frame).where(*of_run).order_by(RunEventRow.seq)
        return (await self._session.scalars(query)).all()

    async def list_after(self, run_id: str, after: int, limit: int) -> Sequence[str]:
        """Return the frames of the events with a number above `after`, in order."""
        query = select(RunEventRow.frame).where(RunEventRow.run_id == run_id, RunEventRow.seq > after)
        return (await self._session.scalars(query.order_by(RunEventRow.seq).limit(limit))).all()

    async def find_last_seq(self, run_id: str, types: Sequence[str]) -> int | None:
        query = select(RunEventRow.seq).where(RunEventRow.run_id == run_id, RunEventRow.type.in_(types))
        return await self._session.scalar(query.order_by(RunEventRow.seq.desc()).limit(1))

    async def attach_connections(self, run_id: str, seq: int, connections: dict[str, Any]) -> None:
        """Store connections with an event that has none."""
        of_event = (RunEventRow.run_id == run_id, RunEventRow.seq == seq, RunEventRow.connections.is_(None))
        statement = update(RunEventRow).where(*of_event).values(connections=connections)
        await self._session.execute(statement.execution_options(synchronize_session=False))

    async def list_step_frames(self, run_id: str) -> Sequence[str]:
        """Return the frames of the events of tools, delegations and agents, in order.

        None if as many ended as started, which is usual and cheap to find out.
        """
        of_run = (RunEventRow.run_id == run_id, RunEventRow.type.in_(STARTS + ENDS))
        started = func.count().filter(RunEventRow.type.in_(STARTS))
        counts = (await self._session.execute(select(started, func.count()).where(*of_run))).one()
        if counts[1] == 2 * counts[0]:
            return []
        query = select(RunEventRow.frame).where(*of_run).order_by(RunEventRow.seq)
        return (await self._session.scalars(query)).all()
