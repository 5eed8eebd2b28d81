"""HTTP API of workflows and their versions."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Query, Response

from crewai_runner.core.errors import BadRequest, StaleVersion, TooLarge
from crewai_runner.core.zip_archive import ArchiveRefused
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.workflows.deps import (
    YAML_TYPES,
    ZIP_TYPES,
    ChosenCrews,
    Documents,
    Exports,
    History,
    HistoryToRead,
    Imports,
    ImportsToRead,
    ImportUpload,
    QueryNumber,
    Reader,
    VersionNumber,
    Workflows,
    WorkflowsToRead,
    Writer,
)
from crewai_runner.features.workflows.errors import (
    ContentTypeUnknown,
    DocumentInvalid,
    VersionNotFound,
    WorkflowNameTaken,
    WorkflowNotFound,
)
from crewai_runner.features.workflows.import_export.imports import check_import
from crewai_runner.features.workflows.schemas import (
    ExportFormat,
    ImportPreview,
    VersionDiff,
    VersionPage,
    VersionRead,
    WorkflowCreated,
    WorkflowEnvelope,
    WorkflowImport,
    WorkflowImported,
    WorkflowRead,
)
from crewai_runner.http.deps import LIMIT, Conditional, Cursor, IfMatch, Limit, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

router = PrefixedRouter(prefix="/workflows", tags=["workflows"])

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
    """Save a document as a new workflow. Its `name` becomes the name of the workflow.

    The text is stored unchanged. Every saved workflow can be run, so a document with problems is rejected
    with 422; `problems` lists all of them with line, column, path, message and often a suggestion. Use
    `POST /yaml/validate` for incomplete documents. If the name is taken, the response is 409 and
    `suggestion` is an unused name.
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
    imports: Imports,
    documents: Documents,
    response: Response,
    crew: ChosenCrews,
    *,
    idempotency_key: IdempotencyKey = None,
) -> WorkflowImported:
    """Create workflows from a document, from CrewAI's two YAML files, or from a CrewAI project.

    Send JSON with `yaml`, with `agentsYaml` and `tasksYaml`, or with `files`; or the document itself as
    `application/yaml`; or the project as `application/zip` (at most 64 MiB and 5,000 entries; of its YAML,
    JSON, TOML and Python files, the only ones that are read, the first 8 MiB). Each crew of a project
    becomes a workflow, also one that Python code builds of values that are written down; `crew` chooses
    some of them. A project whose name is taken gets a number. Nothing is executed, and no address is
    contacted; `warnings` lists everything that was left out.
    """
    checked = await check_import(documents, writer, upload, crew)
    imported = await imports.create(writer, upload.choose(crew), checked, idempotency_key)
    set_etag(response, imported.workflow.version)
    return imported


@router.post(
    "/import/preview",
    **unaudited("It saves nothing.", _UPLOADS),
    responses=problems(BadRequest, TooLarge, ContentTypeUnknown, ArchiveRefused),
)
async def preview_import(
    upload: ImportUpload, writer: Writer, imports: ImportsToRead, documents: Documents
) -> ImportPreview:
    """Return what an import of the same upload would save and leave out. Nothing is saved or executed."""
    return imports.preview(writer, await check_import(documents, writer, upload))


@router.get("/{workflow_id}", dependencies=[Conditional], responses=problems(WorkflowNotFound))
async def get_workflow(
    workflow_id: str, reader: Reader, workflows: WorkflowsToRead, response: Response
) -> WorkflowRead:
    """Get a workflow with the text and the definition of its newest version."""
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
    """Save a document as the next version of the workflow. An unchanged text creates no version.

    Every version can be run, so a document with problems is rejected with 422. Send the last ETag as
    `If-Match`: if the workflow was saved in the meantime, the response is 412 and nothing is overwritten;
    `GET .../versions/diff` shows the changes.
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
    """Delete a workflow and its versions. Its runs are kept, with the definition they were started with."""
    await workflows.delete(writer, workflow_id, if_match)


@router.get("/{workflow_id}/export", responses=problems(WorkflowNotFound, VersionNotFound) | _DOWNLOADS)
async def export_workflow(
    workflow_id: str,
    reader: Reader,
    exports: Exports,
    export_format: Annotated[
        ExportFormat,
        Query(alias="format", description="`yaml`: the saved text; `crewai`: a zip for `crewai run`."),
    ] = ExportFormat.YAML,
    version: Annotated[QueryNumber | None, Query(description="Default: the newest version.")] = None,
) -> Response:
    """Download a workflow as a document or as a CrewAI project. API keys are never included."""
    download = await exports.export(reader, workflow_id, version, export_format)
    return Response(
        download.content,
        media_type=download.media_type,
        headers={"Content-Disposition": download.disposition},
    )


@router.get("/{workflow_id}/versions", responses=problems(WorkflowNotFound, BadRequest))
async def list_versions(
    workflow_id: str, reader: Reader, history: HistoryToRead, limit: Limit = LIMIT, cursor: Cursor = None
) -> VersionPage:
    """List the versions of a workflow, newest first, without documents."""
    return await history.list_page(reader, workflow_id, limit, cursor)


@router.get("/{workflow_id}/versions/diff", responses=problems(WorkflowNotFound, VersionNotFound))
async def diff_versions(
    workflow_id: str,
    reader: Reader,
    history: HistoryToRead,
    from_version: Annotated[QueryNumber, Query(alias="from", description="The older version.")],
    to_version: Annotated[
        QueryNumber | None, Query(alias="to", description="Default: the newest version.")
    ] = None,
) -> VersionDiff:
    """Compare two versions: a unified diff of the texts, and a list of changed paths."""
    return await history.diff(reader, workflow_id, from_version, to_version)


@router.get("/{workflow_id}/versions/{number}", responses=problems(WorkflowNotFound, VersionNotFound))
async def get_version(
    workflow_id: str, number: VersionNumber, reader: Reader, history: HistoryToRead
) -> VersionRead:
    """Get a version with its document."""
    return await history.get(reader, workflow_id, number)


@router.post(
    "/{workflow_id}/versions/{number}/restore",
    responses=problems(
        WorkflowNotFound, VersionNotFound, StaleVersion, WorkflowNameTaken, IdempotencyKeyReused, BadRequest
    ),
)
async def restore_version(
    workflow_id: str,
    number: VersionNumber,
    writer: Writer,
    history: History,
    response: Response,
    *,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> WorkflowRead:
    """Restore an old version: its text is saved as a new version."""
    restored = await history.restore(writer, workflow_id, number, if_match, idempotency_key)
    set_etag(response, restored.version)
    return restored
