"""Lists, reads and compares the versions of a project, and builds them again."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.projects import ProjectVersionRow
from crewai_runner.features.projects.archive_files import MAX_DIFF_FILES, diff_texts, read_text
from crewai_runner.features.projects.build_repository import ProjectBuildRepository
from crewai_runner.features.projects.errors import BuildInProgress, ProjectFileNotFound
from crewai_runner.features.projects.records import (
    ProjectRecords,
    to_version_build,
    to_version_details,
    to_version_entry,
)
from crewai_runner.features.projects.rules import compare_files
from crewai_runner.features.projects.schemas import (
    BuildAnswer,
    BuildLogPage,
    BuildState,
    FileChange,
    ProjectDiff,
    ProjectFileList,
    ProjectFileText,
    ProjectVersionAnswer,
    ProjectVersionPage,
)
from crewai_runner.features.projects.service import ProjectDeps, queue_build

LOG_PIECES = 200


class ProjectVersions:
    """Every method raises ProjectNotFound, and ProjectVersionNotFound for an unknown number."""

    def __init__(self, session: AsyncSession, deps: ProjectDeps) -> None:
        self._session, self._deps = session, deps
        self._records, self._builds = ProjectRecords(session), ProjectBuildRepository(session)

    async def list_page(
        self, principal: Principal, project_id: str, limit: int, cursor: str | None
    ) -> ProjectVersionPage:
        """Return one page, newest first. Raises BadRequest for an invalid cursor."""
        row = await self._records.get(principal, project_id)
        before = None if cursor is None else _check_number(decode_cursor(cursor, 1)[0])
        rows = await self._records.repository.list_versions(row.id, before, limit + 1)
        await load_subject_names(self._session, rows)
        versions = [to_version_entry(version) for version in rows[:limit]]
        next_cursor = encode_cursor(versions[-1].number) if len(rows) > limit else None
        return ProjectVersionPage(versions=versions, next_cursor=next_cursor)

    async def get(self, principal: Principal, project_id: str, number: int) -> ProjectVersionAnswer:
        version = await self._get(principal, project_id, number)
        await load_subject_names(self._session, [version])
        return ProjectVersionAnswer(version=to_version_details(version))

    async def list_files(self, principal: Principal, project_id: str, number: int) -> ProjectFileList:
        version = await self._get(principal, project_id, number)
        return ProjectFileList.model_validate({"files": version.files})

    async def get_file(
        self, principal: Principal, project_id: str, number: int, path: str
    ) -> ProjectFileText:
        """Return the beginning of a file as text. Raises ProjectFileNotFound."""
        version = await self._get(principal, project_id, number)
        file = next((file for file in version.files if file["path"] == path), None)
        if file is None:
            raise ProjectFileNotFound(path, number)
        async with self._deps.archive_slots:
            archive = await self._load_archive(version)
            found = await asyncio.to_thread(read_text, archive, path)
        return ProjectFileText(**file, text=found.text, truncated=found.is_truncated)

    async def diff(self, principal: Principal, project_id: str, number: int, before: int) -> ProjectDiff:
        """Compare the files of version `number` with those of the version `before`."""
        new = await self._get(principal, project_id, number)
        old = await self._get(principal, project_id, before)
        changes = compare_files(old.files, new.files)
        texts: dict[str, str | None] = {}
        if changes:
            async with self._deps.archive_slots:
                archives = await self._load_archive(old), await self._load_archive(new)
                texts = await asyncio.to_thread(diff_texts, *archives, changes)
        files = [
            FileChange.model_validate({"path": path, "kind": kind, "text": texts.get(path)})
            for path, kind in changes
        ]
        return ProjectDiff(
            from_version=before, to_version=number, files=files, truncated=len(changes) > MAX_DIFF_FILES
        )

    async def get_build(self, principal: Principal, project_id: str, number: int) -> BuildAnswer:
        return BuildAnswer(build=to_version_build(await self._get(principal, project_id, number)))

    async def get_log(self, principal: Principal, project_id: str, number: int, after: int) -> BuildLogPage:
        """Return the next part of the log of the newest build."""
        version = await self._get(principal, project_id, number)
        pieces = await self._builds.list_log(project_id, number, after, LOG_PIECES)
        text = "".join(text for _, text in pieces)
        return BuildLogPage(
            text=text, next=pieces[-1][0] if pieces else after, build=to_version_build(version)
        )

    async def build_again(self, principal: Principal, project_id: str, number: int) -> BuildAnswer:
        """Queue another build of a version. Raises BuildInProgress, Unavailable."""
        row = await self._records.get(principal, project_id, lock=True)
        version = await self._records.get_version(row, number, lock=True)
        if version.build_state in (BuildState.QUEUED, BuildState.BUILDING):
            raise BuildInProgress(f"Version {number} is being built already; see its log.")
        await self._builds.delete_log(row.id, number)
        version.build_state, version.build_number = BuildState.QUEUED, version.build_number + 1
        version.build_error = version.build_started_at = version.build_finished_at = None
        await self._builds.touch_project(row.id, number)
        await self._session.flush()
        await queue_build(self._session, self._deps.queue, row.workspace_id, version)
        return BuildAnswer(build=to_version_build(version))

    async def _get(self, principal: Principal, project_id: str, number: int) -> ProjectVersionRow:
        return await self._records.get_version(await self._records.get(principal, project_id), number)

    async def _load_archive(self, version: ProjectVersionRow) -> bytes:
        archive = await self._records.repository.get_archive(version.project_id, version.number)
        if archive is None:
            raise ProjectFileNotFound("archive", version.number)
        return archive


def _check_number(key: str | int) -> int:
    if not isinstance(key, int) or not 0 < key < 2**31:
        raise BadRequest("The cursor is not valid; start again without it.")
    return key
