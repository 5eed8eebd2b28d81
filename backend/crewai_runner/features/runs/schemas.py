"""API shapes of runs."""

from datetime import datetime
from typing import Any

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import (
    RunFailure,
    RunResult,
    RunState,
    StopReceipt,
    TaskResult,
    TaskState,
    WaitReason,
)
from crewai_runner.domain.usage import Usage
from crewai_runner.domain.workflow import WorkflowDefinition


class RunSummary(ApiModel):
    """A run in a list."""

    id: str
    workflow_id: str | None
    workflow_version: int | None
    workflow_name: str
    status: RunState
    wait_reason: WaitReason | None
    attempt: int
    usage: Usage
    error: RunFailure | None
    metadata: dict[str, Any]
    seconds_at_work: float
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunRead(RunSummary):
    """One run, whole."""

    definition: WorkflowDefinition
    inputs: dict[str, Any]
    budget: Budget
    result: RunResult | None
    receipt: StopReceipt | None
    forked_from: str | None
    last_seq: int = Field(description="The newest event's number.")
    queued_because: str | None = Field(None, description="Why a queued run has not begun.")
    version: int


class RunGlance(ApiModel):
    """As much of a run as fits beside its workflow."""

    id: str
    status: RunState
    workflow_name: str
    seconds: float | None
    created_at: datetime
    finished_at: datetime | None


class RunPage(ApiModel):
    runs: list[RunSummary]
    next_cursor: str | None


class RunsDeleted(ApiModel):
    deleted: int


class RunTaskRead(ApiModel):
    key: str
    agent: str | None
    status: TaskState
    result: TaskResult | None
    error: RunFailure | None
    started_at: datetime | None
    finished_at: datetime | None


class RunTaskList(ApiModel):
    tasks: list[RunTaskRead]


class TaskUsage(ApiModel):
    task_key: str | None
    agent: str | None
    model: str
    usage: Usage


class LlmCallRead(ApiModel):
    seq: int = Field(description="The event that ended the call.")
    task_key: str | None
    agent: str | None
    model: str
    usage: Usage
    duration_ms: int
    at: datetime


class RunUsage(ApiModel):
    """Usage of a run, split; the calls sum to the total."""

    total: Usage
    by_task: dict[str, Usage]
    by_agent: dict[str, Usage]
    by_model: dict[str, Usage]
    calls: list[LlmCallRead]


class ArtifactRead(ApiModel):
    name: str
    task_key: str
    media_type: str
    size: int = Field(description="Bytes.")
    created_at: datetime


class ArtifactList(ApiModel):
    artifacts: list[ArtifactRead]


class Change(ApiModel):
    path: str
    a: Any | None
    b: Any | None


class RunDiff(ApiModel):
    """Two runs side by side: what differs, and the figures of both."""

    a: RunSummary
    b: RunSummary
    definition: list[Change]
    inputs: list[Change]
    outputs: list[Change]
