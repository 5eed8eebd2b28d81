"""Runs uploaded projects, each in a sandbox with its own model gateway."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.errors import AppError
from crewai_runner.core.logging import get_logger
from crewai_runner.core.setting_choices import ProjectsMode
from crewai_runner.domain.output_files import find_media_type
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.run_event_payloads import ArtifactSavedData, WarningRaisedData
from crewai_runner.domain.run_events import ArtifactSaved, WarningRaised
from crewai_runner.executor.port import Completed, EventSink, Failed, Outcome, RunControl, RunSpec, Stopped
from crewai_runner.executor.project_code import ProjectCode
from crewai_runner.executor.projects.attempt import AttemptPlace, ProjectAttempt
from crewai_runner.executor.projects.build.environment_builder import EnvironmentBuilder
from crewai_runner.executor.projects.run_environments import RunEnvironments, StoppedBeforeStart
from crewai_runner.executor.projects.run_folders import RunFolders, create_run_folders
from crewai_runner.executor.projects.sandbox.port import SandboxFailed
from crewai_runner.executor.projects.sandbox.selection import SandboxChoice, choose_sandbox
from crewai_runner.executor.projects.source_cache import SourceCache
from crewai_runner.executor.projects.task_record import TaskHashes, TaskRecord

log = get_logger(__name__)


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


class ProjectExecutor:
    """Executes the attempts of runs whose spec has a project; see `Executor.execute`."""

    def __init__(self, config: ProjectConfig) -> None:
        self._config = config
        self._sources = SourceCache(config.folder / "sources")
        self._choice: SandboxChoice | None = None
        self._choosing = asyncio.Lock()

    async def choose_sandbox(self) -> SandboxChoice:
        """Return the sandbox of this machine; the first call runs its self-test."""
        async with self._choosing:
            if self._choice is None:
                self._choice = await choose_sandbox(self._config.mode, self._config.data_dir)
                log.info("projects.sandbox", message=self._choice.probe.message)
            return self._choice

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        """Run one attempt to its outcome; a failure of the project is an outcome."""
        code = spec.project
        if code is None:
            raise ValueError("the spec has no project")
        choice = await self.choose_sandbox()
        if choice.sandbox is None:
            message = f"Projects do not run on this server: {choice.probe.message}."
            return Failed(RunFailure(code="projects-unavailable", message=message, hint=choice.probe.hint))
        if control.is_stopping_now:
            return Stopped()
        environments = RunEnvironments(self._config.builder, self._config.index_url)
        try:
            source = await self._sources.get(code.content_hash, code.load_archive)
            async with environments.use(code, source, control, lambda: _warn_of_build(spec, sink)) as found:
                folders = await asyncio.to_thread(create_run_folders, self._config.folder / "runs", source)
                tool_egress = self._config.tool_egress or EgressPolicy(allow_private=False)
                place = AttemptPlace(choice.sandbox, folders, found, self._config.model_egress, tool_egress)
                try:
                    return await self._execute_in(place, spec, code, sink, control)
                finally:
                    await asyncio.shield(asyncio.to_thread(folders.remove))
        except StoppedBeforeStart:
            return Stopped()
        except AppError as error:
            return Failed(RunFailure(code=error.slug, message=error.detail))
        except SandboxFailed as error:
            return Failed(RunFailure(code="sandbox-failed", message=str(error)))

    async def _execute_in(
        self, place: AttemptPlace, spec: RunSpec, code: ProjectCode, sink: EventSink, control: RunControl
    ) -> Outcome:
        hashes = TaskHashes(self._config.folder / "tasks", spec.run_id)
        record = TaskRecord(hashes, await asyncio.to_thread(hashes.load))
        outcome = await ProjectAttempt(spec, code, place, sink, control, record).run()
        await record.close(is_complete=isinstance(outcome, Completed))
        await self._save_files(place.folders, code, spec.run_id, sink)
        return outcome

    async def _save_files(self, folders: RunFolders, code: ProjectCode, run_id: str, sink: EventSink) -> None:
        """Store the files that the run has written, also those of a run that failed."""
        files, left_out = await asyncio.to_thread(folders.collect)
        for file in await code.save_files(files):
            data = ArtifactSavedData(
                name=file.path, media_type=find_media_type(file.path), size=len(file.content)
            )
            sink(ArtifactSaved(run_id=run_id, data=data))
        if left_out:
            message = f"{left_out} files of the run were not saved: they are too large or too many."
            sink(WarningRaised(run_id=run_id, data=WarningRaisedData(code="files-left-out", message=message)))


def _warn_of_build(spec: RunSpec, sink: EventSink) -> None:
    message = "This machine lacks the environment of the project's version: it is built before the start."
    data = WarningRaisedData(code="environment-building", message=message)
    sink(WarningRaised(run_id=spec.run_id, data=data))
