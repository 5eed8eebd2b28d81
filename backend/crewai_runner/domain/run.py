"""The life of a run, with one judge of which moves are lawful."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.errors import Conflict


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPING = "stopping"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    CRASHED = "crashed"


class TaskState(StrEnum):
    """Where a task of a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"


class WaitReason(StrEnum):
    """What a waiting run waits for."""

    HUMAN_INPUT = "human-input"
    BUDGET = "budget"


class StopMode(StrEnum):
    """How a stop is asked for: at once, or when the step at hand is done."""

    NOW = "now"
    AFTER_STEP = "after-step"


S = RunState
FINAL_STATES: frozenset[RunState] = frozenset({S.COMPLETED, S.FAILED, S.STOPPED, S.CRASHED})

# A stop that was asked for wins over whatever the crew still brings back: `stopping` ends in
# `stopped` alone. `running -> queued` is a resume after a worker was lost.
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    S.QUEUED: frozenset({S.RUNNING, S.STOPPED, S.FAILED, S.CRASHED}),
    S.RUNNING: frozenset({S.WAITING, S.STOPPING, S.COMPLETED, S.FAILED, S.STOPPED, S.CRASHED, S.QUEUED}),
    S.WAITING: frozenset({S.QUEUED, S.STOPPED, S.FAILED}),
    S.STOPPING: frozenset({S.STOPPED}),
    S.COMPLETED: frozenset(),
    S.FAILED: frozenset({S.QUEUED}),
    S.STOPPED: frozenset({S.QUEUED}),
    S.CRASHED: frozenset({S.QUEUED}),
}


class IllegalTransition(Conflict):
    slug = "illegal-run-state"
    title = "The run is not in a state that allows this"


def can_transition(state: RunState, to: RunState) -> bool:
    """The one judge. Final states other than `completed` may only be resumed (`queued`)."""
    return to in TRANSITIONS[state]


def transition(state: RunState, to: RunState) -> RunState:
    """The new state. Raises IllegalTransition when the judge says no."""
    if not can_transition(state, to):
        raise IllegalTransition(f"A {state} run cannot become {to}.", state=state)
    return to


class StopReceipt(ApiModel):
    """What a stop did, true at the provider's side."""

    requested_at: datetime
    stopped_at: datetime
    mode: str = Field(
        description="`graceful`: everything ended. `killed`: something was abandoned; see `abandoned`."
    )
    llm_calls_in_flight: int = Field(
        description="Model calls that were open when the stop came, and were closed."
    )
    llm_calls_after_stop: int = Field(description="Model calls that began after the stop was asked for.")
    tasks_completed: int
    tasks_skipped: int
    abandoned: list[str] = Field(
        default_factory=list,
        description="Work that could not be interrupted: it ends by itself and its result is dropped.",
    )


class RunFailure(ApiModel):
    """Why a run or a task failed, in words that help."""

    code: str = Field(description="A stable slug such as `provider-auth`, `provider-rate-limit`, `timeout`.")
    message: str = Field(description="What happened, naming provider and cause.")
    hint: str | None = Field(None, description="What to do about it.")
    task_key: str | None = None
    agent: str | None = None
    provider: str | None = None


class TaskResult(ApiModel):
    """What a task brought."""

    raw: str
    json_output: Any | None = Field(None, description="Parsed output of a task with structured output.")
    agent: str | None = None


class RunResult(ApiModel):
    """What a run brought: the last task's output and every task's."""

    raw: str
    json_output: Any | None = None
    tasks: dict[str, TaskResult] = Field(default_factory=dict)
