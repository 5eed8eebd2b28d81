"""The events of a run. They are stored first, then sent to readers.

Every class has its own `type`; together they form the discriminated union `RunEvent`.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from crewai_runner.domain import run_event_payloads as payloads
from crewai_runner.domain.base_event import Event


class RunQueued(Event):
    type: Literal["run.queued"] = "run.queued"
    data: payloads.RunQueuedData


class RunStarted(Event):
    type: Literal["run.started"] = "run.started"
    data: payloads.RunStartedData


class RunWaiting(Event):
    type: Literal["run.waiting"] = "run.waiting"
    data: payloads.RunWaitingData


class RunResumed(Event):
    type: Literal["run.resumed"] = "run.resumed"
    data: payloads.RunStartedData


class RunStopping(Event):
    type: Literal["run.stopping"] = "run.stopping"
    data: payloads.RunStoppingData


class RunCompleted(Event):
    type: Literal["run.completed"] = "run.completed"
    data: payloads.RunCompletedData


class RunFailed(Event):
    type: Literal["run.failed"] = "run.failed"
    data: payloads.RunFailedData


class RunStopped(Event):
    type: Literal["run.stopped"] = "run.stopped"
    data: payloads.RunStoppedData


class RunCrashed(Event):
    type: Literal["run.crashed"] = "run.crashed"
    data: payloads.RunFailedData


class TaskStarted(Event):
    type: Literal["task.started"] = "task.started"
    data: payloads.TaskStartedData


class TaskCompleted(Event):
    type: Literal["task.completed"] = "task.completed"
    data: payloads.TaskCompletedData


class TaskFailed(Event):
    type: Literal["task.failed"] = "task.failed"
    data: payloads.TaskFailedData


class TaskInterrupted(Event):
    type: Literal["task.interrupted"] = "task.interrupted"
    data: payloads.TaskInterruptedData


class TaskSkipped(Event):
    type: Literal["task.skipped"] = "task.skipped"
    data: payloads.EmptyData = Field(default_factory=payloads.EmptyData)


class TaskReused(Event):
    """The stored output of an earlier attempt is used; the task is not executed again."""

    type: Literal["task.reused"] = "task.reused"
    data: payloads.TaskCompletedData


class AgentStarted(Event):
    type: Literal["agent.started"] = "agent.started"
    data: payloads.AgentStartedData


class AgentCompleted(Event):
    type: Literal["agent.completed"] = "agent.completed"
    data: payloads.AgentCompletedData


class AgentFailed(Event):
    type: Literal["agent.failed"] = "agent.failed"
    data: payloads.AgentFailedData


class LlmStarted(Event):
    type: Literal["llm.started"] = "llm.started"
    data: payloads.LlmStartedData


class LlmChunk(Event):
    """A piece of model output, streamed live and not stored; it has no `seq`."""

    type: Literal["llm.chunk"] = "llm.chunk"
    data: payloads.LlmChunkData


class LlmCompleted(Event):
    type: Literal["llm.completed"] = "llm.completed"
    data: payloads.LlmCompletedData


class LlmFailed(Event):
    type: Literal["llm.failed"] = "llm.failed"
    data: payloads.LlmFailedData


class ToolStarted(Event):
    type: Literal["tool.started"] = "tool.started"
    data: payloads.ToolStartedData


class ToolProgressed(Event):
    """What a tool reports while it runs; not every report becomes an event."""

    type: Literal["tool.progress"] = "tool.progress"
    data: payloads.ToolProgressData


class ToolCompleted(Event):
    type: Literal["tool.completed"] = "tool.completed"
    data: payloads.ToolCompletedData


class ToolFailed(Event):
    type: Literal["tool.failed"] = "tool.failed"
    data: payloads.ToolFailedData


class DelegationStarted(Event):
    type: Literal["delegation.started"] = "delegation.started"
    data: payloads.DelegationStartedData


class DelegationCompleted(Event):
    type: Literal["delegation.completed"] = "delegation.completed"
    data: payloads.DelegationCompletedData


class DelegationFailed(Event):
    type: Literal["delegation.failed"] = "delegation.failed"
    data: payloads.DelegationFailedData


class GuardrailPassed(Event):
    type: Literal["guardrail.passed"] = "guardrail.passed"
    data: payloads.GuardrailData


class GuardrailFailed(Event):
    type: Literal["guardrail.failed"] = "guardrail.failed"
    data: payloads.GuardrailData


class MessageQueued(Event):
    type: Literal["message.queued"] = "message.queued"
    data: payloads.MessageQueuedData


class MessageDelivered(Event):
    type: Literal["message.delivered"] = "message.delivered"
    data: payloads.MessageDeliveredData


class MessageAnswered(Event):
    type: Literal["message.answered"] = "message.answered"
    data: payloads.MessageAnsweredData


class MessageClosed(Event):
    """The run ended without an answer to the message. A resume queues it again."""

    type: Literal["message.closed"] = "message.closed"
    data: payloads.MessageClosedData


class ApprovalRequested(Event):
    type: Literal["approval.requested"] = "approval.requested"
    data: payloads.ApprovalRequestedData


class ApprovalResolved(Event):
    type: Literal["approval.resolved"] = "approval.resolved"
    data: payloads.ApprovalResolvedData


class ApprovalExpired(Event):
    type: Literal["approval.expired"] = "approval.expired"
    data: payloads.ApprovalExpiredData


class ApprovalCancelled(Event):
    type: Literal["approval.cancelled"] = "approval.cancelled"
    data: payloads.ApprovalCancelledData


class BudgetWarned(Event):
    type: Literal["budget.warned"] = "budget.warned"
    data: payloads.BudgetData


class BudgetExceeded(Event):
    type: Literal["budget.exceeded"] = "budget.exceeded"
    data: payloads.BudgetData


class ArtifactSaved(Event):
    type: Literal["artifact.saved"] = "artifact.saved"
    data: payloads.ArtifactSavedData


class LogLine(Event):
    """A line that the code of a project printed."""

    type: Literal["log.line"] = "log.line"
    data: payloads.LogLineData


class WarningRaised(Event):
    type: Literal["warning.raised"] = "warning.raised"
    data: payloads.WarningRaisedData


RunEvent = Annotated[
    RunQueued
    | RunStarted
    | RunWaiting
    | RunResumed
    | RunStopping
    | RunCompleted
    | RunFailed
    | RunStopped
    | RunCrashed
    | TaskStarted
    | TaskCompleted
    | TaskFailed
    | TaskInterrupted
    | TaskSkipped
    | TaskReused
    | AgentStarted
    | AgentCompleted
    | AgentFailed
    | LlmStarted
    | LlmChunk
    | LlmCompleted
    | LlmFailed
    | ToolStarted
    | ToolProgressed
    | ToolCompleted
    | ToolFailed
    | DelegationStarted
    | DelegationCompleted
    | DelegationFailed
    | GuardrailPassed
    | GuardrailFailed
    | MessageQueued
    | MessageDelivered
    | MessageAnswered
    | MessageClosed
    | ApprovalRequested
    | ApprovalResolved
    | ApprovalExpired
    | ApprovalCancelled
    | BudgetWarned
    | BudgetExceeded
    | ArtifactSaved
    | LogLine
    | WarningRaised,
    Field(discriminator="type"),
]

RUN_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)
FINAL_EVENT_TYPES = frozenset({"run.completed", "run.failed", "run.stopped", "run.crashed"})
