"""Uploaded documents and projects, and their conversion to a document."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from crewai_runner.domain.workflow_yaml.crewai_import import (
    NotACrewProject,
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.features.workflows.errors import ProjectUnreadable
from crewai_runner.features.workflows.import_export.archive import read_archive
from crewai_runner.features.workflows.schemas import UploadDigest, WorkflowImport


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded document or project. `request` identifies it for idempotency; `convert` may be slow."""

    request: BaseModel
    note: str | None
    convert: Callable[[], str]

    async def text(self) -> str:
        """Convert the upload to the text of a document. Raises ArchiveRefused, ProjectUnreadable."""
        try:
            return await asyncio.to_thread(self.convert)
        except NotACrewProject as error:
            raise ProjectUnreadable(str(error), error.problems) from None


def upload_from_json(request: WorkflowImport) -> Upload:
    """Create an upload from JSON with a document or the two files of a CrewAI project."""
    crew = {"name": request.name} if request.name else {}

    def convert() -> str:
        if request.yaml is not None:
            return request.yaml
        return from_crewai_files(request.agents_yaml or "", request.tasks_yaml or "", crew)

    return Upload(request, request.note, convert)


def upload_from_document(text: str) -> Upload:
    """Create an upload from the text of a document."""
    return Upload(WorkflowImport(yaml=text), None, lambda: text)


def upload_from_archive(body: bytes) -> Upload:
    """Create an upload from a zip with a CrewAI project or a single document."""
    digest = UploadDigest(sha256=hashlib.sha256(body).hexdigest())
    return Upload(digest, "Imported from an archive.", lambda: _convert_archive(body))


def _convert_archive(body: bytes) -> str:
    files = read_archive(body)
    return _find_single_document(files) or from_crewai_project(files)


def _find_single_document(files: Mapping[str, str]) -> str | None:
    """Return the text of the only YAML file; None if there are several or any JSON files."""
    documents = [path for path in files if path.lower().endswith((".yaml", ".yml"))]
    others = [path for path in files if path.lower().endswith((".json", ".jsonc"))]
    return files[documents[0]] if len(documents) == 1 and not others else None
