"""Endpoints that list, read, compare and delete runs."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Query
from starlette.responses import Response

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.runs.deps import Deletion, DeletionFilter, Filter, Reader, RunList, Runs, Writer
from crewai_runner.features.runs.errors import ArtifactNotFound, RunNotFound, RunStillActive
from crewai_runner.features.runs.schemas import (
    ArtifactList,
    RunDiff,
    RunPage,
    RunsDeleted,
    RunTaskList,
    RunUsage,
)
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/runs", tags=["runs"])
RunId = Annotated[str, Query(max_length=64)]
_FILE = {"type": "string", "format": "binary"}


@router.get("", response_model=RunPage, responses=problems(BadRequest))
async def list_runs(
    reader: Reader, runs: RunList, run_filter: Filter, limit: Limit = LIMIT, cursor: Cursor = None
) -> Response:
    """List runs, newest first."""
    return Response(await runs.list_page(reader, run_filter, limit, cursor), media_type="application/json")


@router.delete("", responses=problems(BadRequest))
async def delete_runs(writer: Writer, deletion: Deletion, deletion_filter: DeletionFilter) -> RunsDeleted:
    """Delete finished runs by state, creation time or both, with their events, tasks, messages and files.

    Active runs are not deleted. If the request is interrupted, repeat it to delete the remaining runs.
    """
    deleted = await deletion.delete_finished(writer, deletion_filter.states, deletion_filter.before)
    return RunsDeleted(deleted=deleted)


@router.delete(
    "/{run_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(RunNotFound, RunStillActive)
)
async def delete_run(run_id: str, writer: Writer, deletion: Deletion) -> None:
    """Delete a finished run with its events, tasks, model calls, messages, approvals and files.

    This cannot be undone. An active run must be stopped first.
    """
    await deletion.delete(writer, run_id)


@router.get("/diff", responses=problems(RunNotFound))
async def diff_runs(reader: Reader, runs: Runs, a: RunId, b: RunId) -> RunDiff:
    """Compare two runs: definition, inputs, outputs and usage."""
    return await runs.diff(reader, a, b)


@router.get("/{run_id}/tasks", responses=problems(RunNotFound))
async def list_tasks(run_id: str, reader: Reader, runs: Runs) -> RunTaskList:
    """List the run's tasks in order, with their outputs."""
    run = await runs.get(reader, run_id)
    return RunTaskList(tasks=await runs.list_tasks(run.id))


@router.get("/{run_id}/usage", responses=problems(RunNotFound))
async def get_usage(run_id: str, reader: Reader, runs: Runs) -> RunUsage:
    """Get tokens and cost by model call, task, agent and model, and in total."""
    return await runs.get_usage(await runs.get(reader, run_id))


@router.get("/{run_id}/artifacts", responses=problems(RunNotFound))
async def list_artifacts(run_id: str, reader: Reader, runs: Runs) -> ArtifactList:
    """List the files written by the run's tasks (`output_file`)."""
    run = await runs.get(reader, run_id)
    return ArtifactList(artifacts=await runs.list_artifacts(run.id))


@router.get(
    "/{run_id}/artifacts/{name:path}",
    response_class=Response,
    responses=problems(RunNotFound, ArtifactNotFound)
    | {200: {"description": "The file", "content": {"*/*": {"schema": _FILE}}}},
)
async def download_artifact(run_id: str, name: str, reader: Reader, runs: Runs) -> Response:
    """Download one file; its name may contain folders."""
    run = await runs.get(reader, run_id)
    artifact = await runs.get_artifact(run.id, name)
    disposition = f"attachment; filename*=UTF-8''{quote(artifact.name.rpartition('/')[2], safe='')}"
    return Response(
        artifact.content,
        media_type=artifact.media_type,
        headers={"Content-Disposition": disposition},
    )
