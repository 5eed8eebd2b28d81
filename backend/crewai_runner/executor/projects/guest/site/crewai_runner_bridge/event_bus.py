"""Reports agents and tools from crewai's event bus, which has all their fields from 0.177 on.

`emit` is patched, not subscribed to: handlers run in a pool from 1.0 on and lose their order.
"""

import contextlib
import functools
from types import ModuleType
from typing import Any

from .channel import channel
from .json_values import parse_arguments, to_name, to_text
from .task_patches import find_task_key
from .tool_calls import ToolCalls

_tool_calls = ToolCalls()


def patch_event_bus(module: ModuleType) -> None:
    bus = type(module.crewai_event_bus)
    emit = bus.emit

    @functools.wraps(emit)
    def reporting_emit(self: Any, source: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(Exception):
            report(source, event)
        return emit(self, source, event, *args, **kwargs)

    bus.emit = reporting_emit


def report(source: Any, event: Any) -> None:
    """Send the messages for an event; events of other types are ignored."""
    kind = getattr(event, "type", "")
    if kind.startswith(("agent_execution_", "lite_agent_execution_")):
        _report_agent(kind, event)
    elif kind in ("tool_usage_started", "tool_usage_finished", "tool_usage_error"):
        _report_tool(kind, source, event)


def _report_agent(kind: str, event: Any) -> None:
    agent = getattr(event, "agent", None)
    info = getattr(event, "agent_info", None) or {}
    task = getattr(event, "task", None)
    fields = {
        "task_key": find_task_key(getattr(task, "id", None)),
        "agent": to_name(getattr(agent, "role", None) or info.get("role") or ""),
    }
    if kind.endswith("_started"):
        tools = [to_name(getattr(tool, "name", "")) for tool in getattr(event, "tools", None) or ()]
        channel.send("agent.started", **fields, tools=tools[:100])
    elif kind.endswith("_completed"):
        channel.send("agent.completed", **fields, output=to_text(event.output))
    elif kind.endswith("_error"):
        channel.send("agent.failed", **fields, message=to_text(event.error, 8000))


def _report_tool(kind: str, source: Any, event: Any) -> None:
    agent = getattr(event, "agent", None) or getattr(source, "agent", None)
    task = getattr(source, "task", None)
    task_id = getattr(event, "task_id", None) or getattr(task, "id", None)
    fields = {
        "task_key": find_task_key(task_id),
        "agent": to_name(getattr(event, "agent_role", None) or getattr(agent, "role", "")),
    }
    tool, arguments = to_name(event.tool_name), parse_arguments(event.tool_args)
    if kind == "tool_usage_started":
        _tool_calls.start(fields, tool, arguments)
    elif kind == "tool_usage_finished":
        is_cached = bool(getattr(event, "from_cache", False))
        _tool_calls.complete(fields, tool, arguments, getattr(event, "output", ""), is_cached)
    else:
        _tool_calls.fail(fields, tool, arguments, event.error)
