"""FastAPI dependencies of the workflow endpoints."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import IO, Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest, TooLarge
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.text import decode_text
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.errors import ContentTypeUnknown
from crewai_runner.features.workflows.import_export.export import WorkflowExport
from crewai_runner.features.workflows.import_export.imports import WorkflowImports
from crewai_runner.features.workflows.import_export.uploads import (
    Upload,
    upload_from_archive,
    upload_from_document,
    upload_from_json,
)
from crewai_runner.features.workflows.schemas import WorkflowImport
from crewai_runner.features.workflows.service import DocumentChecker, WorkflowService
from crewai_runner.features.workflows.versions.history import WorkflowHistory
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

MAX_UPLOAD_BYTES = 4 * 1024 * 1024
MAX_ARCHIVE_BYTES = 64 * 1024 * 1024
IMPORT_PATHS = r"/workflows/import(?:/preview)?"
"""The paths below the version of the API whose bodies may be archives."""
_MAX_BYTES_IN_MEMORY = 4 * 1024 * 1024
"""The size of a body above which it is written to a temporary file."""
_BYTES_PER_WRITE = 1024 * 1024
JSON_TYPES = ("application/json",)
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
ZIP_TYPES = ("application/zip", "application/x-zip-compressed")

Reader = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.WORKFLOWS_WRITE))]
QueryNumber = Annotated[int, Query(ge=1, le=2**31 - 1)]
VersionNumber = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of the version, starting at 1.")]


@dataclass(frozen=True, slots=True)
class WorkflowDeps:
    """Dependencies of the workflow services, built by the container."""

    mask: SecretMask
    models: Callable[[AsyncSession], ModelService]
    checker: DocumentChecker


_Deps = Annotated[WorkflowDeps, Depends(Provided(WorkflowDeps))]


async def _workflows(session: SessionDep, deps: _Deps) -> WorkflowService:
    return WorkflowService(session, deps.mask)


async def _workflows_to_read(session: ReadSessionDep, deps: _Deps) -> WorkflowService:
    return WorkflowService(session, deps.mask)


async def _history(session: SessionDep, deps: _Deps) -> WorkflowHistory:
    return WorkflowHistory(session, deps.mask)


async def _history_to_read(session: ReadSessionDep, deps: _Deps) -> WorkflowHistory:
    return WorkflowHistory(session, deps.mask)


async def _export(session: ReadSessionDep, deps: _Deps) -> WorkflowExport:
    return WorkflowExport(session, deps.mask, deps.models(session))


async def _imports(session: SessionDep, deps: _Deps) -> WorkflowImports:
    return WorkflowImports(session, deps.mask)


async def _imports_to_read(session: ReadSessionDep, deps: _Deps) -> WorkflowImports:
    return WorkflowImports(session, deps.mask)


async def _checker(deps: _Deps) -> DocumentChecker:
    return deps.checker


async def _upload(request: Request) -> AsyncIterator[Upload]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    reader = _READERS.get(content_type)
    if reader is None:
        raise ContentTypeUnknown(f"Send one of: {', '.join((*JSON_TYPES, YAML_TYPES[0], ZIP_TYPES[0]))}.")
    limit, read = reader
    with tempfile.SpooledTemporaryFile(_MAX_BYTES_IN_MEMORY) as body:
        await _spool_body(request, body, limit)
        yield await asyncio.to_thread(read, body)


def _read_json(body: IO[bytes]) -> Upload:
    try:
        return upload_from_json(WorkflowImport.model_validate_json(body.read()))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        located = [{**details, "loc": ("body", *details["loc"])} for details in errors]
        raise RequestValidationError(located) from None


def _read_yaml(body: IO[bytes]) -> Upload:
    try:
        return upload_from_document(decode_text(body.read()))
    except UnicodeDecodeError:
        raise BadRequest("The document is neither UTF-8 nor UTF-16 text. Save it as UTF-8.") from None


async def _spool_body(request: Request, body: IO[bytes], limit: int) -> None:
    """Write the request body to a file. Raises TooLarge above the limit."""
    chunks, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The upload is larger than {limit // 1024**2} MiB. Leave out data.")
        chunks += chunk
        if len(chunks) >= _BYTES_PER_WRITE:
            await asyncio.to_thread(body.write, bytes(chunks))
            chunks.clear()
    await asyncio.to_thread(body.write, bytes(chunks))
    body.seek(0)


_READERS: Mapping[str, tuple[int, Callable[[IO[bytes]], Upload]]] = (
    dict.fromkeys(JSON_TYPES, (MAX_UPLOAD_BYTES, _read_json))
    | dict.fromkeys(YAML_TYPES, (MAX_UPLOAD_BYTES, _read_yaml))
    | dict.fromkeys(ZIP_TYPES, (MAX_ARCHIVE_BYTES, upload_from_archive))
)

Workflows = Annotated[WorkflowService, Depends(_workflows, scope="function")]
WorkflowsToRead = Annotated[WorkflowService, Depends(_workflows_to_read, scope="function")]
History = Annotated[WorkflowHistory, Depends(_history, scope="function")]
HistoryToRead = Annotated[WorkflowHistory, Depends(_history_to_read, scope="function")]
Imports = Annotated[WorkflowImports, Depends(_imports, scope="function")]
ImportsToRead = Annotated[WorkflowImports, Depends(_imports_to_read, scope="function")]
Exports = Annotated[WorkflowExport, Depends(_export, scope="function")]
Documents = Annotated[DocumentChecker, Depends(_checker)]
ChosenCrews = Annotated[
    list[str],
    Query(
        alias="crew",
        default_factory=list,
        max_length=20,
        description="The crews to import, by `source` in the preview; repeat it. All of them if omitted.",
    ),
]
ImportUpload = Annotated[Upload, Depends(_upload)]
