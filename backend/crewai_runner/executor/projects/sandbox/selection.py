"""Chooses the sandbox of this machine by the setting PROJECTS; `auto` chooses none where none holds."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.logging import get_logger
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.projects.sandbox.agent.places import ServicePlaces
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import Sandbox
from crewai_runner.executor.projects.sandbox.self_test import SandboxProbe, probe_sandbox
from crewai_runner.executor.projects.sandbox.service import SandboxService
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess

log = get_logger(__name__)
RETRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """The sandbox to run projects in; None: no project runs, for the reason in `probe`."""

    sandbox: Sandbox | None
    probe: SandboxProbe


def find_sandbox(mode: ProjectsMode, service_socket: Path | None) -> Sandbox:
    """Return the sandbox that the settings name, whether it holds or not."""
    if mode is ProjectsMode.UNSANDBOXED:
        return UnsandboxedProcess()
    if service_socket is not None:
        return SandboxService(ServicePlaces(service_socket))
    return BubblewrapSandbox()


async def choose_sandbox(
    mode: ProjectsMode, data_dir: Path, service_socket: Path | None = None
) -> SandboxChoice:
    """Return the sandbox that the settings allow on this machine: none where none holds.

    With `service_socket`, the address of the sandbox service, commands run there.
    """
    if mode is ProjectsMode.OFF:
        return SandboxChoice(None, SandboxProbe(False, "off (PROJECTS)", "set PROJECTS=auto to run projects"))
    if mode is ProjectsMode.UNSANDBOXED:
        message = "projects run without a sandbox (PROJECTS=unsandboxed): they can read and change everything"
        return SandboxChoice(find_sandbox(mode, None), SandboxProbe(False, message, "set PROJECTS=auto"))
    sandbox = find_sandbox(mode, service_socket)
    probe = await probe_sandbox(sandbox, data_dir)
    return SandboxChoice(sandbox if probe.is_holding else None, probe)


class SandboxSelector:
    """Chooses the sandbox of this machine once: its self-test takes a moment.

    The test of a sandbox service that does not hold is repeated, since the service can start later.
    """

    def __init__(self, mode: ProjectsMode, data_dir: Path, service_socket: Path | None = None) -> None:
        self._mode, self._data_dir, self._service_socket = mode, data_dir, service_socket
        self._choice: SandboxChoice | None = None
        self._choosing = asyncio.Lock()
        self._choose_again_at = 0.0

    async def choose(self) -> SandboxChoice:
        """Return the sandbox; the first call runs its self-test."""
        async with self._choosing:
            choice = self._choice
            is_final = choice is not None and (choice.sandbox or self._service_socket is None)
            if choice is None or (not is_final and time.monotonic() > self._choose_again_at):
                choice = await choose_sandbox(self._mode, self._data_dir, self._service_socket)
                self._choice, self._choose_again_at = choice, time.monotonic() + RETRY_SECONDS
                log.info("projects.sandbox", message=choice.probe.message)
            return choice
