"""API schemas of chat with a run."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.clock import now
from crewai_runner.core.text import StorableText
from crewai_runner.domain.usage import Usage
from crewai_runner.features.messages.schemas import MessageRead, MessageState

MAX_MESSAGE_LENGTH = 20_000


class ChatRequest(ApiModel):
    """`workflowId` is a run id (`run_…`), or a workflow id (`wf_…`) for that workflow's newest run."""

    workflow_id: str = Field(max_length=64)
    message: StorableText = Field(min_length=1, max_length=MAX_MESSAGE_LENGTH, pattern=r"\S")
    agent: str | None = Field(None, max_length=200, description="Key or role of an agent, or `manager`.")


class MessageCreate(ApiModel):
    text: StorableText = Field(min_length=1, max_length=MAX_MESSAGE_LENGTH, pattern=r"\S")
    agent: str | None = Field(None, max_length=200, description="Key or role of an agent, or `manager`.")


class MessageAnswer(ApiModel):
    message: MessageRead


class AnswerSource(StrEnum):
    """Where the answer comes from."""

    AGENT = "agent"
    LIVE_STATE = "live-state"
    RESULT = "result"
    APPROVAL = "approval"


class MessageDelivery(ApiModel):
    """Delivery of the message: which agent received it, in which model call."""

    status: MessageState
    call: int | None = None
    agent: str | None = None


class ChatAnswer(ApiModel):
    """The answer to a message.

    `answeredBy` is `agent` for the agent itself, `live-state` or `result` for a model that read the run, and
    `approval` if the message resolved an approval request.
    """

    workflow_id: str
    run_id: str
    response: str
    timestamp: datetime
    message_id: str
    answered_by: AnswerSource
    delivery: MessageDelivery
    usage: Usage | None = Field(
        None,
        description="Usage of a separate model call for this answer; not part of the run's usage.",
    )


def to_chat_answer(message: MessageRead) -> ChatAnswer:
    return ChatAnswer(
        workflow_id=message.run_id,
        run_id=message.run_id,
        response=message.answer or "",
        timestamp=message.answered_at or now(),
        message_id=message.id,
        answered_by=AnswerSource(message.answered_by or AnswerSource.AGENT),
        delivery=to_delivery(message),
    )


def to_delivery(message: MessageRead) -> MessageDelivery:
    return MessageDelivery(status=message.status, call=message.call, agent=message.delivered_to)
