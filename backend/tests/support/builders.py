"""Builders of workflow definitions and run events for tests."""

from typing import Any

from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import (
    LlmCompletedData,
    LlmFailedData,
    TaskCompletedData,
    TaskStartedData,
)
from crewai_runner.domain.run_events import LlmCompleted, LlmFailed, TaskCompleted, TaskStarted
from crewai_runner.domain.usage import Cost, Usage
from crewai_runner.domain.workflow import AgentDefinition, TaskDefinition, WorkflowDefinition

FAILURE = RunFailure(code="provider-auth", message="refused", task_key="research")


def definition(name: str = "Tea", **changes: Any) -> WorkflowDefinition:
    """A definition of two agents with one task each; keyword arguments replace fields."""
    given: dict[str, Any] = {
        "agents": [
            AgentDefinition(key=key, role=key, goal="good", backstory="old")
            for key in ("researcher", "writer")
        ],
        "tasks": [task("research", "researcher"), task("report", "writer")],
    }
    return WorkflowDefinition(name=name, **given | changes)


def task(key: str, agent: str | None = "writer", **changes: Any) -> TaskDefinition:
    return TaskDefinition(key=key, description=f"Do {key}", expected_output="text", agent=agent, **changes)


def started(key: str, agent: str | None = None) -> TaskStarted:
    return TaskStarted(task_key=key, agent=agent, data=TaskStartedData(description="d"))


def completed(key: str, raw: str = "done", agent: str | None = None) -> TaskCompleted:
    return TaskCompleted(task_key=key, agent=agent, data=TaskCompletedData(raw=raw))


def call(
    tokens: int | None = 10, cost: str | None = "0.5", key: str = "research", agent: str = "researcher"
) -> LlmCompleted:
    """A completed model call; half of the tokens are prompt tokens."""
    half = None if tokens is None else tokens // 2
    rest = None if tokens is None or half is None else tokens - half
    price = None if cost is None else Cost(amount=cost, currency="USD")
    usage = Usage.of_call(half, rest, 0, tokens, price)
    data = LlmCompletedData(call_id="c", call=1, model="m", text="t", usage=usage, duration_ms=5)
    return LlmCompleted(task_key=key, agent=agent, data=data)


def failed_call(key: str = "research") -> LlmFailed:
    error = RunFailure(code="provider-auth", message="no")
    return LlmFailed(
        task_key=key, data=LlmFailedData(call_id="c", call=1, model="m", error=error, duration_ms=5)
    )
