"""Runs commands as plain processes of this user, for PROJECTS=unsandboxed: nothing is kept from them."""

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from crewai_runner.executor.projects.sandbox.bwrap_arguments import GUEST_FOLDER
from crewai_runner.executor.projects.sandbox.launch_config import build_config
from crewai_runner.executor.projects.sandbox.port import (
    EscapeTargets,
    Folders,
    Layout,
    OnOutput,
    SandboxFailed,
    SandboxProcess,
    SandboxSpec,
)
from crewai_runner.executor.projects.sandbox.process import LaunchPlan, launch

_LAUNCH = (
    "import sys; sys.path.insert(0, sys.argv[1]); from guest.launch import main; del sys.path[0]; main()"
)


class UnsandboxedProcess:
    """A Sandbox without confinement, on any Unix.

    The command still has a clean environment, limits of each process, and an end: its launcher kills all
    descendants. But a command that kills its launcher, or that leaves it on a system other than Linux, stays.
    """

    @property
    def name(self) -> str:
        return "no sandbox"

    def find_hint(self, message: str) -> str:
        del message
        return "set PROJECTS=auto"

    @property
    def escape_targets(self) -> EscapeTargets:
        return EscapeTargets()

    @property
    def is_confined(self) -> bool:
        return False

    def lay_out(self, folders: Folders, interpreter: Path = Path(sys.executable)) -> Layout:
        gateway_port, egress_port = _find_free_ports(2)
        python = os.path.realpath(interpreter)
        environment = str(folders.environment or Path(python).parent.parent)
        return Layout(
            project=str(folders.project or folders.work),
            environment=environment,
            work=str(folders.work),
            guest=str(GUEST_FOLDER),
            sockets=str(folders.sockets or folders.work),
            python=python,
            gateway_port=gateway_port,
            egress_port=egress_port,
            variables={
                "PATH": f"{environment}/bin:{Path(python).parent}:/usr/local/bin:/usr/bin:/bin",
                "HOME": str(folders.work),
                "LANG": "C.UTF-8",
            },
        )

    async def start(self, spec: SandboxSpec, on_output: OnOutput) -> SandboxProcess:
        if spec.mounts:
            raise SandboxFailed("Without a sandbox no folder can be mounted at another path.")
        plan = LaunchPlan(
            [spec.layout.python, "-I", "-S", "-B", "-c", _LAUNCH, str(GUEST_FOLDER.parent)],
            build_config(spec, limits_processes=False),
            dies_at_once=False,
        )
        return await launch(plan, spec, on_output)


def _find_free_ports(count: int) -> list[int]:
    """Return ports that are free at this moment."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]
