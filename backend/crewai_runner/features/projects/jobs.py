"""Builds the environments of project versions, as jobs of the queue."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from crewai_runner.core.clock import now
from crewai_runner.core.errors import AppError
from crewai_runner.core.logging import get_logger
from crewai_runner.core.project_archive import ProjectArchive, read_project_archive
from crewai_runner.core.text import replace_unstorable
from crewai_runner.db.session import Sessions, read_session, shielded, unit_of_work, with_retry
from crewai_runner.domain.project import ProjectInspection
from crewai_runner.executor.projects.build.environment_builder import BuildRequest, EnvironmentBuilder
from crewai_runner.executor.projects.build.source_folder import write_files
from crewai_runner.features.projects.build_repository import ProjectBuildRepository
from crewai_runner.features.projects.rules import parse_build_job
from crewai_runner.features.projects.schemas import BuildState

log = get_logger(__name__)
FLUSH_SECONDS = 0.5
CLEANUP_SECONDS = 2.0
MAX_LOG_BYTES = 1024 * 1024
CUT_LOG = "The log is longer: further lines are left out.\n"


@dataclass(frozen=True, slots=True)
class ProjectBuildDeps:
    """What builds need from the process. Sources are unpacked below `folder`."""

    sessions: Sessions
    builder: EnvironmentBuilder
    folder: Path
    index_url: str | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """What one build is made of."""

    archive: ProjectArchive
    inspection: ProjectInspection


@dataclass(slots=True)
class _LogBuffer:
    """Lines that wait to be stored, and how many more bytes of log may follow."""

    lines: list[str] = field(default_factory=list)
    bytes_left: int = MAX_LOG_BYTES

    def add(self, line: str) -> None:
        if self.bytes_left <= 0:
            return
        text = replace_unstorable(line) + "\n"
        self.bytes_left -= len(text.encode())
        self.lines.append(text if self.bytes_left > 0 else CUT_LOG)

    def take(self) -> str:
        lines, self.lines = self.lines, []
        return "".join(lines)


class ProjectBuilds:
    """The body of build jobs. Called again after a crash, it builds again; equal environments are shared."""

    def __init__(self, deps: ProjectBuildDeps) -> None:
        self._deps = deps

    async def __call__(self, job: str, build_number: int) -> None:
        """Build a version to `ready` or `failed`; cancelled, leave it to the next call."""
        project_id, number = parse_build_job(job)
        if not await with_retry(lambda: self._begin(project_id, number, build_number)):
            return
        try:
            columns = await self._build(project_id, number)
        except AppError as error:
            columns = {"build_state": BuildState.FAILED, "build_error": error.detail}
        except Exception:
            log.exception("project.build_failed", project=project_id, version=number)
            message = "The build ended because of an internal error. The server's log says why."
            columns = {"build_state": BuildState.FAILED, "build_error": message}
        await shielded(
            with_retry(lambda: self._end(project_id, number, build_number, columns)), CLEANUP_SECONDS
        )

    async def _begin(self, project_id: str, number: int, build_number: int) -> bool:
        """Mark the version as being built; return whether there is anything to build."""
        async with unit_of_work(self._deps.sessions) as session:
            builds = ProjectBuildRepository(session)
            version = await builds.lock_version(project_id, number)
            if version is None or version.build_number != build_number:
                return False
            if version.build_state not in (BuildState.QUEUED, BuildState.BUILDING):
                return False
            version.build_state, version.build_started_at = BuildState.BUILDING, now()
            await builds.delete_log(project_id, number)
            await builds.touch_project(project_id, number)
        return True

    async def _build(self, project_id: str, number: int) -> dict[str, object]:
        source = await self._load(project_id, number)
        await asyncio.to_thread(self._deps.folder.mkdir, parents=True, exist_ok=True, mode=0o755)
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._deps.folder))
        buffer = _LogBuffer()
        storing = asyncio.create_task(self._store_log(project_id, number, buffer), name="store-build-log")
        try:
            await asyncio.to_thread(write_files, source.archive.files, folder)
            request = BuildRequest.for_project(
                folder, source.inspection, source.archive.newest, self._deps.index_url
            )
            built = await self._deps.builder.build(request, buffer.add)
        finally:
            storing.cancel()
            await asyncio.wait([storing])
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            await shielded(with_retry(lambda: self._append_log(project_id, number, buffer.take()), 3))
        return {"build_state": BuildState.READY, "build_error": None, "lock_hash": built.lock_hash}

    async def _load(self, project_id: str, number: int) -> _Source:
        async with read_session(self._deps.sessions) as session:
            packed, inspection = await ProjectBuildRepository(session).get_source(project_id, number)
        archive = await asyncio.to_thread(read_project_archive, packed)
        return _Source(archive, ProjectInspection.model_validate(inspection))

    async def _store_log(self, project_id: str, number: int, buffer: _LogBuffer) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if buffer.lines:
                text = buffer.take()
                await shielded(self._append_log(project_id, number, text))

    async def _append_log(self, project_id: str, number: int, text: str) -> None:
        if not text:
            return
        async with unit_of_work(self._deps.sessions) as session:
            await ProjectBuildRepository(session).add_log(project_id, number, text)

    async def _end(self, project_id: str, number: int, build_number: int, columns: dict[str, object]) -> None:
        async with unit_of_work(self._deps.sessions) as session:
            builds = ProjectBuildRepository(session)
            ended = columns | {"build_finished_at": now()}
            if await builds.set_build(project_id, number, build_number, ended):
                await builds.touch_project(project_id, number)
