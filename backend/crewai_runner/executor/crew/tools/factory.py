"""Creates CrewAI tools from the catalog in `domain.tools`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crewai.tools import BaseTool
from pydantic import Field

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.calculator import calculate
from crewai_runner.domain.tools import ARGUMENTS, MAX_WAIT_SECONDS, TOOLS
from crewai_runner.executor.crew.context.background_loop import background_loop
from crewai_runner.executor.crew.context.run_context import current_run
from crewai_runner.executor.crew.tools.http_fetch import fetch_text

ToolFunction = Callable[..., Awaitable[str]]
_CACHEABLE = frozenset({"calculator"})


class UnknownTool(ValueError):
    """The tool is not in the catalog."""


class CatalogTool(BaseTool):
    """A tool of the catalog. `function` is a coroutine function, so that a stop can cancel it."""

    function: Any = Field(exclude=True, repr=False)

    def _run(self, **arguments: Any) -> str:
        """Run the function in the background loop; CrewAI calls tools in threads."""
        work = self.function(**arguments)
        run = current_run.get()
        if run is not None:
            return str(run.run_blocking(work, background_loop()))
        return str(asyncio.run_coroutine_threadsafe(work, background_loop()).result())

    async def _arun(self, **arguments: Any) -> str:
        return str(await self.function(**arguments))


def make_tools(names: Sequence[str], *, egress: EgressPolicy | None = None) -> list[BaseTool]:
    """Create the named tools for one agent or task; duplicate names are ignored. Raises UnknownTool.

    `egress` restricts the network tools (default: public addresses only).
    """
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        known = ", ".join(sorted(TOOLS))
        raise UnknownTool(f"Unknown tool {', '.join(unknown)}. Available tools: {known}.")
    functions = _tool_functions(egress or EgressPolicy(allow_private=False))
    return [_make_tool(name, functions[name]) for name in dict.fromkeys(names)]


def _make_tool(name: str, function: ToolFunction) -> BaseTool:
    return CatalogTool(
        name=name,
        description=TOOLS[name].description,
        args_schema=ARGUMENTS[name],
        cache_function=_cache_always if name in _CACHEABLE else _cache_never,
        function=function,
    )


# CrewAI warns of cache functions that are not defined at module level.
def _cache_always(_arguments: Any = None, _result: Any = None) -> bool:
    return True


def _cache_never(_arguments: Any = None, _result: Any = None) -> bool:
    return False


def _tool_functions(egress: EgressPolicy) -> Mapping[str, ToolFunction]:
    async def http_get(url: str) -> str:
        return await fetch_text(url, egress)

    return MappingProxyType(
        {"calculator": _calculator, "current_time": _current_time, "http_get": http_get, "wait": _wait}
    )


async def _calculator(expression: str) -> str:
    return str(calculate(expression))


async def _current_time(zone: str | None = None) -> str:
    name = zone or "UTC"
    try:
        local_time = now().astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"There is no time zone {name}; use a name such as Europe/Berlin.") from None
    return f"{local_time:%A}, {local_time.isoformat(timespec='seconds')} ({name})"


async def _wait(seconds: float) -> str:
    bounded = min(max(seconds, 0.0), MAX_WAIT_SECONDS)
    await asyncio.sleep(bounded)
    return f"Waited {bounded:g} seconds."
