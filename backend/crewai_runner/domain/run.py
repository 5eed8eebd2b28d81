"""The states of a run, the transitions between them, and the results of runs and tasks."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.errors import Conflict
from crewai_runner.core.outside_values import Identifier


class RunState(StrEnum):
    """The state of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPING = "stopping"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    CRASHED = "crashed"


class TaskState(StrEnum):
    """The state of a task within a run."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class WaitReason(StrEnum):
    """What a waiting run waits for."""

    HUMAN_INPUT = "human-input"
    BUDGET = "budget"


class StopMode(StrEnum):
    """When a run stops: immediately, or after the current step."""

    NOW = "now"
    AFTER_STEP = "after-step"


S = RunState
FINAL_STATES: frozenset[RunState] = frozenset({S.COMPLETED, S.FAILED, S.STOPPED, S.CRASHED})
ACTIVE_STATES: frozenset[RunState] = frozenset({S.RUNNING, S.STOPPING})
"""The states in which a worker executes the run."""

# A requested stop overrides any later outcome of the crew: `stopping` only leads to `stopped`.
# `running -> queued` happens when a worker returns a run to the queue.
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
    title = "Not allowed in the run's current state"


def can_transition(state: RunState, to: RunState) -> bool:
    """Return whether the transition is allowed. Final states except `completed` lead to `queued` (resume)."""
    return to in TRANSITIONS[state]


def transition(state: RunState, to: RunState) -> RunState:
    """Return the new state. Raises IllegalTransition if the transition is not allowed."""
    if not can_transition(state, to):
        raise IllegalTransition(f"A {state} run cannot become {to}.", state=state)
    return to


class StopReceipt(ApiModel):
    """The effect of a stop, including on calls to the model provider."""

    requested_at: datetime
    stopped_at: datetime
    mode: Identifier = Field(
        description="`graceful`: all work ended. `killed`: some work was abandoned; see `abandoned`."
    )
    llm_calls_in_flight: int = Field(
        description="Model calls that were in flight at the stop and were closed."
    )
    llm_calls_after_stop: int = Field(description="Model calls that started after the stop was requested.")
    tasks_completed: int
    tasks_interrupted: int = Field(0, description="Tasks that were running; a resume executes them again.")
    tasks_skipped: int
    abandoned: list[str] = Field(
        default_factory=list,
        description="Work that could not be interrupted: it finishes on its own and its result is discarded.",
    )


class RunFailure(ApiModel):
    """Why a run or a task failed, for people."""

    code: Identifier = Field(
        description="A stable slug such as `provider-auth`, `provider-rate-limit`, `timeout`."
    )
    message: str = Field(description="What happened, with provider and cause.")
    hint: str | None = Field(None, description="What to do about it.")
    task_key: Identifier | None = None
    agent: Identifier | None = None
    provider: str | None = None


class TaskResult(ApiModel):
    """The output of a task."""

    raw: str
    json_output: Any | None = Field(None, description="Parsed output of a task with structured output.")
    agent: Identifier | None = None


class RunResult(ApiModel):
    """The output of a run: that of its last task, and the outputs of all tasks by key."""

    raw: str
    json_output: Any | None = None
    tasks: dict[str, TaskResult] = Field(default_factory=dict)
