"""HTTP API of what the crews of workflows remember."""

from http import HTTPStatus

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.memories.deps import Memories, MemoriesToRead, Reader, SearchText, Writer
from crewai_runner.features.memories.errors import MemoryNotFound
from crewai_runner.features.memories.schemas import MemoriesDeleted, MemoryDelete, MemoryPage
from crewai_runner.features.workflows.errors import WorkflowNotFound
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/workflows", tags=["memories"])


@router.get("/{workflow_id}/memories", responses=problems(WorkflowNotFound, BadRequest))
async def list_memories(
    workflow_id: str,
    reader: Reader,
    memories: MemoriesToRead,
    q: SearchText = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> MemoryPage:
    """List what the crew of a workflow (`memory: true`) remembers from its runs, newest first."""
    return await memories.list_page(reader, workflow_id, q, limit, cursor)


@router.post("/{workflow_id}/memories/delete", responses=problems(WorkflowNotFound))
async def delete_selected_memories(
    workflow_id: str, body: MemoryDelete, writer: Writer, memories: Memories
) -> MemoriesDeleted:
    """Delete some memories; ids that do not exist are ignored. A run in progress may save some again."""
    return await memories.delete_many(writer, workflow_id, body.ids)


@router.delete(
    "/{workflow_id}/memories/{memory_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(WorkflowNotFound, MemoryNotFound),
)
async def delete_memory(workflow_id: str, memory_id: str, writer: Writer, memories: Memories) -> None:
    """Delete one memory."""
    await memories.delete(writer, workflow_id, memory_id)


@router.delete("/{workflow_id}/memories", responses=problems(WorkflowNotFound))
async def delete_all_memories(workflow_id: str, writer: Writer, memories: Memories) -> MemoriesDeleted:
    """Delete everything that the crew of a workflow remembers."""
    return await memories.delete_many(writer, workflow_id, None)
