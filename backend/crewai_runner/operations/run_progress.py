"""The progress of a run in a terminal: a line per step."""

from collections.abc import Iterator, Mapping
from typing import Any

from crewai_runner.client import Event

_STEPS: Mapping[str, str] = {
    "run.queued": "Queued",
    "run.started": "Started",
    "run.resumed": "Resumed",
    "run.stopping": "Stopping",
    "run.completed": "Completed",
    "run.stopped": "Stopped",
    "run.crashed": "Crashed",
    "task.started": "{task}: started",
    "task.completed": "{task}: completed",
    "task.failed": "{task}: failed",
    "task.skipped": "{task}: skipped",
    "task.reused": "{task}: reused from an earlier attempt",
    "tool.started": "{agent} calls {tool}",
    "tool.failed": "{tool} failed: {message}",
    "llm.completed": "{agent}: {model} answered",
    "llm.failed": "{model} failed: {message}",
    "approval.requested": "Waiting for a person: {url}",
    "budget.warned": "Most of the budget is spent",
    "budget.exceeded": "Budget exceeded",
    "run.failed": "Failed: {message}",
    "warning.raised": "Warning: {message}",
    "log.line": "{text}",
}


def describe_events(events: Iterator[Event], url: str) -> Iterator[str]:
    """Yield a line for each event that says something to a reader; `url`: the run's page."""
    for event in events:
        if (template := _STEPS.get(event.type)) is not None:
            yield f"{_format_time(event)} {template.format_map(_Fields(_read_fields(event, url)))}"


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _read_fields(event: Event, url: str) -> dict[str, str]:
    fields: dict[str, Any] = {"task": event.task_key, "agent": event.agent, "url": url}
    error = event.data.get("error")
    fields["message"] = (
        error.get("message") if isinstance(error, dict) else error or event.data.get("message")
    )
    fields |= {name: event.data.get(name) for name in ("tool", "model", "text")}
    return {name: str(value) for name, value in fields.items() if value is not None}


def _format_time(event: Event) -> str:
    """The local time of day of an event."""
    return f"{event.at.astimezone():%H:%M:%S}" if event.at is not None else " " * 8
