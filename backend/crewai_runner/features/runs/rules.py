"""Derives changes to a run's rows from its events, and compares JSON values. Pure."""

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
    """New values of one task row; None leaves the stored value unchanged."""

    state: TaskState
    agent: str | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(slots=True)
class RunChanges:
    """The changes of one batch: usage to add, task changes by key, and ended model calls."""

    usage: Usage = field(default_factory=Usage)
    tasks: dict[str, TaskChange] = field(default_factory=dict)
    calls: list[LlmCompleted | LlmFailed] = field(default_factory=list)


def collect_changes(events: Iterable[RunEvent]) -> RunChanges:
    """Combine events, given in order, into the changes they make."""
    changes = RunChanges()
    for event in events:
        _add_usage(changes, event)
        if event.task_key is not None and (change := _to_task_change(event)) is not None:
            before = changes.tasks.get(event.task_key)
            if before is not None:
                change.agent = change.agent or before.agent
                change.started_at = change.started_at or before.started_at
            changes.tasks[event.task_key] = change
    return changes


def _add_usage(changes: RunChanges, event: RunEvent) -> None:
    match event:
        case LlmCompleted() | LlmFailed():
            changes.calls.append(event)
            changes.usage = changes.usage.plus(event.data.usage)
        case ToolCompleted() | ToolFailed():
            changes.usage = changes.usage.model_copy(update={"tool_calls": changes.usage.tool_calls + 1})
        case _:
            pass


def _to_task_change(event: RunEvent) -> TaskChange | None:
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


def build_counter_columns(total: Usage) -> dict[str, Any]:
    """Return the usage columns of a run for its new `total`."""
    return _build_token_and_cost_columns(total) | {
        "llm_calls": total.llm_calls,
        "tool_calls": total.tool_calls,
        "calls_without_usage": total.calls_without_usage,
        "calls_without_cost": total.calls_without_cost,
    }


def build_call_columns(run_id: str, call: LlmCompleted | LlmFailed) -> dict[str, Any]:
    """Return the row of an ended model call."""
    return _build_token_and_cost_columns(call.data.usage) | {
        "run_id": run_id,
        "seq": call.seq,
        "task_key": call.task_key,
        "agent": call.agent,
        "model": call.data.model,
        "duration_ms": call.data.duration_ms,
        "at": call.at,
    }


def _build_token_and_cost_columns(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cached_tokens": usage.cached_tokens,
        "total_tokens": usage.total_tokens,
        "cost_amount": usage.cost.amount if usage.cost else None,
        "cost_currency": usage.cost.currency if usage.cost else None,
    }


def build_task_columns(run_id: str, key: str, change: TaskChange) -> dict[str, Any]:
    """Return the columns to set in a task row; values of an earlier attempt are cleared."""
    optional = ("agent", "result", "error", "started_at", "finished_at")
    new_values = {name: value for name in optional if (value := getattr(change, name)) is not None}
    cleared: dict[str, Any] = {}
    if change.state is TaskState.RUNNING:
        cleared = {"result": None, "error": None, "finished_at": None}
    elif change.state in (TaskState.COMPLETED, TaskState.REUSED):
        cleared = {"error": None}
    return {"run_id": run_id, "key": key, "state": change.state} | cleared | new_values


def sum_usage(parts: Iterable[tuple[str | None, Usage]]) -> dict[str, Usage]:
    """Return the sum of the usages of each key; None becomes an empty key."""
    sums: dict[str, Usage] = {}
    for key, usage in parts:
        sums[key or ""] = sums.get(key or "", Usage()).plus(usage)
    return sums


def find_differences(a: Any, b: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Return (path, value in a, value in b) where two JSON values differ, ordered by path."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted(a.keys() | b.keys())
        return [d for key in keys for d in find_differences(a.get(key), b.get(key), f"{path}/{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = enumerate(zip(a, b, strict=True))
        return [d for i, (x, y) in pairs for d in find_differences(x, y, f"{path}/{i}")]
    return [] if a == b else [(path or "/", a, b)]
