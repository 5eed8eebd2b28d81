"""The versions of a workflow over HTTP; part of the workflows' router."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.workflows.deps import (
    History,
    PastVersions,
    QueryNumber,
    Reader,
    VersionNumber,
    Writer,
)
from crewai_runner.features.workflows.errors import VersionNotFound, WorkflowNameTaken, WorkflowNotFound
from crewai_runner.features.workflows.schemas import VersionDiff, VersionPage, VersionRead, WorkflowRead
from crewai_runner.http.deps import LIMIT, Cursor, IfMatch, Limit, set_etag
from crewai_runner.http.problems import problems

versions = APIRouter(prefix="/{workflow_id}/versions")


@versions.get("", responses=problems(WorkflowNotFound, BadRequest))
async def list_versions(
    workflow_id: str, reader: Reader, history: PastVersions, limit: Limit = LIMIT, cursor: Cursor = None
) -> VersionPage:
    """Every save of a workflow, newest first, without the documents."""
    return await history.page(reader, workflow_id, limit, cursor)


@versions.get("/diff", responses=problems(WorkflowNotFound, VersionNotFound))
async def diff_versions(
    workflow_id: str,
    reader: Reader,
    history: PastVersions,
    from_version: Annotated[QueryNumber, Query(alias="from", description="The older version.")],
    to_version: Annotated[QueryNumber | None, Query(alias="to", description="Left out: the newest.")] = None,
) -> VersionDiff:
    """What changed between two versions: as a unified diff of the texts, and as a list of changed paths."""
    return await history.diff(reader, workflow_id, from_version, to_version)


@versions.get("/{number}", responses=problems(WorkflowNotFound, VersionNotFound))
async def get_version(
    workflow_id: str, number: VersionNumber, reader: Reader, history: PastVersions
) -> VersionRead:
    """One save, as it was."""
    return await history.get(reader, workflow_id, number)


@versions.post(
    "/{number}/restore",
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
    """Go back to an old version by saving its text again as the newest; nothing is lost."""
    restored = await history.restore(writer, workflow_id, number, if_match, idempotency_key)
    set_etag(response, restored.version)
    return restored
