"""The catalogue's tools as CrewAI's, able to be cut short when their run is stopped."""

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
from crewai_runner.domain.tools import ARGUMENTS, LONGEST_WAIT_SECONDS, TOOLS
from crewai_runner.executor.crew import scene
from crewai_runner.executor.crew.calls import beside
from crewai_runner.executor.crew.web import read_web

Work = Callable[..., Awaitable[str]]


class UnknownTool(ValueError):
    """A tool that is not in the catalogue."""


class RegisteredTool(BaseTool):
    """One tool of the catalogue. `work` is the tool itself; it holds no thread of its own."""

    work: Any = Field(exclude=True, repr=False)

    def _run(self, **arguments: Any) -> str:
        """For the engine's threads: wait for the work, which a stop of the run cuts short."""
        doing = self.work(**arguments)
        at_work = scene.attempt.get()
        if at_work is not None:
            return str(at_work.wait_for(doing, beside()))
        return str(asyncio.run_coroutine_threadsafe(doing, beside()).result())

    async def _arun(self, **arguments: Any) -> str:
        return str(await self.work(**arguments))


def make_tools(names: Sequence[str], *, egress: EgressPolicy | None = None) -> list[BaseTool]:
    """New tools by name, for one agent or task, each name once. Raises UnknownTool.

    `egress` is where network tools may go; by default public addresses alone.
    """
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        raise UnknownTool(f"There is no tool {', '.join(unknown)}. There are: {', '.join(sorted(TOOLS))}.")
    works = _works(egress or EgressPolicy(allow_private=False))
    return [_made(name, works[name]) for name in dict.fromkeys(names)]


def _made(name: str, work: Work) -> BaseTool:
    described = TOOLS[name]
    return RegisteredTool(
        name=name,
        description=described.description,
        args_schema=ARGUMENTS[name],
        cache_function=_same_again if name == "calculator" else _never_again,
        work=work,
    )


def _same_again(_arguments: Any = None, _result: Any = None) -> bool:
    return True


def _never_again(_arguments: Any = None, _result: Any = None) -> bool:
    return False


def _works(egress: EgressPolicy) -> Mapping[str, Work]:
    async def http_get(url: str) -> str:
        return await read_web(url, egress)

    return MappingProxyType(
        {"calculator": _calculator, "current_time": _current_time, "http_get": http_get, "wait": _wait}
    )


async def _calculator(expression: str) -> str:
    return str(calculate(expression))


async def _current_time(zone: str | None = None) -> str:
    name = zone or "UTC"
    try:
        there = now().astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"There is no time zone {name}; write it like Europe/Berlin.") from None
    return f"{there:%A}, {there.isoformat(timespec='seconds')} ({name})"


async def _wait(seconds: float) -> str:
    bounded = min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
    await asyncio.sleep(bounded)
    return f"Waited {bounded:g} seconds."
