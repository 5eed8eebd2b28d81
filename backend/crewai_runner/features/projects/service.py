"""Creates, reads, changes and deletes projects."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions
from crewai_runner.db.tables.projects import ProjectRow, ProjectVersionRow
from crewai_runner.domain.project import EntryPoint, ProjectInspection
from crewai_runner.domain.workflow import InputDefinition, WorkflowDefinition
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.projects.approver import set_approver
from crewai_runner.features.projects.errors import (
    ProjectInUse,
    ProjectInvalid,
    ProjectNotFound,
    ProjectNotReady,
    ProjectVersionNotFound,
)
from crewai_runner.features.projects.lookup import ProjectLookup
from crewai_runner.features.projects.records import ProjectRecords, require_entry_point, to_project_entry
from crewai_runner.features.projects.rules import (
    build_slug,
    find_unused_name,
    name_build_job,
    name_definition,
    suggest_model_map,
)
from crewai_runner.features.projects.schemas import (
    BuildState,
    ProjectPage,
    ProjectRead,
    ProjectUpdate,
    ProjectUploaded,
    RunnableProject,
    StoredCode,
)
from crewai_runner.features.projects.uploads import CheckedUpload
from crewai_runner.features.workspaces.service import WorkspaceQuota
from crewai_runner.queue.deferred import DeferredQueue

JSON_FIELDS = {"model_map", "allowed_hosts"}
MAX_BASE_NAME = 190
"""The length of a name before its number."""


@dataclass(frozen=True, slots=True)
class ProjectDeps:
    """Dependencies of the project services, built by the container."""

    sessions: Sessions
    queue: DeferredQueue
    cipher: SecretCipher
    models: Callable[[AsyncSession], ModelService]
    workspace_quota: WorkspaceQuota
    archive_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Limits the memory for archives: each one that is read or checked is loaded completely."""


