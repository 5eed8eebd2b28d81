"""Reads and writes workflows with their versions, for the services of this feature."""

from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.workflows.crud.names import is_slug, make_slug, strip_number, suggest_unused_name
from crewai_runner.features.workflows.errors import VersionNotFound, WorkflowNameTaken, WorkflowNotFound
from crewai_runner.features.workflows.repository import WorkflowRepository
from crewai_runner.features.workflows.schemas import WorkflowEntry, WorkflowRead

Response = TypeVar("Response", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of a workflow with its parsed definition."""

    row: WorkflowVersionRow
    definition: WorkflowDefinition


class WorkflowRecords:
    """Reads and writes workflows of the principal's workspace."""

    def __init__(self, session: AsyncSession) -> None:
        self.repository = WorkflowRepository(session)

    async def get(self, principal: Principal, workflow_id: str, *, lock: bool = False) -> WorkflowRow:
        """Return the workflow, locked if requested. Raises WorkflowNotFound, also for another workspace's."""
        row = None
        if has_prefix(workflow_id, Prefix.WORKFLOW):
            read = self.repository.get_for_update if lock else self.repository.get
            row = await read(workflow_id, principal.workspace_id)
        if row is None:
            raise WorkflowNotFound(workflow_id)
        return row

    async def get_version(self, row: WorkflowRow, number: int | None = None) -> StoredVersion:
        """Return one version; `number` None is the newest. Raises VersionNotFound."""
        number = row.newest_version if number is None else number
        version = await self.repository.get_version(row.id, row.workspace_id, number)
        if version is None:
            raise VersionNotFound(row.id, number)
        await self.repository.load_names([version])
        return StoredVersion(version, version.parsed_definition)

    async def create(
        self, principal: Principal, text: str, definition: WorkflowDefinition, note: str | None
    ) -> WorkflowRead:
        """Create a workflow with its first version. Raises WorkflowNameTaken."""
        row = WorkflowRow(
            id=new_id(Prefix.WORKFLOW),
            workspace_id=principal.workspace_id,
            newest_version=0,
            version=0,
            created_at=now(),
        )
        base = make_slug(definition.name)
        slug = make_slug(definition.name, await self.repository.reserve_slugs(base, principal.workspace_id))
        return to_workflow_read(row, await self.add_version(principal, row, text, definition, note, slug))

    async def get_by_slug(self, principal: Principal, slug: str) -> WorkflowRow:
        """Return the workflow with this slug or id. Raises WorkflowNotFound."""
        if has_prefix(slug, Prefix.WORKFLOW):
            return await self.get(principal, slug)
        row = await self.repository.get_by_slug(slug, principal.workspace_id) if is_slug(slug) else None
        if row is None:
            raise WorkflowNotFound(slug)
        return row

    async def add_version(
        self,
        principal: Principal,
        row: WorkflowRow,
        text: str,
        definition: WorkflowDefinition,
        note: str | None,
        slug: str | None = None,
    ) -> StoredVersion:
        """Create the next version, and name the workflow after its document; `slug` only for a new one.

        Raises WorkflowNameTaken.
        """
        new_columns = {} if slug is None else {"slug": slug}
        written = await self.repository.write(
            row,
            **new_columns,
            name=definition.name,
            description=definition.description,
            newest_version=row.newest_version + 1,
            version=row.version + 1,
            updated_at=now(),
        )
        if not written:
            raise await self._build_name_taken(principal, definition.name)
        version = WorkflowVersionRow(
            workflow_id=row.id,
            number=row.newest_version,
            yaml=text,
            definition=definition.model_dump(mode="json"),
            note=note,
            created_by=principal.subject,
            created_at=row.updated_at,
        )
        await self.repository.add_version(version)
        await self.repository.load_names([version])
        return StoredVersion(version, definition)

    async def _build_name_taken(self, principal: Principal, name: str) -> WorkflowNameTaken:
        owner = await self.repository.get_by_name(name, principal.workspace_id)
        used = await self.repository.list_names_starting_with(strip_number(name), principal.workspace_id)
        return WorkflowNameTaken(name, owner.id if owner else None, suggest_unused_name(name, used))


def to_workflow_read(row: WorkflowRow, version: StoredVersion) -> WorkflowRead:
    entry = WorkflowEntry.model_validate(row)
    return WorkflowRead(
        **entry.model_dump(by_alias=False),
        yaml=version.row.yaml,
        definition=version.definition,
        note=version.row.note,
        created_by=version.row.created_by,
        created_by_name=version.row.created_by_name or "",
    )


def redact_secrets(response: Response, secrets: SecretMask, principal: Principal) -> Response:
    """Redact a workspace's secrets in a response: a value can become one after the document was saved."""
    mask = secrets.scoped(principal.workspace_id)
    if not mask.contains_secret(response.model_dump_json()):
        return response
    return clean_model(response, mask)
