"""The record of a workflow: finding it, adding a version to it, showing it."""

from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.workflows import WorkflowRow, WorkflowVersionRow
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.workflows import rules
from crewai_runner.features.workflows.errors import VersionNotFound, WorkflowNameTaken, WorkflowNotFound
from crewai_runner.features.workflows.repository import WorkflowRepository
from crewai_runner.features.workflows.schemas import WorkflowEntry, WorkflowRead

Answer = TypeVar("Answer", bound=BaseModel)


class WorkflowRecords:
    """What services of workflows have in common."""

    def __init__(self, session: AsyncSession) -> None:
        self.rows = WorkflowRepository(session)

    async def get(self, principal: Principal, workflow_id: str) -> WorkflowRow:
        """Raises WorkflowNotFound, also for another workspace's."""
        row = None
        if has_prefix(workflow_id, Prefix.WORKFLOW):
            row = await self.rows.get(workflow_id, principal.workspace_id)
        if row is None:
            raise WorkflowNotFound(workflow_id)
        return row

    async def get_locked(self, principal: Principal, workflow_id: str) -> WorkflowRow:
        """The workflow, to be changed. Raises WorkflowNotFound."""
        row = None
        if has_prefix(workflow_id, Prefix.WORKFLOW):
            row = await self.rows.get_locked(workflow_id, principal.workspace_id)
        if row is None:
            raise WorkflowNotFound(workflow_id)
        return row

    async def version(self, row: WorkflowRow, number: int | None = None) -> WorkflowVersionRow:
        """One version, None is the newest. Raises VersionNotFound."""
        number = row.newest_version if number is None else number
        version = await self.rows.version(row.id, row.workspace_id, number)
        if version is None:
            raise VersionNotFound(row.id, number)
        return version

    async def add(
        self, principal: Principal, text: str, definition: WorkflowDefinition, note: str | None
    ) -> WorkflowRead:
        """A new workflow with its first version. Raises WorkflowNameTaken."""
        row = WorkflowRow(
            id=new_id(Prefix.WORKFLOW),
            workspace_id=principal.workspace_id,
            newest_version=0,
            version=0,
            created_at=now(),
        )
        return read(row, await self.add_version(principal, row, text, definition, note))

    async def add_version(
        self,
        principal: Principal,
        row: WorkflowRow,
        text: str,
        definition: WorkflowDefinition,
        note: str | None,
    ) -> WorkflowVersionRow:
        """The next version; the document's name becomes the workflow's. Raises WorkflowNameTaken."""
        written = await self.rows.write(
            row,
            name=definition.name,
            description=definition.description,
            newest_version=row.newest_version + 1,
            version=row.version + 1,
            updated_at=now(),
        )
        if not written:
            raise await self._name_taken(principal, definition.name)
        version = WorkflowVersionRow(
            workflow_id=row.id,
            number=row.newest_version,
            yaml=text,
            definition=definition.model_dump(mode="json"),
            note=note,
            created_by=principal.subject,
            created_at=row.updated_at,
        )
        await self.rows.add_version(version)
        return version

    async def _name_taken(self, principal: Principal, name: str) -> WorkflowNameTaken:
        owner = await self.rows.named(name, principal.workspace_id)
        taken = await self.rows.names_beginning(rules.name_stem(name), principal.workspace_id)
        return WorkflowNameTaken(name, owner.id if owner else None, rules.free_name(name, taken))


def read(row: WorkflowRow, version: WorkflowVersionRow) -> WorkflowRead:
    entry = WorkflowEntry.model_validate(row)
    return WorkflowRead(
        **entry.model_dump(by_alias=False),
        yaml=version.yaml,
        definition=WorkflowDefinition.model_validate(version.definition),
        note=version.note,
        created_by=version.created_by,
    )


def veiled(answer: Answer, mask: SecretMask) -> Answer:
    """The answer without stored secrets: a value may have become one after the document was saved."""
    if not mask.contains_secret(answer.model_dump_json()):
        return answer
    return type(answer).model_validate(mask.mask_json(answer.model_dump(mode="json")))
