"""Applies the events of running crews to messages, in a transaction of the transaction writer."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, update

from crewai_runner.core.clock import now
from crewai_runner.db.base import table_of
from crewai_runner.db.tables.runs import MessageRow
from crewai_runner.domain.run_events import MessageAnswered, MessageDelivered, RunEvent
from crewai_runner.features.messages.schemas import MessageState

_MESSAGES = table_of(MessageRow)


class MessageWrites:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def apply_events(self, events: Iterable[RunEvent]) -> None:
        """Update messages from delivery and answer events; events about unknown messages are ignored."""
        for event in events:
            match event:
                case MessageAnswered():
                    self._update(event, build_answer_columns(event.data.text, event.data.by))
                case MessageDelivered():
                    self._update(event, _build_delivery_columns(event), MessageState.QUEUED)

    def _update(
        self,
        event: MessageAnswered | MessageDelivered,
        columns: dict[str, Any],
        only_in_state: MessageState | None = None,
    ) -> None:
        statement = (
            update(_MESSAGES)
            .where(_MESSAGES.c.id == event.data.message_id, _MESSAGES.c.run_id == event.run_id)
            .values(columns)
        )
        if only_in_state is not None:
            statement = statement.where(_MESSAGES.c.state == only_in_state)
        self._connection.execute(statement)


def build_answer_columns(text: str, answered_by: str) -> dict[str, Any]:
    """Return the columns of a message that receives its answer now."""
    return {
        "state": MessageState.ANSWERED,
        "answer": text,
        "answered_by": answered_by,
        "answered_at": now(),
    }


def _build_delivery_columns(event: MessageDelivered) -> dict[str, Any]:
    return {
        "state": MessageState.DELIVERED,
        "call": event.data.call,
        "delivered_to": event.agent,
        "delivered_at": event.at,
        "task_key": event.task_key,
    }
