"""What a sandbox is given and what it returns.

Adapters: bubblewrap, the sandbox service of Compose and, by explicit choice, no sandbox.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

GATEWAY_SOCKET = "gateway.sock"
EGRESS_SOCKET = "egress.sock"
BRIDGE_SOCKET = "bridge.sock"
"""Names of the Unix sockets in the folder of sockets; one that does not exist is not offered."""

TERMINATE_SECONDS = 0.7


class OutputStream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"


OnOutput = Callable[[OutputStream, bytes], None]
"""Receives output as it arrives, in parts of any length; called on the event loop, must not block."""


class SandboxFailed(Exception):
    """The command could not be started. The message says why, for people."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Limits of one sandbox. Sizes are in bytes, times in seconds.

    `memory`, `processes` (threads count) and `cpu_share` (cores) hold for all processes together; `memory`
    and `cpu_share` only where cgroups are writable. `address_space`, `cpu_seconds`, `file_size` and
    `open_files` hold for each process. `work_size` and `work_files` bound the work folder, `temporary_size`
    each of /tmp and /dev/shm, `output` the output that is delivered: the rest is read and dropped.
    """

    memory: int = 4 * 1024**3
    address_space: int = 16 * 1024**3
    processes: int = 512
    cpu_seconds: int = 24 * 3600
    cpu_share: float = 2.0
    file_size: int = 512 * 1024**2
    open_files: int = 1024
    work_size: int = 1024**3
    work_files: int = 50_000
    temporary_size: int = 256 * 1024**2
    output: int = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders of this machine that a sandbox uses; their names should reveal nothing.

    The project is read-only, the environment too, the work folder is writable and the working directory.
    `sockets` holds the Unix sockets. Another user may read the files: without reading rights for everybody
    in them, a sandbox of a server that runs as root sees empty folders.
    """

    work: Path
    project: Path | None = None
    environment: Path | None = None
    sockets: Path | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """A further folder or file of this machine, at an absolute path inside."""

    source: Path
    target: str
    is_writable: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a command finds its files and services: paths and ports inside the sandbox.

    `python` is the base interpreter, from which environments are made. `variables` are those that every
    command needs (PATH, HOME, TMPDIR and so on).
    """

    project: str
    environment: str
    work: str
    guest: str
    sockets: str
    python: str
    gateway_port: int
    egress_port: int
    variables: Mapping[str, str]

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def egress_url(self) -> str:
        return f"http://127.0.0.1:{self.egress_port}"


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """A command to run. `command` and `directory` use the paths of `layout`, which the same sandbox has made.

    `environment` is added to the layout's variables; nothing of this process's environment is passed on.
    `interpreter` is a Python of this machine whose installation is mounted. `user` is the user id of a
    sandbox that a server of root starts; by default each has another one.
    """

    command: tuple[str, ...]
    folders: Folders
    layout: Layout
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str | None = None
    interpreter: Path = Path(sys.executable)
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    mounts: tuple[Mount, ...] = ()
    user: int | None = None


class EndCause(StrEnum):
    """Why a command ended: by itself, on request, or by a limit of all its processes together."""

    EXITED = "exited"
    TERMINATED = "terminated"
    KILLED = "killed"
    WORK_TOO_LARGE = "work-too-large"
    OUT_OF_MEMORY = "out-of-memory"
    SERVICE_LOST = "service-lost"
    """The service that ran the command has ended, and the command with it."""


@dataclass(frozen=True, slots=True)
class SandboxExit:
    """The end of a command. `status` is 128 + n when signal n ended it; `dropped` counts bytes of output."""

    status: int
    cause: EndCause
    seconds: float
    dropped: int = 0


class SandboxProcess(Protocol):
    """A started command."""

    async def wait(self) -> SandboxExit:
        """Wait for the end of every process and of the output."""

    async def terminate(self, grace: float = TERMINATE_SECONDS) -> SandboxExit:
        """Send SIGTERM to every process, kill those that are left after `grace` seconds, and wait."""

    async def kill(self) -> SandboxExit:
        """Kill every process, and wait."""


@dataclass(frozen=True, slots=True)
class EscapeTargets:
    """What the self-test tries to reach, beside what it tries everywhere.

    `files` are read, or listed if they are folders; files are created in `written`; `sockets` are Unix
    sockets to connect to.
    """

    files: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()


class Sandbox(Protocol):
    """Starts commands."""

    @property
    def name(self) -> str:
        """What people call it, for messages."""

    def find_hint(self, message: str) -> str:
        """Return what to do when it fails with this message."""

    @property
    def escape_targets(self) -> EscapeTargets:
        """What the self-test tries to reach in addition."""

    @property
    def is_confined(self) -> bool:
        """Whether commands are kept from everything but their folders and sockets."""

    def lay_out(self, folders: Folders, interpreter: Path = Path(sys.executable)) -> Layout:
        """Return the paths and ports that a command will see."""

    async def start(self, spec: SandboxSpec, on_output: OnOutput) -> SandboxProcess:
        """Start the command. Raises SandboxFailed."""
