"""Runs uploaded projects, each in a sandbox with its own model gateway."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.errors import AppError
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import WarningRaisedData
from crewai_runner.domain.run_events import WarningRaised
from crewai_runner.executor.port import Completed, EventSink, Failed, Outcome, RunControl, RunSpec, Stopped
from crewai_runner.executor.projects.attempt import ProjectAttempt
from crewai_runner.executor.projects.attempt_place import AttemptPlace
from crewai_runner.executor.projects.build.environment_builder import EnvironmentBuilder
from crewai_runner.executor.projects.kept_projects import KeepLimits, KeptProjects
from crewai_runner.executor.projects.run_environments import RunEnvironments, StoppedBeforeStart
from crewai_runner.executor.projects.run_folders import create_run_folders
from crewai_runner.executor.projects.run_link import RunLink
from crewai_runner.executor.projects.sandbox.port import SandboxFailed
from crewai_runner.executor.projects.sandbox.selection import SandboxChoice, SandboxSelector
from crewai_runner.executor.projects.source_cache import SourceCache
from crewai_runner.executor.projects.task_record import TaskRecord
from crewai_runner.executor.projects.written_files import WrittenFiles


@dataclass(frozen=True, slots=True)
class ProjectConfig:
    """Settings of the execution of projects. `folder` holds sources, environments and run folders."""

    mode: ProjectsMode
    data_dir: Path
    folder: Path
    builder: EnvironmentBuilder
    model_egress: EgressPolicy | None = None
    tool_egress: EgressPolicy | None = None
    index_url: str | None = None
    keep: KeepLimits = field(default_factory=KeepLimits)
    service_socket: Path | None = None
    """Where the sandbox service listens, if commands run there."""

    @property
    def sockets_parent(self) -> Path | None:
        """The folder that the sandbox service shares: its commands use sockets in it."""
        return None if self.service_socket is None else self.service_socket.parent


class ProjectExecutor:
    """Executes the attempts of runs whose spec has a project; see `Executor.execute`."""

    def __init__(self, config: ProjectConfig) -> None:
        self._config = config
        self._sources = SourceCache(config.folder / "sources")
        self._kept = KeptProjects(config.keep)
        self._sandboxes = SandboxSelector(config.mode, config.data_dir, config.service_socket)

    async def choose_sandbox(self) -> SandboxChoice:
        """Return the sandbox of this machine; the first call runs its self-test."""
        return await self._sandboxes.choose()

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt to its outcome; a failure of the project is an outcome.

        A process that waits for the answer of a person stays, and another attempt continues with it.
        """
        code = spec.project
        if code is None:
            raise ValueError("the spec has no project")
        link = self._kept.take(spec)
        if link is not None and not _can_continue(link, spec):
            await link.end()
            link = None
        if link is None:
            link = RunLink(spec, code, sink, control)
            link.task = asyncio.create_task(self._run(link), name=f"project-{spec.run_id}")
        else:
            link.attach(spec, code, sink, control)
        outcome = await link.wait_outcome()
        if not link.task_is_done:
            self._kept.keep(link)
        return outcome

    async def close(self) -> None:
        """End the processes that wait for persons."""
        await self._kept.close()

    async def _run(self, link: RunLink) -> Outcome:
        """Run a project to its outcome, over all attempts that it serves."""
        spec, code, control = link.spec, link.code, link.control
        choice = await self.choose_sandbox()
        if choice.sandbox is None:
            message = f"Projects do not run on this server: {choice.probe.message}."
            return Failed(RunFailure(code="projects-unavailable", message=message, hint=choice.probe.hint))
        if control.is_stopping_now:
            return Stopped()
        environments = RunEnvironments(self._config.builder, self._config.index_url)
        try:
            source = await self._sources.get(code.content_hash, code.load_archive)
            warn = partial(_warn_of_build, spec, link.sink)
            async with environments.use(code, source, control, warn) as found:
                folders = await asyncio.to_thread(
                    create_run_folders, self._config.folder / "runs", source, self._config.sockets_parent
                )
                tool_egress = self._config.tool_egress or EgressPolicy(allow_private=False)
                place = AttemptPlace(choice.sandbox, folders, found, self._config.model_egress, tool_egress)
                try:
                    return await self._execute_in(place, link)
                finally:
                    await asyncio.shield(asyncio.to_thread(folders.remove))
        except StoppedBeforeStart:
            return Stopped()
        except AppError as error:
            return Failed(RunFailure(code=error.slug, message=error.detail))
        except SandboxFailed as error:
            return Failed(RunFailure(code="sandbox-failed", message=str(error)))

    async def _execute_in(self, place: AttemptPlace, link: RunLink) -> Outcome:
        async def save_checkpoint(name: str, value: Mapping[str, Any]) -> None:
            await link.code.progress.save_checkpoint(name, value)

        secrets = [value.get_secret_value() for value in link.code.secrets.values()]
        record = TaskRecord(link.code.progress.checkpoints, save_checkpoint, TextMask(secrets))
        files = WrittenFiles(place.folders, link)
        outcome = await ProjectAttempt(link, place, record, files).run()
        await record.close()
        await files.save()
        if isinstance(outcome, Completed):
            await link.code.progress.delete_checkpoints()
        return outcome


def _can_continue(link: RunLink, spec: RunSpec) -> bool:
    """Return whether the kept process waits for what this attempt knows."""
    is_next = spec.attempt == link.spec.attempt + 1
    return is_next and not link.task_is_done and link.can_continue(spec)


def _warn_of_build(spec: RunSpec, sink: EventSink) -> None:
    message = "This machine lacks the environment of the project's version: it is built before the start."
    data = WarningRaisedData(code="environment-building", message=message)
    sink(WarningRaised(run_id=spec.run_id, data=data))
