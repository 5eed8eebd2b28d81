"""Creates CrewAI tools from the bindings of a run."""

import asyncio
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from crewai.tools import BaseTool
from crewai.tools.tool_failure import ToolFailure
from pydantic import Field

from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.context.background_loop import background_loop
from crewai_runner.executor.crew.context.exceptions import AttemptEnded
from crewai_runner.executor.crew.context.run_context import current_run, current_task, current_tool_call
from crewai_runner.executor.crew.tools.arguments_schema import make_arguments_schema
from crewai_runner.executor.port import Failed, NeedsHuman
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tool_requests import ToolRequest
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.gate import ToolRequestExpired, ToolWaitOver
from crewai_runner.executor.tools.progress import OnProgress
from crewai_runner.executor.tools.runner import CallOrigin, ToolCallFailed


class UnknownTool(ValueError):
    """The run has no binding for a tool."""


class CallFailure(ToolFailure):
    """A failed call. It is returned and not raised: CrewAI repeats a call that raises, up to six times."""

    def as_agent_message(self) -> str:
        return f"Error executing tool: {self.message}"


class CatalogTool(BaseTool):
    """A tool of the run for one agent or task; `calls` is the only way in which it does anything."""

    binding: Any = Field(exclude=True, repr=False)
    calls: Any = Field(exclude=True, repr=False)

    def _run(self, **arguments: Any) -> str | CallFailure:
        """Call the tool in the background loop, so that a stop can cancel it; CrewAI calls in threads."""
        work = self._call(arguments)
        run = current_run.get()
        result: str | CallFailure = (
            asyncio.run_coroutine_threadsafe(work, background_loop()).result()
            if run is None
            else run.run_blocking(work, background_loop())
        )
        return result

    async def _arun(self, **arguments: Any) -> str | CallFailure:
        return await self._call(arguments)

    async def _call(self, arguments: Mapping[str, Any]) -> str | CallFailure:
        calls: ToolCalls = self.calls
        try:
            return await calls.call(self.binding, arguments, _read_origin(), _make_reporter())
        except ToolCallFailed as error:
            return CallFailure(message=str(error))
        except ToolWaitOver as over:
            asked = over.request
            waits = NeedsHuman(asked.task_key or "", asked.agent or "", "", tool_call=asked.key)
            raise AttemptEnded(waits) from over
        except ToolRequestExpired as expired:
            raise AttemptEnded(Failed(_expiry_failure(expired.request))) from expired


def make_tools(names: Sequence[str], bindings: Mapping[str, ToolBinding], calls: ToolCalls) -> list[BaseTool]:
    """Create the named tools for one agent or task; duplicate names are ignored. Raises UnknownTool."""
    unknown = [name for name in names if name not in bindings]
    if unknown:
        known = ", ".join(sorted(bindings)) or "none"
        raise UnknownTool(f"Unknown tool {', '.join(unknown)}. Available tools: {known}.")
    return [_make_tool(bindings[name], calls) for name in dict.fromkeys(names)]


def _make_tool(binding: ToolBinding, calls: ToolCalls) -> BaseTool:
    return CatalogTool(
        name=binding.model_name,
        description=binding.description,
        args_schema=make_arguments_schema(binding),
        cache_function=_cache_results if binding.is_pure else _cache_never,
        binding=binding,
        calls=calls,
    )


def _expiry_failure(request: ToolRequest) -> RunFailure:
    subject = f"The approval request for a call of {request.tool}"
    if request.question is not None:
        subject = f"A question of {request.tool}"
    return RunFailure(
        code="approval-expired",
        message=f"{subject} was not resolved in time.",
        hint="Resume the run to request approval again; APPROVAL_EXPIRES_HOURS sets the time limit.",
        task_key=request.task_key,
        agent=request.agent,
    )


def _read_origin() -> CallOrigin:
    run, task = current_run.get(), current_task.get()
    return CallOrigin(
        run_id=None if run is None else run.run_id,
        task_key=task.task_key,
        agent=task.agent,
        tool_call_id=current_tool_call.get(),
    )


def _make_reporter() -> OnProgress | None:
    """Return what reports the progress of the current call; reports come from another thread."""
    run, call_id = current_run.get(), current_tool_call.get()
    return None if run is None else functools.partial(run.emit_tool_progress, call_id)


# CrewAI warns of cache functions that are not defined at module level.
def _cache_results(_arguments: Any = None, result: Any = None) -> bool:
    return isinstance(result, str)


def _cache_never(_arguments: Any = None, _result: Any = None) -> bool:
    return False
