"""Uploaded documents and projects, and their conversion to a document."""

import asyncio
import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO

from pydantic import BaseModel

from crewai_runner.domain.workflow_yaml.crewai_files import NotACrewProject
from crewai_runner.domain.workflow_yaml.crewai_import import (
    ImportedProject,
    ProjectFiles,
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.imported_document import ImportedDocument
from crewai_runner.features.workflows.errors import ProjectUnreadable
from crewai_runner.features.workflows.import_export.archive import read_archive
from crewai_runner.features.workflows.schemas import ImportSelection, UploadDigest, WorkflowImport

_CREW_FILE = re.compile(r"(^|/)(crew\.jsonc?|(agents|tasks)\.ya?ml)$", re.IGNORECASE)
_BYTES_PER_READ = 1024 * 1024
_DOCUMENT_KEY = re.compile(r"^(agents|crew|workflow)[ \t]*:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded document or project. `request` identifies it for idempotency; `convert` may be slow."""

    request: BaseModel
    note: str | None
    convert: Callable[[Registry], ImportedProject]
    can_be_renamed: bool = True
    """Whether a workflow may get another name than the uploaded one, because that name is taken."""

    async def read(self, registry: Registry) -> ImportedProject:
        """Convert the upload to documents, at least one. Raises ArchiveRefused, ProjectUnreadable."""
        try:
            return await asyncio.to_thread(self.convert, registry)
        except NotACrewProject as error:
            raise ProjectUnreadable(str(error), error.problems) from None

    def choose(self, crews: Sequence[str]) -> "Upload":
        """Return the upload identified together with the crews that are chosen of it; none means all."""
        if not crews:
            return self
        selection = ImportSelection(upload=self.request.model_dump(mode="json"), crews=sorted(crews))
        return replace(self, request=selection)


def upload_from_json(request: WorkflowImport) -> Upload:
    """Create an upload from JSON with a document, the two files of a CrewAI project, or all of its files."""
    crew = {"name": request.name} if request.name else {}

    def convert(registry: Registry) -> ImportedProject:
        if request.yaml is not None:
            return ImportedProject([ImportedDocument(request.yaml)])
        if request.files is not None:
            return _convert_files(ProjectFiles(request.files, list(request.files)), registry)
        pair = from_crewai_files(request.agents_yaml or "", request.tasks_yaml or "", crew, registry)
        return ImportedProject([pair])

    return Upload(request, request.note, convert, can_be_renamed=not crew and request.yaml is None)


def upload_from_document(text: str) -> Upload:
    """Create an upload from the text of a document."""
    project = ImportedProject([ImportedDocument(text)])
    return Upload(WorkflowImport(yaml=text), None, lambda _registry: project, can_be_renamed=False)


def upload_from_archive(body: bytes | IO[bytes]) -> Upload:
    """Create an upload from a zip with a CrewAI project or with documents."""
    request = UploadDigest(sha256=_compute_digest(io.BytesIO(body) if isinstance(body, bytes) else body))

    def convert(registry: Registry) -> ImportedProject:
        return _convert_files(read_archive(body), registry)

    return Upload(request, "Imported from an archive.", convert)


def _compute_digest(body: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := body.read(_BYTES_PER_READ):
        digest.update(chunk)
    return digest.hexdigest()


def _convert_files(files: ProjectFiles, registry: Registry) -> ImportedProject:
    documents = _find_documents(files.texts)
    if documents:
        return ImportedProject([ImportedDocument(files.texts[path], source=path) for path in documents])
    return from_crewai_project(files, registry)


def _find_documents(files: Mapping[str, str]) -> list[str]:
    """Return the only YAML file, or those that are workflow documents; none if there is a CrewAI project."""
    if any(_CREW_FILE.search(path) for path in files) or any("Crew(" in text for text in files.values()):
        return []
    found = [path for path in files if path.lower().endswith((".yaml", ".yml"))]
    return found if len(found) == 1 else [path for path in found if _DOCUMENT_KEY.search(files[path])]
