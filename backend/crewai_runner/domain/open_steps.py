"""Ends the steps that an attempt left open when it was cut off or its worker died. Pure."""

from collections.abc import Iterable

from crewai_runner.domain.run_event_payloads import AgentFailedData, DelegationFailedData, ToolFailedData
from crewai_runner.domain.run_events import (
    AgentCompleted,
    AgentFailed,
    AgentStarted,
    DelegationCompleted,
    DelegationFailed,
    DelegationStarted,
    RunEvent,
    ToolCompleted,
    ToolFailed,
    ToolStarted,
)

STARTS = ("tool.started", "delegation.started", "agent.started")
ENDS = (
    "tool.completed",
    "tool.failed",
    "delegation.completed",
    "delegation.failed",
    "agent.completed",
    "agent.failed",
)
CUT_OFF = "Cut off: the attempt ended."
_Key = tuple[str, str | None, str | None]


def end_open_steps(events: Iterable[RunEvent]) -> list[RunEvent]:
    """Return an end event for each tool, delegation and agent that started and has not ended, last first."""
    open_steps: list[tuple[_Key, RunEvent]] = []
    for event in events:
        key = _key(event)
        if key is None:
            continue
        if event.type in STARTS:
            open_steps.append((key, event))
            continue
        found = next((step for step in reversed(open_steps) if step[0] == key), None)
        if found is not None:
            open_steps.remove(found)
    return [_end(event) for _, event in reversed(open_steps)]


def _key(event: RunEvent) -> _Key | None:
    match event:
        case ToolStarted() | ToolCompleted() | ToolFailed():
            return "tool", event.data.tool_call_id, None
        case DelegationStarted() | DelegationCompleted() | DelegationFailed():
            return "delegation", event.data.tool_call_id, None
        case AgentStarted() | AgentCompleted() | AgentFailed():
            return "agent", event.task_key, event.agent
        case _:
            return None


def _end(started: RunEvent) -> RunEvent:
    scope = {"task_key": started.task_key, "agent": started.agent}
    match started:
        case ToolStarted(data=data):
            failed = ToolFailedData(
                tool=data.tool, tool_call_id=data.tool_call_id, message=CUT_OFF, duration_ms=0, cut_off=True
            )
            return ToolFailed(**scope, data=failed)
        case DelegationStarted(data=data):
            failure = DelegationFailedData(
                to=data.to, tool_call_id=data.tool_call_id, message=CUT_OFF, cut_off=True
            )
            return DelegationFailed(**scope, data=failure)
        case _:
            return AgentFailed(**scope, data=AgentFailedData(message=CUT_OFF, cut_off=True))
