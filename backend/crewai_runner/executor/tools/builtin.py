"""The built-in tools: their bindings, and the runner that calls them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crewai_runner.core.clock import now
from crewai_runner.domain.calculator import calculate
from crewai_runner.domain.tools import MAX_WAIT_SECONDS, TOOLS
from crewai_runner.executor.documents.document_reader import MAX_SECONDS
from crewai_runner.executor.tool_binding import CALL_SECONDS, ToolBinding, ToolEffect, ToolKind
from crewai_runner.executor.tools.file_tools import (
    list_files,
    read_file,
    read_pdf,
    read_table_rows,
    search_knowledge,
    write_file,
)
from crewai_runner.executor.tools.http_fetch import fetch_text
from crewai_runner.executor.tools.http_request import http_request
from crewai_runner.executor.tools.post_message import post_message
from crewai_runner.executor.tools.query_sql import query_sql
from crewai_runner.executor.tools.read_page import PAGE_SECONDS, read_page
from crewai_runner.executor.tools.runner import ToolContext
from crewai_runner.executor.tools.search.web_search import web_search
from crewai_runner.executor.tools.send_email import send_email

_Call = Callable[[ToolBinding, dict[str, Any], ToolContext], Awaitable[str]]
PARSER_SECONDS = MAX_SECONDS + 10
"""A parser in a child process ends before, with a reason."""
_PURE = frozenset({"calculator"})
_SECONDS: Mapping[str, float] = MappingProxyType(
    {
        "wait": MAX_WAIT_SECONDS + 10,
        "read_pdf": PARSER_SECONDS,
        "read_table": PARSER_SECONDS,
        "read_page": PAGE_SECONDS,
    }
)


def bind_builtin(name: str) -> ToolBinding:
    """Return the binding of a built-in tool. Raises KeyError for another name."""
    tool = TOOLS[name]
    return ToolBinding(
        name=name,
        model_name=name,
        kind=ToolKind.BUILTIN,
        title=tool.title,
        description=tool.description,
        parameters=tool.parameters,
        effect=ToolEffect.WRITE if tool.writes else ToolEffect.READ,
        is_pure=name in _PURE,
        timeout_seconds=_SECONDS.get(name, CALL_SECONDS),
    )


def bind_builtins(names: Collection[str]) -> dict[str, ToolBinding]:
    """Return the bindings of the built-in tools among the names."""
    return {name: bind_builtin(name) for name in names if name in TOOLS}


class BuiltinTools:
    """Calls the built-in tools."""

    async def run(self, binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
        return await _CALLS[binding.name](binding, arguments, context)


async def _calculator(_binding: ToolBinding, arguments: dict[str, Any], _context: ToolContext) -> str:
    return str(calculate(arguments["expression"]))


async def _current_time(_binding: ToolBinding, arguments: dict[str, Any], _context: ToolContext) -> str:
    name = arguments.get("zone") or "UTC"
    try:
        local_time = now().astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"There is no time zone {name}; use a name such as Europe/Berlin.") from None
    return f"{local_time:%A}, {local_time.isoformat(timespec='seconds')} ({name})"


async def _http_get(_binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
    return await fetch_text(arguments["url"], context.egress.pages)


async def _wait(_binding: ToolBinding, arguments: dict[str, Any], _context: ToolContext) -> str:
    bounded = min(max(arguments["seconds"], 0.0), MAX_WAIT_SECONDS)
    await asyncio.sleep(bounded)
    return f"Waited {bounded:g} seconds."


_CALLS: Mapping[str, _Call] = MappingProxyType(
    {
        "calculator": _calculator,
        "current_time": _current_time,
        "http_get": _http_get,
        "list_files": list_files,
        "read_file": read_file,
        "query_sql": query_sql,
        "read_page": read_page,
        "read_pdf": read_pdf,
        "read_table": read_table_rows,
        "search_knowledge": search_knowledge,
        "write_file": write_file,
        "http_request": http_request,
        "post_message": post_message,
        "send_email": send_email,
        "wait": _wait,
        "web_search": web_search,
    }
)
