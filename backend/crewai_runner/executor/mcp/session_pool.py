"""Connections to MCP servers, kept open between calls and shared by the runs of a process."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.executor.mcp.binding import McpServerBinding
from crewai_runner.executor.mcp.commands import CommandStarter
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.failures import (
    McpFailure,
    ServerBusy,
    ServerUnreachable,
    SessionEnded,
    ToolChanged,
    WrongEra,
)
from crewai_runner.executor.mcp.listener import OnNotice
from crewai_runner.executor.mcp.questions import OnQuestion

IDLE_SECONDS = 120.0
LIST_SECONDS = 60.0
"""How long a list of tools counts as current: a call checks that its tool is still the approved one."""
RETRY_SECONDS = (0.25, 1.0, 2.0)
MAX_WAIT_SECONDS = 5.0


@dataclass(slots=True)
class _Entry:
    """A connection with what it is used for; `lock` is held while it is opened or listed."""

    connection: McpConnection
    is_open: bool = False
    opened: int = 0
    """Counts the sessions: several calls may find that one has ended, and one of them opens the next."""
    digests: dict[str, str] = field(default_factory=dict)
    listed_at: float = float("-inf")
    used_at: float = 0.0
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def prepare(self) -> int:
        """Open the connection and read its list of tools where needed; return the number of the session."""
        async with self.lock:
            if not self.is_open:
                await self.connection.open()
                self.is_open, self.listed_at = True, float("-inf")
                self.opened += 1
            if time.monotonic() - self.listed_at > LIST_SECONDS:
                self.digests = {tool.name: tool.digest for tool in await self.connection.list_tools()}
                self.listed_at = time.monotonic()
            return self.opened


class McpSessionPool:
    """Calls tools. Belongs to one event loop; connections close after two minutes without a call."""

    def __init__(self, egress: EgressPolicy, commands: CommandStarter | None = None) -> None:
        self._egress, self._commands = egress, commands
        self._entries: dict[str, _Entry] = {}
        self._sweeper: asyncio.Task[None] | None = None

    async def call(
        self,
        binding: McpServerBinding,
        tool: str,
        digest: str,
        arguments: Mapping[str, Any],
        on_notice: OnNotice | None = None,
        on_question: OnQuestion | None = None,
    ) -> dict[str, Any]:
        """Call a tool if the server still describes it as approved (`digest`).

        Connecting is repeated after failures; a call that the server may have received never is.
        Raises McpFailure, UrlRefused; ToolChanged when the description is another one.
        """
        entry = self._entries.get(binding.pool_key)
        if entry is None:
            entry = self._entries[binding.pool_key] = _Entry(self._make_connection(binding))
        entry.users += 1
        try:
            call = functools.partial(entry.connection.call_tool, tool, arguments, on_notice, on_question)
            return await self._call(entry, binding, tool, digest, call)
        finally:
            entry.users -= 1
            entry.used_at = time.monotonic()
            self._start_sweeper()

    async def close(self) -> None:
        """Close all connections."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        entries, self._entries = list(self._entries.values()), {}
        for entry in entries:
            await entry.connection.close()

    async def _call(
        self,
        entry: _Entry,
        binding: McpServerBinding,
        tool: str,
        digest: str,
        call: Callable[[], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        failures, session = 0, 0
        while True:
            try:
                session = await entry.prepare()
                _check_digest(entry, binding, tool, digest)
                return await call()
            except McpFailure as failure:
                if isinstance(failure, SessionEnded | WrongEra) and entry.opened == session:
                    entry.is_open = False
                if failures == len(RETRY_SECONDS) or not _can_be_repeated(failure):
                    raise
                await asyncio.sleep(_wait_seconds(failure, RETRY_SECONDS[failures]))
                failures += 1

    def _make_connection(self, binding: McpServerBinding) -> McpConnection:
        return McpConnection(binding, self._egress, commands=self._commands)

    def _start_sweeper(self) -> None:
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._close_idle())

    async def _close_idle(self) -> None:
        while self._entries:
            await asyncio.sleep(IDLE_SECONDS / 4)
            limit = time.monotonic() - IDLE_SECONDS
            idle = [key for key, entry in self._entries.items() if not entry.users and entry.used_at < limit]
            for key in idle:
                await self._entries.pop(key).connection.close()


def _check_digest(entry: _Entry, binding: McpServerBinding, tool: str, digest: str) -> None:
    current = entry.digests.get(tool)
    if current == digest:
        return
    problem = "no longer offers it" if current is None else "describes it differently since it was approved"
    raise ToolChanged(
        f"The tool {tool} of the MCP server {binding.slug} is not used: the server {problem}. "
        "A person can compare and approve it on the page of the server."
    )


def _can_be_repeated(failure: McpFailure) -> bool:
    return not failure.may_have_run and isinstance(failure, SessionEnded | ServerBusy | ServerUnreachable)


def _wait_seconds(failure: McpFailure, default: float) -> float:
    if isinstance(failure, SessionEnded):
        return 0.0
    if isinstance(failure, ServerBusy) and failure.seconds is not None:
        return min(failure.seconds, MAX_WAIT_SECONDS)
    return default
