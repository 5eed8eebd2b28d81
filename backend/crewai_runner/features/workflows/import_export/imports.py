"""Imports documents and projects as new workflows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.crewai_import import NOT_IMPORTED, ImportedDocument
from crewai_runner.domain.workflow_yaml.problems import Problem, Severity
from crewai_runner.domain.workflow_yaml.renaming import rename
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.workflows.crud.checked_document import CheckedDocument
from crewai_runner.features.workflows.crud.names import suggest_unused_name
from crewai_runner.features.workflows.crud.records import WorkflowRecords, redact_secrets
from crewai_runner.features.workflows.errors import format_problem
from crewai_runner.features.workflows.import_export.uploads import Upload
from crewai_runner.features.workflows.schemas import WorkflowEntry, WorkflowImported
from crewai_runner.features.workflows.service import DocumentChecker

NAME_TAKEN = "name-taken"
SEVERAL_CREWS = "several-crews"


@dataclass(frozen=True, slots=True)
class CheckedImport:
    """The documents of an upload, and the warnings of all of them."""

    documents: Sequence[CheckedDocument]
    warnings: list[Problem]


async def check_import(checker: DocumentChecker, principal: Principal, upload: Upload) -> CheckedImport:
    """Convert and validate an upload. Of several documents, those with problems become warnings.

    A project gets another name if its own is taken. Raises ArchiveRefused, ProjectUnreadable, and
    DocumentInvalid if no document is valid.
    """
    drafts = await upload.documents(await checker.get_registry(principal))
    checked = [await checker.check(principal, draft.text) for draft in drafts]
    valid = [document for document in checked if not document.problems]
    if not valid:
        checked[0].require_definition("/yaml")
    warnings: list[Problem] = []
    documents: list[CheckedDocument] = []
    names: set[str] = set()
    for draft, original in zip(drafts, checked, strict=True):
        document, found = original, list(draft.warnings)
        if original.definition is None or original.problems:
            found.append(_describe_invalid(draft, original))
        else:
            if upload.can_be_renamed:
                document, renamed = await _with_unused_name(checker, principal, original, names)
                found += renamed
            documents.append(document)
            found += document.warnings
        warnings += _name_source(found, draft.source) if len(drafts) > 1 else found
    if len(drafts) > 1:
        listed = ", ".join(f"`{document.require_definition().name}`" for document in documents)
        message = f"The project has {len(drafts)} crews; each valid one is a workflow: {listed}."
        warnings.insert(0, _warn("", SEVERAL_CREWS, message))
    return CheckedImport(documents, warnings)


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
    warning = _warn("name", NAME_TAKEN, message)
    return await checker.check(principal, text), [warning]


def _describe_invalid(draft: ImportedDocument, document: CheckedDocument) -> Problem:
    reasons = " ".join(format_problem(problem) for problem in document.problems[:3])
    return _warn(draft.source, NOT_IMPORTED, f"This crew was not imported. {reasons}")


def _name_source(warnings: list[Problem], source: str) -> list[Problem]:
    return [warning.model_copy(update={"message": f"{source}: {warning.message}"}) for warning in warnings]


def _warn(path: str, code: str, message: str) -> Problem:
    return Problem(line=0, column=0, path=path, code=code, message=message, severity=Severity.WARNING)


class WorkflowImports:
    """Creates the workflows of an import."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._records = WorkflowRecords(session)
        self._mask = mask

    async def create(
        self, principal: Principal, upload: Upload, checked: CheckedImport, key: str | None
    ) -> WorkflowImported:
        """Create all workflows or none. Raises WorkflowNameTaken, IdempotencyKeyReused."""

        async def create() -> WorkflowImported:
            definitions = [(document.text, document.require_definition()) for document in checked.documents]
            return await self._create_all(principal, definitions, upload.note, checked.warnings)

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
        warnings: list[Problem],
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
