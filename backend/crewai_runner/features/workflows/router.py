"""Saved workflows over HTTP."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from crewai_runner.core.errors import BadRequest, StaleVersion, TooLarge
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.workflows.deps import (
    YAML_TYPES,
    ZIP_TYPES,
    Documents,
    Exports,
    ImportUpload,
    QueryNumber,
    Reader,
    StoredWorkflows,
    Workflows,
    Writer,
)
from crewai_runner.features.workflows.errors import (
    ArchiveRefused,
    ContentTypeUnknown,
    DocumentInvalid,
    VersionNotFound,
    WorkflowNameTaken,
    WorkflowNotFound,
)
from crewai_runner.features.workflows.schemas import (
    ExportFormat,
    WorkflowCreated,
    WorkflowEnvelope,
    WorkflowImport,
    WorkflowImported,
    WorkflowRead,
)
from crewai_runner.features.workflows.versions import versions
from crewai_runner.http.deps import IfMatch, set_etag
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/workflows", tags=["workflows"])

_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_UPLOADS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": WorkflowImport.model_json_schema()},
            YAML_TYPES[0]: {"schema": {"type": "string"}},
            ZIP_TYPES[0]: _BINARY,
        },
    }
}
_DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {YAML_TYPES[0]: {"schema": {"title": "A workflow document"}}, ZIP_TYPES[0]: _BINARY},
    }
}


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(DocumentInvalid, WorkflowNameTaken, IdempotencyKeyReused),
)
async def create_workflow(
    body: WorkflowEnvelope,
    writer: Writer,
    workflows: Workflows,
    documents: Documents,
    response: Response,
    *,
    idempotency_key: IdempotencyKey = None,
) -> WorkflowCreated:
    """Save a document as a new workflow, named by its `name:`.

    The text is kept byte for byte. What is saved can be run, so a document with problems is refused
    (422) with all of them in `problems`: line, column, path, message and often a suggestion. Unfinished
    drafts stay with the editor until they are valid; `POST /yaml/validate` says what is missing.
    A taken name is 409 with a free one in `suggestion`.
    """
    document = await documents.check(writer, body.workflow.yaml)
    created = await workflows.create(writer, body.workflow, document, idempotency_key)
    set_etag(response, created.workflow.version)
    return created


@router.post(
    "/import",
    status_code=HTTPStatus.CREATED,
    responses=problems(
        BadRequest,
        TooLarge,
        ContentTypeUnknown,
        ArchiveRefused,
        DocumentInvalid,
        WorkflowNameTaken,
        IdempotencyKeyReused,
    ),
    openapi_extra=_UPLOADS,
)
async def import_workflow(
    upload: ImportUpload,
    writer: Writer,
    workflows: Workflows,
    documents: Documents,
    response: Response,
    *,
    idempotency_key: IdempotencyKey = None,
) -> WorkflowImported:
    """Make a workflow from a document, from CrewAI's two files, or from a zip of a CrewAI project.

    Send JSON with `yaml`, or with `agentsYaml` and `tasksYaml`; or the document itself as
    `application/yaml`; or the project as `application/zip` (at most 200 entries and 8 MiB unpacked).
    Only YAML, JSON, Markdown and TOML files of a zip are read. Python in it is never run, no command
    of it is started and no address of it is contacted.
    """
    document = await documents.check(writer, await upload.text())
    imported = await workflows.take_in(writer, upload.request, document, upload.note, idempotency_key)
    set_etag(response, imported.workflow.version)
    return imported


@router.get("/{workflow_id}", responses=problems(WorkflowNotFound))
async def get_workflow(
    workflow_id: str, reader: Reader, workflows: StoredWorkflows, response: Response
) -> WorkflowRead:
    """A workflow with its newest version: the author's text and what it means."""
    workflow = await workflows.get(reader, workflow_id)
    set_etag(response, workflow.version)
    return workflow


@router.put(
    "/{workflow_id}",
    responses=problems(WorkflowNotFound, WorkflowNameTaken, StaleVersion, DocumentInvalid, BadRequest),
)
async def update_workflow(
    workflow_id: str,
    body: WorkflowEnvelope,
    writer: Writer,
    workflows: Workflows,
    documents: Documents,
    response: Response,
    *,
    if_match: IfMatch = None,
) -> WorkflowRead:
    """Save a document as the workflow's next version; the same text again makes none.

    Versions never change, and each can be run, so a document with problems is refused like at creation.
    Send the ETag last seen as `If-Match`: when someone else saved meanwhile the answer is 412, nothing
    is overwritten, and `GET .../versions/diff` shows what they changed.
    """
    document = await documents.check(writer, body.workflow.yaml)
    saved = await workflows.save(writer, workflow_id, body.workflow, document, if_match)
    set_etag(response, saved.version)
    return saved


@router.delete(
    "/{workflow_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(WorkflowNotFound, StaleVersion, BadRequest),
)
async def delete_workflow(
    workflow_id: str, writer: Writer, workflows: Workflows, if_match: IfMatch = None
) -> None:
    """Delete a workflow and its versions. Its runs stay: each keeps the definition it was started with."""
    await workflows.delete(writer, workflow_id, if_match)


@router.get("/{workflow_id}/export", responses=problems(WorkflowNotFound, VersionNotFound) | _DOWNLOADS)
async def export_workflow(
    workflow_id: str,
    reader: Reader,
    exports: Exports,
    export_format: Annotated[
        ExportFormat,
        Query(
            alias="format", description="`yaml`: the author's text; `crewai`: a zip that `crewai run` runs."
        ),
    ] = ExportFormat.YAML,
    version: Annotated[QueryNumber | None, Query(description="Left out: the newest.")] = None,
) -> Response:
    """Download a workflow, as the document or as a CrewAI project. Keys are never part of it."""
    download = await exports.file(reader, workflow_id, version, export_format)
    return Response(
        download.content,
        media_type=download.media_type,
        headers={"Content-Disposition": download.disposition},
    )


router.include_router(versions)
