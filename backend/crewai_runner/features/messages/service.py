"""Messages to runs, and the receipts that the crew's events give them."""

from collections.abc import Iterable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.tables.runs import MessageRow
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered, RunEvent
from crewai_runner.features.messages.repository import MessageRepository
from crewai_runner.features.messages.schemas import MessageRead, MessageState


class MessageService:
    def __init__(self, session: AsyncSession) -> None:
        self._messages = MessageRepository(session)

    def create(self, run_id: str, text: str, agent: str | None, by: str) -> MessageRow:
        message = MessageRow(
            id=new_id(Prefix.MESSAGE),
            run_id=run_id,
            text=text,
            agent=agent,
            state=MessageState.QUEUED,
            created_by=by,
        )
        self._messages.add(message)
        return message

    async def get(self, message_id: str, run_id: str) -> MessageRow | None:
        return await self._messages.get(message_id, run_id)

    async def queued(self, run_id: str) -> Sequence[MessageRow]:
        """Messages that no agent has heard yet, oldest first."""
        return await self._messages.of_run(run_id, MessageState.QUEUED)

    async def of_run(self, run_id: str) -> list[MessageRead]:
        return [read(row) for row in await self._messages.of_run(run_id)]

    async def apply(self, events: Iterable[RunEvent]) -> None:
        """Write the receipts that these events bring."""
        for event in events:
            if isinstance(event, MessageDelivered):
                await self._delivered(event)
            elif isinstance(event, MessageAnswered):
                await self._answered(event)

    async def _delivered(self, event: MessageDelivered) -> None:
        message = await self._messages.get(event.data.message_id, event.run_id)
        if message is not None and message.state == MessageState.QUEUED:
            message.state, message.call = MessageState.DELIVERED, event.data.call
            message.delivered_to, message.delivered_at = event.agent, event.at

    async def _answered(self, event: MessageAnswered) -> None:
        message = await self._messages.get(event.data.message_id, event.run_id)
        if message is not None:
            answer(message, event.data.text, event.data.by)


def answer(message: MessageRow, text: str, by: str) -> None:
    message.state, message.answer, message.answered_by = MessageState.ANSWERED, text, by
    message.answered_at = now()


def read(row: MessageRow) -> MessageRead:
    same = set(MessageRead.model_fields) - {"status"}
    fields = {name: getattr(row, name) for name in same}
    return MessageRead.model_validate(fields | {"status": row.state})
