"""Check of the sandbox in which uploaded projects run: it tries to escape."""

import asyncio

from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.core.settings import Settings
from crewai_runner.executor.projects.sandbox.selection import choose_sandbox
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn


def check_projects(settings: Settings) -> Finding:
    if settings.projects is ProjectsMode.OFF:
        return ok("projects", "off (PROJECTS)")
    choice = asyncio.run(choose_sandbox(settings.projects, settings.data_dir, settings.sandbox_socket))
    probe = choice.probe
    if probe.is_holding:
        return ok("projects", probe.message)
    if choice.sandbox is not None:
        return fail("projects", probe.message, probe.hint)
    hint = f"no project runs until this is fixed: {probe.hint}; or set PROJECTS=off to hide this warning"
    return warn("projects", probe.message.rstrip("."), hint)
