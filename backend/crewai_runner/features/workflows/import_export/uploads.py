"""Uploaded documents and projects, and their conversion to a document."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from crewai_runner.domain.workflow_yaml.crewai_files import NotACrewProject
from crewai_runner.domain.workflow_yaml.crewai_import import (
    ImportedDocument,
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.features.workflows.errors import ProjectUnreadable
from crewai_runner.features.workflows.import_export.archive import read_archive
from crewai_runner.features.workflows.schemas import UploadDigest, WorkflowImport

_CREW_FILE = re.compile(r"(^|/)(crew\.jsonc?|(agents|tasks)\.ya?ml)$", re.IGNORECASE)
_DOCUMENT_KEY = re.compile(r"^(agents|crew|workflow)[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded document or project. `request` identifies it for idempotency; `convert` may be slow."""

    request: BaseModel
    note: str | None
    convert: Callable[[Registry], list[ImportedDocument]]
    can_be_renamed: bool = True
    """Whether a workflow may get another name than the uploaded one, because that name is taken."""

    async def documents(self, registry: Registry) -> list[ImportedDocument]:
        """Convert the upload to documents, at least one. Raises ArchiveRefused, ProjectUnreadable."""
        try:
            return await asyncio.to_thread(self.convert, registry)
        except NotACrewProject as error:
            raise ProjectUnreadable(str(error), error.problems) from None


def upload_from_json(request: WorkflowImport) -> Upload:
    """Create an upload from JSON with a document or the two files of a CrewAI project."""
    crew = {"name": request.name} if request.name else {}

    def convert(registry: Registry) -> list[ImportedDocument]:
        if request.yaml is not None:
            return [ImportedDocument(request.yaml)]
        return [from_crewai_files(request.agents_yaml or "", request.tasks_yaml or "", crew, registry)]

    return Upload(request, request.note, convert, can_be_renamed=not crew and request.yaml is None)


def upload_from_document(text: str) -> Upload:
    """Create an upload from the text of a document."""
    return Upload(
        WorkflowImport(yaml=text), None, lambda _registry: [ImportedDocument(text)], can_be_renamed=False
    )


def upload_from_archive(body: bytes) -> Upload:
    """Create an upload from a zip with a CrewAI project or with documents."""
    digest = UploadDigest(sha256=hashlib.sha256(body).hexdigest())
    return Upload(digest, "Imported from an archive.", lambda registry: _convert_archive(body, registry))


def _convert_archive(body: bytes, registry: Registry) -> list[ImportedDocument]:
    files = read_archive(body)
    documents = _find_documents(files)
    if documents:
        return [ImportedDocument(files[path], source=path) for path in documents]
    return from_crewai_project(files, registry)


def _find_documents(files: Mapping[str, str]) -> list[str]:
    """Return the only YAML file, or those that are workflow documents; none if there is a CrewAI project."""
    if any(_CREW_FILE.search(path) for path in files):
        return []
    found = [path for path in files if path.lower().endswith((".yaml", ".yml"))]
    return found if len(found) == 1 else [path for path in found if _DOCUMENT_KEY.search(files[path])]
