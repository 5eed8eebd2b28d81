"""FastAPI dependencies of the workflow endpoints."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

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


async def _checker(deps: _Deps) -> DocumentChecker:
    return deps.checker


async def _upload(request: Request) -> Upload:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    read = _READERS.get(content_type)
    if read is None:
        raise ContentTypeUnknown(f"Send one of: {', '.join((*JSON_TYPES, YAML_TYPES[0], ZIP_TYPES[0]))}.")
    return await read(request)


async def _read_json(request: Request) -> Upload:
    try:
        return upload_from_json(WorkflowImport.model_validate_json(await _read_body(request)))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        located = [{**details, "loc": ("body", *details["loc"])} for details in errors]
        raise RequestValidationError(located) from None


async def _read_yaml(request: Request) -> Upload:
    try:
        return upload_from_document(decode_text(await _read_body(request)))
    except UnicodeDecodeError:
        raise BadRequest("The document is neither UTF-8 nor UTF-16 text. Save it as UTF-8.") from None


async def _read_zip(request: Request) -> Upload:
    return upload_from_archive(await _read_body(request))


async def _read_body(request: Request) -> bytes:
    """Read the request body. Raises TooLarge above the limit."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UPLOAD_BYTES:
            raise TooLarge(
                f"The upload is larger than {MAX_UPLOAD_BYTES // 1024**2} MiB. Of a CrewAI project, only "
                "YAML, JSON, TOML and Python files are read: leave out the others."
            )
        chunks.append(chunk)
    return b"".join(chunks)


_READERS: Mapping[str, Callable[[Request], Awaitable[Upload]]] = (
    dict.fromkeys(JSON_TYPES, _read_json)
    | dict.fromkeys(YAML_TYPES, _read_yaml)
    | dict.fromkeys(ZIP_TYPES, _read_zip)
)

Workflows = Annotated[WorkflowService, Depends(_workflows, scope="function")]
WorkflowsToRead = Annotated[WorkflowService, Depends(_workflows_to_read, scope="function")]
History = Annotated[WorkflowHistory, Depends(_history, scope="function")]
HistoryToRead = Annotated[WorkflowHistory, Depends(_history_to_read, scope="function")]
Imports = Annotated[WorkflowImports, Depends(_imports, scope="function")]
Exports = Annotated[WorkflowExport, Depends(_export, scope="function")]
Documents = Annotated[DocumentChecker, Depends(_checker)]
ImportUpload = Annotated[Upload, Depends(_upload)]
