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

    async def list_for_run(
        self, run_id: str, state: str | None = None, limit: int = 500
    ) -> Sequence[MessageRow]:
        """Return the oldest `limit` messages of a run, optionally in one state, oldest first."""
        query = select(MessageRow).where(MessageRow.run_id == run_id)
        if state is not None:
            query = query.where(MessageRow.state == state)
        return (await self._session.scalars(query.order_by(MessageRow.id).limit(limit))).all()
