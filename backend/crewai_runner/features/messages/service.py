"""User messages to runs, with their delivery and answers."""

from collections.abc import Container
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.runs import MessageRow
from crewai_runner.domain.run_event_payloads import MessageClosedData, MessageQueuedData
from crewai_runner.domain.run_events import MessageClosed, MessageQueued, RunEvent
from crewai_runner.features.messages.repository import MessageRepository
from crewai_runner.features.messages.schemas import OPEN_STATES, MessageRead, MessageState, to_message_read
from crewai_runner.features.messages.writes import build_answer_columns


class MessageService:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._messages = MessageRepository(session)

    def create(
        self,
        run_id: str,
        text: str,
        agent: str | None,
        created_by: str,
        state: MessageState = MessageState.QUEUED,
    ) -> MessageRow:
        message = MessageRow(
            id=new_id(Prefix.MESSAGE),
            run_id=run_id,
            text=text,
            agent=agent,
            state=state,
            created_by=created_by,
        )
        self._messages.add(message)
        return message

    async def get(self, message_id: str, run_id: str) -> MessageRow | None:
        return await self._messages.get(message_id, run_id)

    async def list_for_run(self, run_id: str) -> list[MessageRead]:
        rows = await self._messages.list_for_run(run_id)
        await load_subject_names(self._session, rows)
        return [to_message_read(row) for row in rows]

    async def close_unanswered(self, run_id: str) -> list[RunEvent]:
        """The run ends: close the messages that no agent answered, and return the events that say so."""
        return [
            MessageClosed(
                task_key=message.task_key,
                agent=message.agent,
                data=MessageClosedData(message_id=message.id, status=_close(message)),
            )
            for message in await self._messages.list_in_states(run_id, *OPEN_STATES)
        ]

    async def requeue_unanswered(self, run_id: str, finished_tasks: Container[str | None]) -> list[RunEvent]:
        """A further attempt begins: queue the messages that no agent answered, and return their events.

        Not those that agents received in a task that is finished, which is not executed again.
        """
        events: list[RunEvent] = []
        for message in await self._messages.list_in_states(run_id, *_REQUEUED_STATES):
            if message.task_key is not None and message.task_key in finished_tasks:
                continue
            if message.state == MessageState.UNANSWERED and message.delivered_at is None:
                continue  # a question to the ended run, not to its agents
            message.state = MessageState.QUEUED
            message.call = message.task_key = message.delivered_to = message.delivered_at = None
            data = MessageQueuedData(
                message_id=message.id, text=message.text, addressed_to=message.agent, redelivery=True
            )
            events.append(MessageQueued(agent=message.agent, data=data))
        return events


_CLOSED_STATE: dict[str, Literal["undelivered", "unanswered"]] = {
    MessageState.QUEUED: "undelivered",
    MessageState.DELIVERED: "unanswered",
}
_REQUEUED_STATES = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.UNANSWERED)


def _close(message: MessageRow) -> Literal["undelivered", "unanswered"]:
    state = _CLOSED_STATE[message.state]
    message.state = MessageState(state)
    return state


def mark_answered(message: MessageRow, text: str, answered_by: str) -> None:
    for name, value in build_answer_columns(text, answered_by).items():
        setattr(message, name, value)
