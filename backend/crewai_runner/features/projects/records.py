"""Reads projects with their versions, and converts them to responses."""

from collections.abc import Mapping

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import MIN_SECRET_LENGTH
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.projects import ProjectRow, ProjectSecretRow, ProjectVersionRow
from crewai_runner.domain.project import EntryPoint, ProjectInspection
from crewai_runner.executor.projects.bridge.environment import list_provided_names
from crewai_runner.features.projects.errors import ProjectInvalid, ProjectNotFound, ProjectVersionNotFound
from crewai_runner.features.projects.repository import ProjectRepository, ProjectSecretRepository
from crewai_runner.features.projects.rules import split_secrets
from crewai_runner.features.projects.schemas import (
    MAX_SECRETS,
    BuildState,
    ProjectEntry,
    ProjectRead,
    VersionBuild,
    VersionDetails,
    VersionEntry,
)


class ProjectRecords:
    """Reads projects of the principal's workspace."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self.repository = ProjectRepository(session)
        self.secrets = ProjectSecretRepository(session)

    async def get(self, principal: Principal, project_id: str, *, lock: bool = False) -> ProjectRow:
        """Return the project, locked if requested. Raises ProjectNotFound, also for another workspace's."""
        row = None
        if has_prefix(project_id, Prefix.PROJECT):
            row = await self.repository.get(project_id, principal.workspace_id, lock=lock)
        if row is None:
            raise ProjectNotFound(project_id)
        return row

    async def get_version(
        self, row: ProjectRow, number: int | None = None, *, lock: bool = False
    ) -> ProjectVersionRow:
        """Return one version; `number` None is the newest. Raises ProjectVersionNotFound."""
        number = row.newest_version if number is None else number
        version = await self.repository.get_version(row.id, row.workspace_id, number, lock=lock)
        if version is None:
            raise ProjectVersionNotFound(row.id, number)
        return version

    async def seal(
        self, principal: Principal, row: ProjectRow, name: str, value: str, cipher: SecretCipher
    ) -> None:
        """Set or replace a secret of a project that is locked."""
        secret = await self.secrets.get(row.id, name) or ProjectSecretRow(project_id=row.id, name=name)
        secret.sealed_value = cipher.encrypt(value)
        secret.created_by, secret.updated_at = principal.subject, now()
        await self.secrets.save(secret)

    async def seal_all(
        self,
        principal: Principal,
        row: ProjectRow,
        environment: Mapping[str, SecretStr],
        cipher: SecretCipher,
    ) -> tuple[list[str], list[str]]:
        """Store the variables of `.env` files as secrets; return their names, and warnings.

        A value that was set before is kept: it may be newer than the one in the upload.
        """
        existing = {secret.name for secret in await self.secrets.list_all(row.id)}
        usable, refused = split_secrets(
            {name: value.get_secret_value() for name, value in environment.items()}
        )
        new = sorted(usable.keys() - existing)
        kept = sorted(usable.keys() & existing)
        over = new[max(0, MAX_SECRETS - len(existing)) :]
        new = new[: len(new) - len(over)]
        for name in new:
            await self.seal(principal, row, name, usable[name], cipher)
        short = [name for name in new if len(usable[name]) < MIN_SECRET_LENGTH]
        texts = (
            (
                f"Shorter than {MIN_SECRET_LENGTH} characters, and so not masked in what runs print: {{}}.",
                short,
            ),
            ("The values of the upload were not taken, because the project has these secrets: {}.", kept),
            ("These variables of the upload cannot be secrets and were left out: {}.", refused),
            (f"A project has at most {MAX_SECRETS} secrets; these were left out: {{}}.", over),
        )
        return new, [text.format(", ".join(names)) for text, names in texts if names]

    async def read(self, row: ProjectRow) -> ProjectRead:
        """Return the response that describes a project."""
        version = await self.get_version(row)
        secrets = await self.secrets.list_all(row.id)
        await load_subject_names(self._session, [version])
        details = to_version_details(version)
        return ProjectRead(
            **to_project_entry(row, version.build_state).model_dump(by_alias=False),
            entry_point=None if row.entry_point is None else EntryPoint.model_validate(row.entry_point),
            model_map=row.model_map,
            allowed_hosts=row.allowed_hosts,
            approver=row.approver,
            secret_names=[secret.name for secret in secrets],
            provided_names=list_provided_names(details.inspection.environment_names),
            version=details,
        )


def to_project_entry(row: ProjectRow, build_state: str) -> ProjectEntry:
    return ProjectEntry(
        id=row.id,
        name=row.name,
        slug=row.slug,
        description=row.description,
        newest_version=row.newest_version,
        status=BuildState(build_state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.version,
    )


def to_version_entry(row: ProjectVersionRow) -> VersionEntry:
    return VersionEntry(
        number=row.number,
        status=BuildState(row.build_state),
        content_hash=row.content_hash,
        archive_size=row.archive_size,
        note=row.note,
        created_by=row.created_by,
        created_by_name=row.created_by_name or "",
        created_at=row.created_at,
    )


def to_version_details(row: ProjectVersionRow) -> VersionDetails:
    return VersionDetails(
        **to_version_entry(row).model_dump(by_alias=False),
        inspection=ProjectInspection.model_validate(row.inspection),
        build=to_version_build(row),
    )


def to_version_build(row: ProjectVersionRow) -> VersionBuild:
    return VersionBuild(
        status=BuildState(row.build_state),
        number=row.build_number,
        error=row.build_error,
        lock_hash=row.lock_hash,
        started_at=row.build_started_at,
        finished_at=row.build_finished_at,
    )


def require_entry_point(
    row: ProjectRow, version: ProjectVersionRow, inspection: ProjectInspection
) -> EntryPoint:
    """Return the chosen entry point if the version has its file, else the first one that was found."""
    if row.entry_point is not None:
        chosen = EntryPoint.model_validate(row.entry_point)
        if any(file["path"] == chosen.path for file in version.files):
            return chosen
    if not inspection.entry_points:
        raise ProjectInvalid(
            "/projectId",
            "No crew, Flow or script was found in the project. Choose the `entryPoint` that starts it.",
        )
    return inspection.entry_points[0]
