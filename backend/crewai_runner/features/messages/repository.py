"""Queries on messages."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import MessageRow


class MessageRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, message: MessageRow) -> None:
        self._session.add(message)

    async def get(self, message_id: str, run_id: str) -> MessageRow | None:
        message = await self._session.get(MessageRow, message_id, populate_existing=True)
        return message if message is not None and message.run_id == run_id else None

    async def list_for_run(self, run_id: str, limit: int = 500) -> Sequence[MessageRow]:
        """Return the oldest `limit` messages of a run, oldest first."""
        query = select(MessageRow).where(MessageRow.run_id == run_id)
        return (await self._session.scalars(query.order_by(MessageRow.id).limit(limit))).all()

    async def list_in_states(self, run_id: str, *states: str) -> Sequence[MessageRow]:
        """Return the run's messages in these states, oldest first."""
        query = select(MessageRow).where(MessageRow.run_id == run_id, MessageRow.state.in_(states))
        query = query.order_by(MessageRow.id).execution_options(populate_existing=True)
        return (await self._session.scalars(query)).all()
