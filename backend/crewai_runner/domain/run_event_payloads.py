"""What each type of event carries as `data`."""

from typing import Any, Literal

from pydantic import Field

from crewai_runner.core.wire import Wire
from crewai_runner.domain.budget import Budget, BudgetLimit
from crewai_runner.domain.run import RunFailure, StopMode, StopReceipt, WaitReason
from crewai_runner.domain.usage import Usage


class Nothing(Wire):
    """An event whose type says it all."""


class RunQueuedData(Wire):
    workflow_id: str | None
    attempt: int
    reason: Literal["started", "retried", "resumed", "forked", "answered", "handed-back"]


class RunStartedData(Wire):
    attempt: int
    engine: str = Field(description="The engine and its version.")
    native: bool = Field(description="False: the stock executor runs; stops reach the provider late.")


class RunWaitingData(Wire):
    reason: WaitReason
    approval_id: str | None = None


class RunStoppingData(Wire):
    mode: StopMode
    by: str


class RunCompletedData(Wire):
    raw: str
    usage: Usage


class RunFailedData(Wire):
    error: RunFailure
    usage: Usage


class RunStoppedData(Wire):
    receipt: StopReceipt
    usage: Usage


class TaskStartedData(Wire):
    description: str


class TaskCompletedData(Wire):
    raw: str
    json_output: Any | None = None


class TaskFailedData(Wire):
    error: RunFailure


class AgentStartedData(Wire):
    tools: list[str] = Field(default_factory=list)


class AgentCompletedData(Wire):
    output: str


class AgentFailedData(Wire):
    message: str


class LlmStartedData(Wire):
    call_id: str
    call: int = Field(description="Number of the call within the run, from 1.")
    model: str
    messages: int = Field(description="How many messages were sent.")
    prompt: str | None = Field(None, description="The last message sent, shortened.")


class LlmChunkData(Wire):
    call_id: str
    text: str


class LlmCompletedData(Wire):
    call_id: str
    call: int
    model: str
    text: str
    tool_calls: list[str] = Field(default_factory=list, description="Names of the tools asked for.")
    usage: Usage
    duration_ms: int
    finish_reason: str | None = None


class LlmFailedData(Wire):
    call_id: str
    call: int
    model: str
    error: RunFailure
    duration_ms: int
    will_retry: bool | None = None


class ToolStartedData(Wire):
    tool: str
    tool_call_id: str
    arguments: Any | None = None


class ToolCompletedData(Wire):
    tool: str
    tool_call_id: str
    output: str
    from_cache: bool = False
    duration_ms: int


class ToolFailedData(Wire):
    tool: str
    tool_call_id: str
    message: str
    duration_ms: int


class DelegationStartedData(Wire):
    to: str
    tool_call_id: str
    request: str


class DelegationCompletedData(Wire):
    to: str
    tool_call_id: str
    output: str


class GuardrailData(Wire):
    guardrail: str | None = None
    retry: int = 0
    message: str | None = None


class MessageQueuedData(Wire):
    message_id: str
    text: str
    addressed_to: str | None = None


class MessageDeliveredData(Wire):
    message_id: str
    call: int


class MessageAnsweredData(Wire):
    message_id: str
    text: str
    by: Literal["agent", "live-state", "result"]


class ApprovalRequestedData(Wire):
    approval_id: str
    output: str


class ApprovalResolvedData(Wire):
    approval_id: str
    action: Literal["approve", "reject", "revise"]
    feedback: str | None = None
    by: str


class ApprovalExpiredData(Wire):
    approval_id: str


class BudgetData(Wire):
    limit: BudgetLimit
    budget: Budget
    usage: Usage
    seconds: float


class ArtifactSavedData(Wire):
    name: str
    media_type: str
    size: int = Field(description="Bytes.")


class WarningRaisedData(Wire):
    code: str
    message: str
