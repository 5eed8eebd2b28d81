"""Reports agents and tools in versions of crewai without the event bus of `event_bus.py`.

Their first event bus (0.105 to 0.165) has no tool starts and no tool outputs, so it is not used.
"""

import functools
import sys
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from .channel import channel
from .json_values import parse_arguments, to_name, to_text
from .langchain_models import AGENT_MODELS, accept_langchain_models
from .task_patches import find_task_key
from .tool_calls import ToolCalls

_active: ContextVar[tuple[int, ...]] = ContextVar("crewai_runner_active", default=())
_tool_calls = ToolCalls()


def patch_agents(module: ModuleType) -> None:
    accept_langchain_models(module.Agent, AGENT_MODELS)
    if _has_event_bus():
        return
    agent = module.Agent
    execute = agent.execute_task

    @functools.wraps(execute)
    def execute_task(self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        if id(self) in _active.get():
            return execute(self, task, *args, **kwargs)  # a retry calls the method again
        fields = {"task_key": find_task_key(getattr(task, "id", None)), "agent": to_name(self.role)}
        tools = (args[1] if len(args) > 1 else kwargs.get("tools")) or self.tools or ()
        names = [to_name(getattr(tool, "name", "")) for tool in tools]
        channel.send("agent.started", **fields, tools=names[:100])
        token = _active.set((*_active.get(), id(self)))
        try:
            output = execute(self, task, *args, **kwargs)
        except BaseException as error:
            channel.send("agent.failed", **fields, message=to_text(error, 8000))
            raise
        finally:
            _active.reset(token)
        channel.send("agent.completed", **fields, output=to_text(output))
        return output

    agent.execute_task = execute_task


def patch_tools(module: ModuleType) -> None:
    if _has_event_bus():
        return
    usage = module.ToolUsage
    use, on_error = usage._use, usage.on_tool_error

    @functools.wraps(on_error)
    def on_tool_error(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.__dict__["_runner_error"] = kwargs.get("e") or args[-1]
        return on_error(self, *args, **kwargs)

    @functools.wraps(use)
    def use_tool(self: Any, tool_string: str, tool: Any, calling: Any) -> Any:
        if id(self) in _active.get():
            return use(self, tool_string=tool_string, tool=tool, calling=calling)  # a retry
        task = getattr(self, "task", None)
        role = to_name(getattr(getattr(self, "agent", None), "role", ""))
        fields = {"task_key": find_task_key(getattr(task, "id", None)), "agent": role}
        name, arguments = to_name(tool.name), parse_arguments(calling.arguments)
        _tool_calls.start(fields, name, arguments)
        token = _active.set((*_active.get(), id(self)))
        try:
            output = use(self, tool_string=tool_string, tool=tool, calling=calling)
        except BaseException as error:
            _tool_calls.fail(fields, name, arguments, error)
            raise
        finally:
            _active.reset(token)
        last_error = self.__dict__.pop("_runner_error", None)
        if last_error is not None and self._run_attempts > self._max_parsing_attempts:
            _tool_calls.fail(fields, name, arguments, last_error)
        else:
            _tool_calls.complete(fields, name, arguments, output, from_cache=False)
        return output

    usage._use, usage.on_tool_error = use_tool, on_tool_error


def _has_event_bus() -> bool:
    """Return whether this crewai has the event bus of `event_bus.py`, without importing it."""
    package = Path(sys.modules["crewai"].__file__ or "").parent
    return (package / "events" / "event_bus.py").exists()
