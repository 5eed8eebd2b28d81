"""API schemas of messages to a run, and their construction from database rows."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.db.tables.runs import MessageRow


class MessageState(StrEnum):
    """Where a message is on its way. `undelivered` and `unanswered`: the run ended first."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    UNDELIVERED = "undelivered"
    UNANSWERED = "unanswered"


OPEN_STATES = (MessageState.QUEUED, MessageState.DELIVERED)
"""The messages that the end of a run closes."""


class MessageRead(ApiModel):
    """A user's message to a run, with its delivery and answer."""

    id: str
    run_id: str
    text: str
    agent: str | None = Field(description="Key of the addressed agent; null: the agent currently working.")
    status: MessageState
    call: int | None = Field(description="Number of the model call that included the message.")
    task_key: str | None = Field(description="The task in which the agent received the message.")
    delivered_to: str | None
    answer: str | None
    answered_by: Literal["agent", "live-state", "result", "approval"] | None
    created_by: str
    created_by_name: str
    created_at: datetime
    delivered_at: datetime | None
    answered_at: datetime | None


class MessageList(ApiModel):
    messages: list[MessageRead]


def to_message_read(row: MessageRow) -> MessageRead:
    names = set(MessageRead.model_fields) - {"status"}
    fields = {name: getattr(row, name) for name in names}
    return MessageRead.model_validate(fields | {"status": row.state})
