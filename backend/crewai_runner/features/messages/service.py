"""User messages to runs, with their delivery and answers."""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.tables.runs import MessageRow
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered, RunEvent
from crewai_runner.features.messages.repository import MessageRepository
from crewai_runner.features.messages.schemas import MessageRead, MessageState, to_message_read


class MessageService:
    def __init__(self, session: AsyncSession) -> None:
        self._messages = MessageRepository(session)

    def create(self, run_id: str, text: str, agent: str | None, created_by: str) -> MessageRow:
        message = MessageRow(
            id=new_id(Prefix.MESSAGE),
            run_id=run_id,
            text=text,
            agent=agent,
            state=MessageState.QUEUED,
            created_by=created_by,
        )
        self._messages.add(message)
        return message

    async def get(self, message_id: str, run_id: str) -> MessageRow | None:
        return await self._messages.get(message_id, run_id)

    async def list_queued(self, run_id: str) -> Sequence[MessageRow]:
        """Return the messages that no agent has received yet, oldest first."""
        return await self._messages.list_for_run(run_id, MessageState.QUEUED)

    async def list_for_run(self, run_id: str) -> list[MessageRead]:
        return [to_message_read(row) for row in await self._messages.list_for_run(run_id)]

    async def apply_events(self, events: Iterable[RunEvent]) -> None:
        """Update messages from delivery and answer events; events about unknown messages are ignored."""
        for event in events:
            if not isinstance(event, MessageDelivered | MessageAnswered):
                continue
            message = await self._messages.get(event.data.message_id, event.run_id)
            if message is None:
                continue
            if isinstance(event, MessageAnswered):
                mark_answered(message, event.data.text, event.data.by)
            elif message.state == MessageState.QUEUED:
                message.state, message.call = MessageState.DELIVERED, event.data.call
                message.delivered_to, message.delivered_at = event.agent, event.at


def mark_answered(message: MessageRow, text: str, answered_by: str) -> None:
    message.state, message.answer, message.answered_by = MessageState.ANSWERED, text, answered_by
    message.answered_at = now()
