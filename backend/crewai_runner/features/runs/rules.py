"""What a batch of events changes in a run's record. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crewai_runner.domain.run import TaskState
from crewai_runner.domain.run_events import (
    LlmCompleted,
    LlmFailed,
    RunEvent,
    TaskCompleted,
    TaskFailed,
    TaskReused,
    TaskSkipped,
    TaskStarted,
    ToolCompleted,
    ToolFailed,
)
from crewai_runner.domain.usage import Usage


@dataclass(slots=True)
class TaskChange:
    """New values of one task's row; None leaves a value as it is."""

    state: TaskState
    agent: str | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(slots=True)
class RunChanges:
    usage: Usage = field(default_factory=Usage)
    tasks: dict[str, TaskChange] = field(default_factory=dict)
    calls: list[LlmCompleted] = field(default_factory=list)


def changes_of(events: Iterable[RunEvent]) -> RunChanges:
    """Fold events, in order, into the changes they make."""
    changes = RunChanges()
    for event in events:
        _count(changes, event)
        if event.task_key is not None and (change := _task_change(event)) is not None:
            before = changes.tasks.get(event.task_key)
            changes.tasks[event.task_key] = change if before is None else _merge(before, change)
    return changes


def _count(changes: RunChanges, event: RunEvent) -> None:
    match event:
        case LlmCompleted():
            changes.calls.append(event)
            changes.usage = changes.usage.plus(event.data.usage)
        case LlmFailed():
            changes.usage = changes.usage.model_copy(update={"llm_calls": changes.usage.llm_calls + 1})
        case ToolCompleted() | ToolFailed():
            changes.usage = changes.usage.model_copy(update={"tool_calls": changes.usage.tool_calls + 1})
        case _:
            pass


def _task_change(event: RunEvent) -> TaskChange | None:
    match event:
        case TaskStarted():
            return TaskChange(TaskState.RUNNING, event.agent, started_at=event.at)
        case TaskCompleted() | TaskReused():
            state = TaskState.COMPLETED if isinstance(event, TaskCompleted) else TaskState.REUSED
            result = {
                "raw": event.data.raw,
                "jsonOutput": event.data.json_output,
                "agent": event.agent,
            }
            return TaskChange(state, event.agent, result=result, finished_at=event.at)
        case TaskFailed():
            error = event.data.error.model_dump(mode="json", by_alias=True)
            return TaskChange(TaskState.FAILED, event.agent, error=error, finished_at=event.at)
        case TaskSkipped():
            return TaskChange(TaskState.SKIPPED)
        case _:
            return None


def _merge(before: TaskChange, after: TaskChange) -> TaskChange:
    after.agent = after.agent or before.agent
    after.started_at = after.started_at or before.started_at
    return after


def difference(a: Any, b: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Where two JSON values differ, as (path, value in a, value in b), in order of path."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted(a.keys() | b.keys())
        return [d for key in keys for d in difference(a.get(key), b.get(key), f"{path}/{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = enumerate(zip(a, b, strict=True))
        return [d for i, (x, y) in pairs for d in difference(x, y, f"{path}/{i}")]
    return [] if a == b else [(path or "/", a, b)]
