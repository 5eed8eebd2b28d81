"""Imports documents and projects as new workflows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.omissions import ImportFinding, LossKind, Omission
from crewai_runner.domain.workflow_yaml.problems import Problem, Severity
from crewai_runner.domain.workflow_yaml.renaming import rename
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.workflows.crud.checked_document import CheckedDocument
from crewai_runner.features.workflows.crud.names import suggest_unused_name
from crewai_runner.features.workflows.crud.records import WorkflowRecords, redact_secrets
from crewai_runner.features.workflows.errors import format_problem
from crewai_runner.features.workflows.import_export.uploads import Upload
from crewai_runner.features.workflows.schemas import (
    ImportedCrew,
    ImportPreview,
    WorkflowEntry,
    WorkflowImported,
)
from crewai_runner.features.workflows.service import DocumentChecker

NAME_TAKEN = "name-taken"
SEVERAL_CREWS = "several-crews"


@dataclass(frozen=True, slots=True)
class CheckedCrew:
    """The document of one crew, and what was left out of it or changed in it."""

    source: str
    document: CheckedDocument
    warnings: list[ImportFinding]

    @property
    def is_valid(self) -> bool:
        return self.document.definition is not None and not self.document.problems


@dataclass(frozen=True, slots=True)
class CheckedImport:
    """The crews of an upload, and what of it belongs to none of them."""

    crews: Sequence[CheckedCrew]
    warnings: list[ImportFinding]

    @property
    def valid(self) -> list[CheckedCrew]:
        return [crew for crew in self.crews if crew.is_valid]


async def check_import(
    checker: DocumentChecker, principal: Principal, upload: Upload, chosen: Sequence[str] = ()
) -> CheckedImport:
    """Convert and validate an upload; `chosen` are the sources of the crews to take, all if empty.

    A project gets another name if its own is taken. Raises ArchiveRefused, ProjectUnreadable, BadRequest
    for an unknown crew.
    """
    project = await upload.read(await checker.get_registry(principal))
    unknown = set(chosen) - {draft.source for draft in project.documents}
    if unknown:
        raise BadRequest(f"The upload has no crew `{min(unknown)}`. Name crews as their `source` says.")
    drafts = [draft for draft in project.documents if not chosen or draft.source in chosen]
    names: set[str] = set()
    crews: list[CheckedCrew] = []
    for draft in drafts:
        document = await checker.check(principal, draft.text)
        warnings = list(draft.warnings)
        if document.definition is not None and not document.problems:
            if upload.can_be_renamed:
                document, renamed = await _with_unused_name(checker, principal, document, names)
                warnings += [_with_crew(warning, draft.source) for warning in renamed]
            warnings += [_with_crew(warning, draft.source) for warning in document.warnings]
        crews.append(CheckedCrew(draft.source, document, warnings))
    return CheckedImport(crews, project.warnings)


def _list_warnings(checked: CheckedImport) -> list[ImportFinding]:
    """Return the warnings of all crews. Of several crews, those that are not valid are warnings too."""
    several = len(checked.crews) > 1
    warnings: list[ImportFinding] = []
    if several:
        listed = ", ".join(f"`{crew.document.require_definition().name}`" for crew in checked.valid)
        message = f"The project has {len(checked.crews)} crews; each valid one is a workflow: {listed}."
        warnings.append(_with_crew(_warn("", SEVERAL_CREWS, message), ""))
    for crew in checked.crews:
        found = crew.warnings if crew.is_valid else [*crew.warnings, _describe_invalid(crew)]
        warnings += [_name_source(warning, crew.source) for warning in found] if several else found
    return warnings + checked.warnings


async def _with_unused_name(
    checker: DocumentChecker, principal: Principal, document: CheckedDocument, names: set[str]
) -> tuple[CheckedDocument, list[Problem]]:
    """Return the document with a name that neither a workflow nor `names` has; add it to `names`."""
    name = document.require_definition().name
    used = await checker.list_similar_names(principal, name) | names
    unused = name if name not in used else suggest_unused_name(name, used)
    names.add(unused)
    if unused == name:
        return document, []
    text = await asyncio.to_thread(rename, document.text, unused)
    message = f"The name `{name}` is taken: the workflow is named `{unused}`."
    return await checker.check(principal, text), [_warn("name", NAME_TAKEN, message)]


def _describe_invalid(crew: CheckedCrew) -> ImportFinding:
    reasons = " ".join(format_problem(problem) for problem in crew.document.problems[:3])
    file, _, line = crew.source.rpartition(":")
    place = (file, int(line)) if file and line.isdecimal() else (crew.source, 0)
    reason = f"The crew is not valid. {reasons}"
    return Omission(crew.source, reason, LossKind.CREW, *place).to_finding(crew.source)


def _name_source(warning: ImportFinding, source: str) -> ImportFinding:
    return warning.model_copy(update={"message": f"{source}: {warning.message}"})


def _with_crew(problem: Problem, source: str) -> ImportFinding:
    return ImportFinding(**problem.model_dump(by_alias=False), crew=source)


def _warn(path: str, code: str, message: str) -> Problem:
    return Problem(line=0, column=0, path=path, code=code, message=message, severity=Severity.WARNING)


class WorkflowImports:
    """Creates the workflows of an import."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._records = WorkflowRecords(session)
        self._mask = mask

    def preview(self, principal: Principal, checked: CheckedImport) -> ImportPreview:
        """Return what an import would save and leave out."""
        crews = [
            ImportedCrew(
                source=crew.source,
                name=crew.document.require_definition().name if crew.is_valid else "",
                yaml=crew.document.text,
                definition=crew.document.definition if crew.is_valid else None,
                problems=list(crew.document.problems),
                warnings=crew.warnings,
            )
            for crew in checked.crews
        ]
        preview = ImportPreview(crews=crews, warnings=checked.warnings)
        return redact_secrets(preview, self._mask, principal)

    async def create(
        self, principal: Principal, upload: Upload, checked: CheckedImport, key: str | None
    ) -> WorkflowImported:
        """Create all valid workflows, or none.

        Raises DocumentInvalid if there is none, WorkflowNameTaken, IdempotencyKeyReused.
        """
        if not checked.valid:
            checked.crews[0].document.require_definition("/yaml")

        async def create() -> WorkflowImported:
            documents = [crew.document for crew in checked.valid]
            definitions = [(document.text, document.require_definition()) for document in documents]
            return await self._create_all(principal, definitions, upload.note, _list_warnings(checked))

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "workflows:import_workflow", key
        )
        return redact_secrets(
            await idempotent(WorkflowImported, upload.request, create), self._mask, principal
        )

    async def _create_all(
        self,
        principal: Principal,
        definitions: list[tuple[str, WorkflowDefinition]],
        note: str | None,
        warnings: list[ImportFinding],
    ) -> WorkflowImported:
        created = [
            await self._records.create(principal, text, definition, note) for text, definition in definitions
        ]
        fields = set(WorkflowEntry.model_fields)
        entries = [
            WorkflowEntry.model_validate(workflow.model_dump(include=fields, by_alias=False))
            for workflow in created
        ]
        return WorkflowImported(workflow=created[0], workflows=entries, warnings=warnings)
