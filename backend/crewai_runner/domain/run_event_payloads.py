"""The `data` of each event type."""

from typing import Any, Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.outside_values import Identifier
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.run import RunFailure, StopMode, StopReceipt, WaitReason
from crewai_runner.domain.usage import Usage


class EmptyData(ApiModel):
    """The data of an event without further fields."""


QueueReason = Literal["started", "retried", "resumed", "forked", "answered", "handed-back", "recovered"]


class RunQueuedData(ApiModel):
    workflow_id: str | None
    attempt: int
    reason: QueueReason


class RunStartedData(ApiModel):
    attempt: int
    engine: Identifier = Field(description="Name and version of the engine.")
    native: bool = Field(description="False: CrewAI's own agent executor is used; stops take effect later.")


class RunWaitingData(ApiModel):
    reason: WaitReason
    approval_id: str | None = None


class RunStoppingData(ApiModel):
    mode: StopMode
    by: Identifier


class RunCompletedData(ApiModel):
    raw: str
    usage: Usage


class RunFailedData(ApiModel):
    error: RunFailure
    usage: Usage


class RunStoppedData(ApiModel):
    receipt: StopReceipt
    usage: Usage


class TaskStartedData(ApiModel):
    description: str


class TaskCompletedData(ApiModel):
    raw: str
    json_output: Any | None = None


class TaskInterruptedData(ApiModel):
    """The attempt ended while the task was running; a further attempt executes it again."""

    reason: Literal["run-ended", "run-waiting", "worker-lost", "worker-restarted"]


class TaskFailedData(ApiModel):
    error: RunFailure


class AgentStartedData(ApiModel):
    tools: list[str] = Field(default_factory=list)


class AgentCompletedData(ApiModel):
    output: str


class AgentFailedData(ApiModel):
    message: str
    cut_off: bool = Field(False, description="True: the attempt ended first.")


class LlmStartedData(ApiModel):
    call_id: str
    call: int = Field(description="Number of the call within the run, from 1.")
    model: Identifier
    messages: int = Field(description="Number of messages sent.")
    prompt: str | None = Field(None, description="The last message sent, truncated.")


class LlmChunkData(ApiModel):
    call_id: str
    text: str
    replaces: bool = Field(
        False,
        description="Whether `text` replaces all earlier text of the call, which turned out to be reasoning.",
    )


class LlmCompletedData(ApiModel):
    call_id: str
    call: int
    model: Identifier
    text: str = Field(description="The model's answer, up to its first 256,000 characters.")
    text_length: int | None = Field(None, description="Characters of the whole answer.")
    is_truncated: bool = Field(
        False, description="Whether `text` is cut. `task.completed` holds a task's whole answer."
    )
    tool_calls: list[str] = Field(default_factory=list, description="Names of the requested tools.")
    usage: Usage
    duration_ms: int
    finish_reason: str | None = None


class LlmFailedData(ApiModel):
    call_id: str
    call: int
    model: Identifier
    error: RunFailure
    duration_ms: int
    usage: Usage = Field(
        default_factory=Usage.of_call, description="Unknown unless the provider reported it before."
    )
    will_retry: bool | None = Field(None, description="Whether the client sends the request again.")


class ToolStartedData(ApiModel):
    tool: str
    tool_call_id: str
    arguments: Any | None = None


class ToolProgressData(ApiModel):
    tool: str
    tool_call_id: str
    message: str = Field("", description="A line of the tool's server.")
    progress: float | None = Field(None, description="Counts up to `total`, in units of the tool's choice.")
    total: float | None = None


class ToolCompletedData(ApiModel):
    tool: str
    tool_call_id: str
    output: str
    from_cache: bool = False
    duration_ms: int


class ToolFailedData(ApiModel):
    tool: str
    tool_call_id: str
    message: str
    duration_ms: int
    cut_off: bool = Field(False, description="True: the attempt ended first.")


class DelegationStartedData(ApiModel):
    to: Identifier
    tool_call_id: str
    request: str


class DelegationCompletedData(ApiModel):
    to: Identifier
    tool_call_id: str
    output: str


class DelegationFailedData(ApiModel):
    to: Identifier
    tool_call_id: str
    message: str
    cut_off: bool = Field(False, description="True: the attempt ended first.")


class GuardrailData(ApiModel):
    guardrail: str | None = None
    retry: int = 0
    message: str | None = None


class MessageQueuedData(ApiModel):
    message_id: str
    text: str
    addressed_to: Identifier | None = None
    redelivery: bool = Field(
        False, description="True: an earlier attempt did not answer the message, which is delivered again."
    )


class MessageDeliveredData(ApiModel):
    message_id: str
    call: int


class MessageAnsweredData(ApiModel):
    message_id: str
    text: str
    by: Literal["agent", "live-state", "result", "approval"]


class MessageClosedData(ApiModel):
    """The run ended before an agent received (`undelivered`) or answered (`unanswered`) the message."""

    message_id: str
    status: Literal["undelivered", "unanswered"]


ApprovalKind = Literal["review", "question", "tool_call", "tool_question"]


class ApprovalRequestedData(ApiModel):
    approval_id: str
    kind: ApprovalKind = Field(
        "review",
        description="`question`: the code of a project asks for an answer. `tool_call`: an agent wants to "
        "call a tool. `tool_question`: a tool asks during a call; the run goes on with its other tasks.",
    )
    prompt: str = Field("", description="What the code or the tool asks.")
    output: str
    tool: str | None = Field(None, description="With `tool_call` and `tool_question`: the tool.")
    tool_call_id: Identifier | None = Field(None, description="As in `tool.started`.")
    arguments: dict[str, Any] | None = Field(None, description="Those that the agent wants to call it with.")


class ApprovalResolvedData(ApiModel):
    approval_id: str
    action: Literal["approve", "reject", "revise", "answer"]
    feedback: str | None = Field(None, description="The feedback, or the answer to a question.")
    by: Identifier
    edited_arguments: dict[str, Any] | None = Field(
        None, description="Those that replace the agent's, or the answer to a tool's question."
    )
    for_run: bool = Field(False, description="The later calls of the tool in this run are allowed as well.")


class ApprovalExpiredData(ApiModel):
    approval_id: str


class ApprovalCancelledData(ApiModel):
    """The run ended before a person answered. A resume requests approval of the same output again."""

    approval_id: str


class BudgetData(ApiModel):
    limit: BudgetLimit
    budget: Budget
    usage: Usage
    seconds: float


class ArtifactSavedData(ApiModel):
    name: str
    media_type: Identifier
    size: int = Field(description="Bytes.")


class LogLineData(ApiModel):
    stream: Literal["stdout", "stderr"]
    text: str = Field(description="At most 4,000 characters, without terminal control sequences.")


class WarningRaisedData(ApiModel):
    code: Identifier
    message: str
    host: str | None = Field(
        None, description="With `host-not-allowed`: the host that the project can be allowed to contact."
    )
