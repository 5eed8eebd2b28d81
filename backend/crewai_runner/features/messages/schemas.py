"""API shapes of messages to a run."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel


class MessageState(StrEnum):
    QUEUED = "queued"
    DELIVERED = "delivered"
    ANSWERED = "answered"


class MessageRead(ApiModel):
    """A person's message and what became of it."""

    id: str
    run_id: str
    text: str
    agent: str | None = Field(description="Key of the agent it is for; null = whoever is at work.")
    status: MessageState
    call: int | None = Field(description="Number of the model call that carried it.")
    delivered_to: str | None
    answer: str | None
    answered_by: Literal["agent", "live-state", "result"] | None
    created_by: str
    created_at: datetime
    delivered_at: datetime | None
    answered_at: datetime | None


class MessageList(ApiModel):
    messages: list[MessageRead]
