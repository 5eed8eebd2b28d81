"""HTTP API of the files that the agents of a workflow may search."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import Response

from crewai_runner.core.errors import BadRequest, Unavailable
from crewai_runner.features.knowledge.deps import Knowledge, KnowledgeToRead, Reader, Uploads, Writer
from crewai_runner.features.knowledge.errors import (
    KnowledgeFileNotFound,
    KnowledgeFileRefused,
    KnowledgeFileTooLarge,
    TooMuchKnowledge,
)
from crewai_runner.features.knowledge.schemas import KnowledgeFileAnswer, KnowledgeFileList, KnowledgeUploaded
from crewai_runner.features.knowledge.upload_form import UPLOAD_SCHEMA
from crewai_runner.features.workflows.errors import WorkflowNotFound
from crewai_runner.features.workspaces.errors import WorkspaceStorageFull
from crewai_runner.http.deps import NoTimeout, QueueOpen
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/workflows", tags=["knowledge"])
_FILE_PROBLEMS = problems(WorkflowNotFound, KnowledgeFileNotFound)


@router.get("/{workflow_id}/knowledge", responses=problems(WorkflowNotFound))
async def list_knowledge(workflow_id: str, reader: Reader, knowledge: KnowledgeToRead) -> KnowledgeFileList:
    """List the files that the agents of a workflow may search, by name, and the model that embeds them."""
    return await knowledge.list_files(reader, workflow_id)


@router.post(
    "/{workflow_id}/knowledge",
    status_code=HTTPStatus.CREATED,
    dependencies=[NoTimeout, QueueOpen],
    responses=problems(
        BadRequest,
        WorkflowNotFound,
        KnowledgeFileRefused,
        KnowledgeFileTooLarge,
        TooMuchKnowledge,
        WorkspaceStorageFull,
        Unavailable,
    ),
    openapi_extra=UPLOAD_SCHEMA,
)
async def add_knowledge(
    workflow_id: str, uploads: Uploads, writer: Writer, knowledge: Knowledge
) -> KnowledgeUploaded:
    """Upload files: text, Markdown, PDF, CSV or JSON; at most 20 in a request and 10 MiB each.

    Every agent of the workflow may search them as soon as they are `ready`. A file replaces the one with the
    same name. Content that the workflow has already is not stored again.
    """
    return await knowledge.add(writer, workflow_id, uploads)


@router.get(
    "/{workflow_id}/knowledge/{knowledge_file_id}/content",
    responses=_FILE_PROBLEMS
    | {200: {"content": {"application/octet-stream": {}}, "description": "The file as it was uploaded."}},
    response_class=Response,
)
async def download_knowledge(
    workflow_id: str, knowledge_file_id: str, reader: Reader, knowledge: KnowledgeToRead
) -> Response:
    """Download a file."""
    name, content = await knowledge.get_content(reader, workflow_id, knowledge_file_id)
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    # Never the type of the file: browsers must not display what was uploaded.
    headers = {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post(
    "/{workflow_id}/knowledge/{knowledge_file_id}/embed",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[QueueOpen],
    responses=_FILE_PROBLEMS | problems(Unavailable),
)
async def embed_knowledge(
    workflow_id: str, knowledge_file_id: str, writer: Writer, knowledge: Knowledge
) -> KnowledgeFileAnswer:
    """Embed a file again: after a failure, or with the embedder that the workflow has now."""
    return KnowledgeFileAnswer(file=await knowledge.embed_again(writer, workflow_id, knowledge_file_id))


@router.delete(
    "/{workflow_id}/knowledge/{knowledge_file_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=_FILE_PROBLEMS,
)
async def delete_knowledge(
    workflow_id: str, knowledge_file_id: str, writer: Writer, knowledge: Knowledge
) -> None:
    """Delete a file. Runs that have begun may still search it."""
    await knowledge.delete(writer, workflow_id, knowledge_file_id)
