"""What a crew host needs to know when it starts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.setting_choices import LogFormat
from crewai_runner.executor.mcp.commands import CommandStarter


@dataclass(frozen=True, slots=True)
class HostConfig:
    """`data_dir` is the folder of crews' memories; `egress` and `tool_egress` as in `CrewExecutor`.

    `mcp_commands` starts the MCP servers that are commands.

    A host that hears nothing from its worker for `worker_timeout_seconds` exits; None: it waits for ever.
    """

    data_dir: Path
    egress: EgressPolicy | None = None
    tool_egress: EgressPolicy | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: LogFormat = LogFormat.CONSOLE
    worker_timeout_seconds: float | None = None
    mcp_commands: CommandStarter | None = None


@dataclass(frozen=True, slots=True)
class HostLimits:
    """When a host is replaced or killed.

    A host that is silent for `timeout_seconds` is killed. After `max_attempts` attempts, or above `memory_mb`
    megabytes, it starts no further attempts; above twice as many megabytes it is killed.
    """

    timeout_seconds: float = 5.0
    memory_mb: int = 1024
    max_attempts: int = 1000
