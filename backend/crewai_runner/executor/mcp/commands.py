"""What starts the commands that are MCP servers. The adapter runs them in the sandbox of projects."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from crewai_runner.core.mcp_commands import McpCommand
from crewai_runner.executor.mcp.failures import McpFailure


class CommandRefused(McpFailure):
    """The command is not listed, or no sandbox holds on this machine: trying again does not help."""


class RunningCommand(Protocol):
    """A started command. `reader` has its output, `writer` is its input."""

    @property
    def reader(self) -> asyncio.StreamReader: ...

    @property
    def writer(self) -> asyncio.StreamWriter: ...

    async def stop(self) -> None:
        """End every process of the command and remove its files."""


class CommandStarter(Protocol):
    """Starts listed commands. Belongs to no event loop, and can be sent to another process."""

    @property
    def listed(self) -> Mapping[str, McpCommand]:
        """The commands that can be started, by name."""

    async def start(self, name: str) -> RunningCommand:
        """Start a command. Raises CommandRefused, ServerUnreachable."""


@dataclass(frozen=True, slots=True)
class NoCommands:
    """A CommandStarter that starts nothing."""

    @property
    def listed(self) -> Mapping[str, McpCommand]:
        return {}

    async def start(self, name: str) -> RunningCommand:
        raise CommandRefused(
            f"The command {name} is not started: the administrator has not listed it in MCP_STDIO_COMMANDS."
        )
