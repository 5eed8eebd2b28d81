"""API schemas of runs, and their construction from database rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import Field
from sqlalchemy import Row

from crewai_runner.core.api_model import ApiModel
from crewai_runner.db.tables.runs import LlmCallRow, RunRow, RunTaskRow
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
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Cost, Usage, normalize_amount
from crewai_runner.domain.workflow import WorkflowDefinition

EVENTS_DELETED = (
    "When events of the run were deleted because of their age (`EVENTS_KEPT_DAYS`); null if all are stored."
)

CREATED_BY_NAME = "The name of the person or the API key; of someone removed, a pseudonym."

SelectedRow = Row[*tuple[Any, ...]]
"""A row of selected columns, whose types mypy cannot infer."""


class RunSummary(ApiModel):
    """A run in a list."""

    id: str
    workflow_id: str | None
    workflow_version: int | None
    workflow_name: str = Field(description="Of a project's run: the name of the project.")
    project_id: str | None = Field(description="The project whose code runs, instead of a workflow.")
    project_version: int | None
    status: RunState
    wait_reason: WaitReason | None
    attempt: int
    usage: Usage
    error: RunFailure | None
    metadata: dict[str, Any]
    seconds_at_work: float
    created_by: str
    created_by_name: str = Field(description=CREATED_BY_NAME)
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    external: bool = Field(description="Whether the run is executed elsewhere and only reports here.")


class RunRead(RunSummary):
    """One run with all its fields."""

    definition: WorkflowDefinition
    inputs: dict[str, Any]
    budget: Budget
    result: RunResult | None
    receipt: StopReceipt | None
    forked_from: str | None = Field(description="Null also once that run is deleted.")
    last_seq: int = Field(description="Sequence number of the newest event.")
    events_deleted_at: datetime | None = Field(None, description=EVENTS_DELETED)
    queued_because: str | None = Field(None, description="Why a queued run has not started.")
    version: int


class RunBrief(NamedTuple):
    """The columns of a run that a list of workflows shows."""

    id: str
    status: str
    active_seconds: float
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
    seq: int = Field(description="Sequence number of the event that ended the call.")
    task_key: str | None
    agent: str | None
    model: str
    usage: Usage
    duration_ms: int
    at: datetime


class RunUsage(ApiModel):
    """Usage of a run in total and by task, agent and model; the calls add up to the total."""

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
    """The differences between two runs, with the summary of each."""

    a: RunSummary
    b: RunSummary
    definition: list[Change]
    inputs: list[Change]
    outputs: list[Change]


def to_usage(row: RunRow | SelectedRow) -> Usage:
    """Combine the usage columns of a run."""
    return Usage(
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cached_tokens=row.cached_tokens,
        total_tokens=row.total_tokens,
        llm_calls=row.llm_calls,
        tool_calls=row.tool_calls,
        cost=_to_cost(row),
        calls_without_usage=row.calls_without_usage,
        calls_without_cost=row.calls_without_cost,
    )


def to_call_usage(row: LlmCallRow) -> Usage:
    """Combine the usage columns of a model call."""
    return Usage.of_call(
        row.prompt_tokens, row.completion_tokens, row.cached_tokens, row.total_tokens, _to_cost(row)
    )


def _to_cost(row: RunRow | LlmCallRow | SelectedRow) -> Cost | None:
    if row.cost_amount is None or not row.cost_currency:
        return None
    return Cost(amount=normalize_amount(row.cost_amount), currency=row.cost_currency)


def to_run_summary(run: RunRow) -> RunSummary:
    return RunSummary.model_validate(_summary_fields(run))


def to_run_read(run: RunRow, queued_because: str | None = None) -> RunRead:
    own = set(RunRead.model_fields) - set(RunSummary.model_fields) - {"queued_because"}
    fields = _summary_fields(run) | {name: getattr(run, name) for name in own}
    return RunRead.model_validate(fields | {"queued_because": queued_because})


def _summary_fields(row: RunRow) -> dict[str, Any]:
    renamed = {
        "status": row.state,
        "metadata": row.extra,
        "seconds_at_work": row.active_seconds,
        "usage": to_usage(row),
        "external": row.execution_uuid is not None,
    }
    return {name: getattr(row, name) for name in set(RunSummary.model_fields) - set(renamed)} | renamed


def to_run_task_read(row: RunTaskRow | SelectedRow) -> RunTaskRead:
    return RunTaskRead(
        key=row.key,
        agent=row.agent,
        status=TaskState(row.state),
        result=None if row.result is None else TaskResult.model_validate(row.result),
        error=None if row.error is None else RunFailure.model_validate(row.error),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def to_llm_call_read(row: LlmCallRow) -> LlmCallRead:
    return LlmCallRead(
        seq=row.seq,
        task_key=row.task_key,
        agent=row.agent,
        model=row.model,
        usage=to_call_usage(row),
        duration_ms=row.duration_ms,
        at=row.at,
    )


@dataclass(frozen=True, slots=True)
class LockedRun:
    """A finished run that this transaction has locked. `attempt` is the number of its last attempt."""

    id: str
    attempt: int

    @property
    def jobs(self) -> list[tuple[str, int]]:
        """The keys of all its attempts in the queue."""
        return [(self.id, attempt) for attempt in range(1, self.attempt + 1)]


@dataclass(frozen=True, slots=True)
class RunAttempt:
    """The current attempt of a run and its state."""

    run_id: str
    attempt: int
    state: RunState
    fencing_token: int

    @classmethod
    def of(cls, run: RunRow) -> "RunAttempt":
        return cls(run.id, run.attempt, RunState(run.state), run.fencing_token)

    @property
    def job(self) -> tuple[str, int]:
        """The attempt's key in the queue."""
        return self.run_id, self.attempt


@dataclass(frozen=True, slots=True)
class BatchChange:
    """What one batch of events changes in a run, locked and selected by `RunWrites.lock_many`."""

    row: SelectedRow
    events: Sequence[RunEvent]
    """The new events in order, numbered; without those that an earlier try has stored."""
    attempt_events: int
    """How many events the attempt has emitted up to the end of the batch."""
    active_seconds: float
    stored_bytes: int
    """What the new events store, less what they replace."""

    def progress(self) -> dict[str, Any]:
        """The run's columns to set, except for its usage."""
        return {
            "id": self.row.id,
            "last_seq": self.row.last_seq + len(self.events),
            "attempt_events": max(self.row.attempt_events, self.attempt_events),
            "active_seconds": max(self.row.active_seconds, self.active_seconds),
            "stored_bytes": self.row.stored_bytes + self.stored_bytes,
        }
