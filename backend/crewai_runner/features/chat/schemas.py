"""API shapes of talking to a run."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import StorableText
from crewai_runner.domain.usage import Usage
from crewai_runner.features.messages.schemas import MessageRead, MessageState

MAX_WORDS = 20_000


class ChatRequest(ApiModel):
    """`workflowId` is a `run_…`, or a `wf_…` for that workflow's newest run."""

    workflow_id: str = Field(max_length=64)
    message: StorableText = Field(min_length=1, max_length=MAX_WORDS, pattern=r"\S")
    agent: str | None = Field(None, max_length=200, description="Key of the agent it is for.")


class MessageCreate(ApiModel):
    text: StorableText = Field(min_length=1, max_length=MAX_WORDS, pattern=r"\S")
    agent: str | None = Field(None, max_length=200, description="Key of the agent it is for.")


class MessageAnswer(ApiModel):
    message: MessageRead


class Responder(StrEnum):
    """Who gave the answer."""

    AGENT = "agent"
    LIVE_STATE = "live-state"
    RESULT = "result"
    APPROVAL = "approval"


class Delivery(ApiModel):
    """What became of the message: which agent heard it in which model call."""

    status: MessageState
    call: int | None = None
    agent: str | None = None


class ChatAnswer(ApiModel):
    """The reply. `answeredBy` tells whether the agent itself, the run's live state or its result spoke."""

    workflow_id: str
    run_id: str
    response: str
    timestamp: datetime
    message_id: str
    answered_by: Responder
    delivery: Delivery
    usage: Usage | None = Field(
        None, description="Of the call that made this answer, when no agent gave it; not part of the run's."
    )
