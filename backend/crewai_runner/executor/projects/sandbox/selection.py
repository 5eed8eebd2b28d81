"""Chooses the sandbox of this machine by the setting PROJECTS; `auto` chooses none where none holds."""

from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.projects.sandbox.agent.places import ServicePlaces
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import Sandbox
from crewai_runner.executor.projects.sandbox.self_test import SandboxProbe, probe_sandbox
from crewai_runner.executor.projects.sandbox.service import SandboxService
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess


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
