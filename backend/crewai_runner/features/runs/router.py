"""Reading runs."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import Response

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.runs.deps import Disposal, DoomedRuns, Filter, Reader, Runs, Writer
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
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/runs", tags=["runs"])
RunId = Annotated[str, Query(max_length=64)]
_FILE = {"type": "string", "format": "binary"}


@router.get("", responses=problems(BadRequest))
async def list_runs(
    reader: Reader, runs: Runs, wanted: Filter, limit: Limit = LIMIT, cursor: Cursor = None
) -> RunPage:
    """Runs, newest first."""
    return await runs.page(reader, wanted, limit, cursor)


@router.delete("", responses=problems(BadRequest))
async def delete_runs(writer: Writer, disposal: Disposal, doomed: DoomedRuns) -> RunsDeleted:
    """Delete finished runs by state, age or both, with their events, tasks, messages and files.

    Runs that are not over are left alone. Asked again, it deletes what is left.
    """
    return RunsDeleted(deleted=await disposal.delete_finished(writer, doomed.states, doomed.before))


@router.delete(
    "/{run_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(RunNotFound, RunStillActive)
)
async def delete_run(run_id: str, writer: Writer, disposal: Disposal) -> None:
    """Delete a run that is over, with its events, tasks, calls, messages, approvals and files.

    There is no way back. A run that is not over has to be stopped first.
    """
    await disposal.delete(writer, run_id)


@router.get("/diff", responses=problems(RunNotFound))
async def diff_runs(reader: Reader, runs: Runs, a: RunId, b: RunId) -> RunDiff:
    """Two runs side by side: definition, inputs, outputs and figures."""
    return await runs.diff(reader, a, b)


@router.get("/{run_id}/tasks", responses=problems(RunNotFound))
async def list_tasks(run_id: str, reader: Reader, runs: Runs) -> RunTaskList:
    """The run's tasks in order, with their outputs."""
    run = await runs.get(reader, run_id)
    return RunTaskList(tasks=await runs.tasks(run.id))


@router.get("/{run_id}/usage", responses=problems(RunNotFound))
async def get_usage(run_id: str, reader: Reader, runs: Runs) -> RunUsage:
    """Tokens and cost per call, task, agent, model and in all."""
    return await runs.usage(await runs.get(reader, run_id))


@router.get("/{run_id}/artifacts", responses=problems(RunNotFound))
async def list_artifacts(run_id: str, reader: Reader, runs: Runs) -> ArtifactList:
    """Files that the run's tasks made (`output_file`)."""
    run = await runs.get(reader, run_id)
    return ArtifactList(artifacts=await runs.artifacts(run.id))


@router.get(
    "/{run_id}/artifacts/{name}",
    response_class=Response,
    responses=problems(RunNotFound, ArtifactNotFound)
    | {200: {"description": "The file", "content": {"*/*": {"schema": _FILE}}}},
)
async def download_artifact(run_id: str, name: str, reader: Reader, runs: Runs) -> Response:
    """One file, as a download."""
    run = await runs.get(reader, run_id)
    artifact = await runs.artifact(run.id, name)
    disposition = f"attachment; filename*=UTF-8''{quote(artifact.name, safe='')}"
    return Response(
        artifact.content,
        media_type=artifact.media_type,
        headers={"Content-Disposition": disposition},
    )
