"""What people upload, on its way to becoming a document."""

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
from crewai_runner.features.workflows.archive import read_archive
from crewai_runner.features.workflows.errors import ProjectUnreadable
from crewai_runner.features.workflows.schemas import UploadDigest, WorkflowImport


@dataclass(frozen=True, slots=True)
class Upload:
    """`request` tells uploads apart; `convert` makes the document's text, at the cost of some work."""

    request: BaseModel
    note: str | None
    convert: Callable[[], str]

    async def text(self) -> str:
        """The text of the document. Raises ArchiveRefused, ProjectUnreadable."""
        try:
            return await asyncio.to_thread(self.convert)
        except NotACrewProject as error:
            raise ProjectUnreadable(str(error), error.problems) from None


def request_upload(request: WorkflowImport) -> Upload:
    """A document, or CrewAI's two files, sent as JSON."""
    crew = {"name": request.name} if request.name else {}

    def convert() -> str:
        if request.yaml is not None:
            return request.yaml
        return from_crewai_files(request.agents_yaml or "", request.tasks_yaml or "", crew)

    return Upload(request, request.note, convert)


def document_upload(text: str) -> Upload:
    """A document sent as it is."""
    return Upload(WorkflowImport(yaml=text), None, lambda: text)


def archive_upload(body: bytes) -> Upload:
    """A zip with a project of CrewAI, or with a single document."""
    digest = UploadDigest(sha256=hashlib.sha256(body).hexdigest())
    return Upload(digest, "Imported from an archive.", lambda: _from_archive(body))


def _from_archive(body: bytes) -> str:
    files = read_archive(body)
    return _only_document(files) or from_crewai_project(files)


def _only_document(files: Mapping[str, str]) -> str | None:
    """The text of the one YAML file, when there is nothing of a project beside it."""
    documents = [path for path in files if path.lower().endswith((".yaml", ".yml"))]
    others = [path for path in files if path.lower().endswith((".json", ".jsonc"))]
    return files[documents[0]] if len(documents) == 1 and not others else None
