"""Runs uv for one build."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.command_runner import BuildCommand, CommandRunner

_KEPT_LINES = 200


@dataclass(frozen=True, slots=True)
class Uv:
    """uv with the settings of one build; `environment` has those of the index and of the cache."""

    runner: CommandRunner
    program: str
    environment: Mapping[str, str]
    seconds: float
    """For each command."""

    async def run(self, folder: Path, arguments: tuple[str, ...]) -> tuple[int, list[str]]:
        """Run uv in a folder, and return its exit status and its last lines of output."""
        lines: deque[str] = deque(maxlen=_KEPT_LINES)
        command = BuildCommand((self.program, *arguments), folder, self.environment, self.seconds)
        status = await self.runner.run(command, lines.append)
        return status, list(lines)

    async def show(
        self, folder: Path, command: tuple[str, ...], log: BuildLog, variables: Mapping[str, str]
    ) -> int:
        """Run a command with uv's settings and further variables, and write its output to the log."""
        log.recent.clear()
        environment = {**self.environment, **variables}
        return await self.runner.run(BuildCommand(command, folder, environment, self.seconds), log.write)