class ProjectService:
    def __init__(self, session: AsyncSession, deps: ProjectDeps) -> None:
        self._session, self._deps = session, deps
        self._records = ProjectRecords(session)

    async def create(
        self, principal: Principal, upload: CheckedUpload, key: str | None = None
    ) -> ProjectUploaded:
        """Create a project with its first version and queue the build.

        A name that is taken gets a number. Raises IdempotencyKeyReused.
        """

        async def create() -> ProjectUploaded:
            row = await self._insert(principal, upload)
            return await self._add_version(principal, row, upload)

        idempotent = IdempotencyService(self._session, principal.workspace_id, "projects:create_project", key)
        return await idempotent(ProjectUploaded, upload.identity, create)

    async def upload(
        self, principal: Principal, project_id: str, upload: CheckedUpload, key: str | None = None
    ) -> ProjectUploaded:
        """Add a version and queue its build, unless the newest one has the same content.

        Raises ProjectNotFound, IdempotencyKeyReused.
        """

        async def add() -> ProjectUploaded:
            row = await self._records.get(principal, project_id, lock=True)
            newest = await self._records.get_version(row)
            if newest.content_hash == upload.archive.content_hash:
                warnings = [f"Version {newest.number} has the same content; no version was added."]
                return ProjectUploaded(
                    project=await self._records.read(row), sealed_names=[], warnings=warnings
                )
            row.newest_version, row.version, row.updated_at = row.newest_version + 1, row.version + 1, now()
            return await self._add_version(principal, row, upload)

        idempotent = IdempotencyService(self._session, principal.workspace_id, "projects:add_version", key)
        identity = upload.identity.model_copy(update={"project_id": project_id})
        return await idempotent(ProjectUploaded, identity, add)

    async def get(self, principal: Principal, project_id: str) -> ProjectRead:
        """Return a project with its newest version. Raises ProjectNotFound."""
        return await self._records.read(await self._records.get(principal, project_id))

    async def find_by_slug(self, principal: Principal, slug: str) -> str:
        """Return the id of the project with this slug or id. Raises ProjectNotFound."""
        return await ProjectLookup(self._session).find_by_slug(principal, slug)

    async def find_ready_version(self, principal: Principal, project_id: str) -> int | None:
        """Return the number of the newest version that can run, if there is one."""
        return await ProjectLookup(self._session).find_ready_version(principal, project_id)

    async def list_inputs(self, principal: Principal, project_id: str) -> list[InputDefinition]:
        """Return the inputs of the newest version that can run, else of the newest."""
        row = await self._records.get(principal, project_id)
        number = await self.find_ready_version(principal, project_id) or row.newest_version
        version = await self._records.get_version(row, number)
        return ProjectInspection.model_validate(version.inspection).inputs

    async def list_page(
        self, principal: Principal, text: str | None, limit: int, cursor: str | None
    ) -> ProjectPage:
        """Return one page, newest first. Raises BadRequest for an invalid cursor."""
        before = decode_id_cursor(cursor, Prefix.PROJECT)
        rows = await self._records.repository.list_page(principal.workspace_id, text, before, limit + 1)
        page = make_page(rows, limit, lambda row: row[0].id)
        entries = [to_project_entry(row, state) for row, state in page.items]
        return ProjectPage(projects=entries, next_cursor=page.next_cursor)

    async def update(
        self, principal: Principal, project_id: str, request: ProjectUpdate, expected: int | None
    ) -> ProjectRead:
        """Change the fields that were sent. Raises ProjectNotFound, StaleVersion, ProjectInvalid."""
        sent = request.model_fields_set
        row = await self._records.get(principal, project_id, lock=True)
        if "model_map" in sent:
            await self._check_models(principal, request.model_map)
        check_version(row.version, expected)
        for name in sent & {"name", "description", *JSON_FIELDS}:
            setattr(row, name, getattr(request, name))
        if "entry_point" in sent:
            row.entry_point = await self._check_entry_point(row, request.entry_point)
        if "approver" in sent:
            await set_approver(self._session, row, request.approver)
        row.version += 1
        row.updated_at = now()
        await self._session.flush()
        return await self._records.read(row)

    async def delete(self, principal: Principal, project_id: str, expected: int | None) -> None:
        """Delete a project with its versions, logs and secrets; its finished runs are kept.

        Raises ProjectNotFound, StaleVersion, ProjectInUse.
        """
        row = await self._records.get(principal, project_id, lock=True)
        check_version(row.version, expected)
        unfinished = await self._records.repository.count_unfinished_runs(row.id)
        if unfinished:
            raise ProjectInUse(unfinished)
        await self._records.repository.delete(row)

    async def resolve_run(self, principal: Principal, project_id: str, number: int | None) -> RunnableProject:
        """Return what a run of a version is started with; `number` None is the newest.

        Raises ProjectNotFound, ProjectVersionNotFound, ProjectNotReady, ProjectInvalid.
        """
        row = await self._records.get(principal, project_id)
        version = await self._records.get_version(row, number)
        if version.build_state != BuildState.READY:
            raise ProjectNotReady(row.id, version.number, version.build_state, version.build_error)
        inspection = ProjectInspection.model_validate(version.inspection)
        require_entry_point(row, version, inspection)
        definition = WorkflowDefinition(
            name=name_definition(row.name),
            agents=[],
            tasks=[],
            inputs=inspection.inputs,
            approver=row.approver,
        )
        return RunnableProject(row.id, version.number, definition, row.model_map, inspection.models)

    async def get_code(self, workspace_id: str, project_id: str, number: int) -> StoredCode:
        """Return what the worker executes, with decrypted secrets. Raises like `resolve_run`."""
        row = await self._records.repository.get(project_id, workspace_id)
        if row is None:
            raise ProjectNotFound(project_id)
        version = await self._records.get_version(row, number)
        inspection = ProjectInspection.model_validate(version.inspection)
        secrets = await self._records.secrets.list_all(row.id)
        return StoredCode(
            content_hash=version.content_hash,
            lock_hash=version.lock_hash,
            inspection=inspection,
            entry_point=require_entry_point(row, version, inspection),
            model_map=row.model_map,
            allowed_hosts=row.allowed_hosts,
            secrets={one.name: SecretStr(self._deps.cipher.decrypt(one.sealed_value)) for one in secrets},
        )

    async def get_archive(self, project_id: str, number: int) -> bytes:
        """Return the zip of a version, without a workspace check; for workers only."""
        archive = await self._records.repository.get_archive(project_id, number)
        if archive is None:
            raise ProjectVersionNotFound(project_id, number)
        return archive

    async def _insert(self, principal: Principal, upload: CheckedUpload) -> ProjectRow:
        """Insert a project with an unused slug, and a name that no project of the workspace has."""
        repository, workspace_id = self._records.repository, principal.workspace_id
        used = await repository.reserve_slugs(build_slug(upload.name), workspace_id)
        name = upload.name[:MAX_BASE_NAME]
        row = ProjectRow(
            id=new_id(Prefix.PROJECT),
            workspace_id=workspace_id,
            name=find_unused_name(name, await repository.list_names_starting_with(name, workspace_id)),
            slug=build_slug(upload.name, used),
        )
        row.model_map = await self._suggest_models(workspace_id, upload.inspection.models)
        await repository.add(row)
        return row

    async def _add_version(
        self, principal: Principal, row: ProjectRow, upload: CheckedUpload
    ) -> ProjectUploaded:
        version = ProjectVersionRow(
            project_id=row.id,
            number=row.newest_version,
            content_hash=upload.archive.content_hash,
            files=[file.model_dump(mode="json") for file in upload.files],
            inspection=upload.inspection.model_dump(mode="json"),
            note=upload.identity.note,
            created_by=principal.subject,
            build_state=BuildState.QUEUED,
            build_number=1,
            archive_size=len(upload.packed),
            archive=upload.packed,
        )
        await self._records.repository.add_version(version)
        sealed, warnings = await self._records.seal_all(
            principal, row, upload.archive.secrets, self._deps.cipher
        )
        await queue_build(self._session, self._deps.queue, row.workspace_id, version)
        read = await self._records.read(row)
        return ProjectUploaded(project=read, sealed_names=sealed, warnings=[*upload.warnings, *warnings])

    async def _suggest_models(self, workspace_id: str, named: Sequence[str]) -> dict[str, str]:
        """Return the map of models of a new project. A name or alias of a registered model needs no entry."""
        models = self._deps.models(self._session)
        known = (await models.list_names(workspace_id)).llms
        unknown = [name for name in named if name not in known]
        return suggest_model_map(unknown, await models.list_called_models(workspace_id))

    async def _check_models(self, principal: Principal, model_map: Mapping[str, str]) -> None:
        names = await self._deps.models(self._session).list_names(principal.workspace_id)
        known = set(names.llms) | set(names.embedders)
        for wanted, name in model_map.items():
            if name not in known:
                pointer = f"/modelMap/{wanted.replace('~', '~0').replace('/', '~1')}"
                raise ProjectInvalid(pointer, f"No model named {name!r} is registered.")

    async def _check_entry_point(
        self, row: ProjectRow, entry_point: EntryPoint | None
    ) -> dict[str, Any] | None:
        if entry_point is None:
            return None
        version = await self._records.get_version(row)
        if all(file["path"] != entry_point.path for file in version.files):
            raise ProjectInvalid("/entryPoint/path", f"The newest version has no file {entry_point.path!r}.")
        return entry_point.model_dump(mode="json")


async def queue_build(
    session: AsyncSession, queue: DeferredQueue, workspace_id: str, version: ProjectVersionRow
) -> None:
    """Submit the build of a version in the session's transaction. Raises Unavailable."""
    job = name_build_job(version.project_id, version.number)
    await queue.submit(session, job, version.build_number, tenant=workspace_id)
