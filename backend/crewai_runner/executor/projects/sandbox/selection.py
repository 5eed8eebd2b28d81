"""Chooses the sandbox of this machine by the setting PROJECTS; `auto` chooses none where none holds."""

from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.executor.projects.sandbox.bubblewrap import BubblewrapSandbox
from crewai_runner.executor.projects.sandbox.port import Sandbox
from crewai_runner.executor.projects.sandbox.self_test import SandboxProbe, probe_sandbox
from crewai_runner.executor.projects.sandbox.unsandboxed import UnsandboxedProcess


@dataclass(frozen=True, slots=True)
class SandboxChoice:
    """The sandbox to run projects in; None: no project runs, for the reason in `probe`."""

    sandbox: Sandbox | None
    probe: SandboxProbe


async def choose_sandbox(mode: ProjectsMode, data_dir: Path) -> SandboxChoice:
    """Return the sandbox that the setting PROJECTS allows on this machine: none where none holds."""
    if mode is ProjectsMode.OFF:
        return SandboxChoice(None, SandboxProbe(False, "off (PROJECTS)", "set PROJECTS=auto to run projects"))
    if mode is ProjectsMode.UNSANDBOXED:
        message = "projects run without a sandbox (PROJECTS=unsandboxed): they can read and change everything"
        return SandboxChoice(UnsandboxedProcess(), SandboxProbe(False, message, "set PROJECTS=auto"))
    sandbox = BubblewrapSandbox()
    probe = await probe_sandbox(sandbox, data_dir)
    return SandboxChoice(sandbox if probe.is_holding else None, probe)
