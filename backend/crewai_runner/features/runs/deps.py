"""Dependencies of the run endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, Query

from crewai_runner.core.clock import Moment
from crewai_runner.core.errors import BadRequest
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.session import Sessions
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.run import RunState
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.runs.deletion import RunDeletionService
from crewai_runner.features.runs.run_list import RunListService
from crewai_runner.features.runs.service import RunFilter, RunService
from crewai_runner.http.deps import Provided, ReadSessionDep
from crewai_runner.queue.deferred import DeferredQueue

FinishedState = Literal["completed", "failed", "stopped", "crashed"]
_SEARCH = (
    "Part of the run id, the workflow name, a metadata value, the error or an input, in upper or lower case. "
    "Of each run the first 4,000 characters of these are searched."
)


class RunDeletionFilter(NamedTuple):
    """Finished runs to delete: in one of `states`, created before `before`. Empty fields do not filter."""

    states: Sequence[str]
    before: datetime | None


Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]


@dataclass(frozen=True, slots=True)
class RunDeps:
    """Dependencies of the run services, built by the container."""

    sessions: Sessions
    reader: SnapshotReader
    queue: DeferredQueue


async def _service(session: ReadSessionDep) -> RunService:
    return RunService(session)


async def _run_list(deps: Annotated[RunDeps, Depends(Provided(RunDeps))]) -> RunListService:
    return RunListService(deps.reader)


async def _filter(
    *,
    status: Annotated[list[RunState] | None, Query(description="Any of these states.")] = None,
    workflow_id: Annotated[str | None, Query(alias="workflowId", max_length=64)] = None,
    project_id: Annotated[str | None, Query(alias="projectId", max_length=64)] = None,
    q: Annotated[str | None, Query(max_length=200, description=_SEARCH)] = None,
    since: Annotated[Moment | None, Query(description="Created at or after this time.")] = None,
    until: Annotated[Moment | None, Query(description="Created before this time.")] = None,
    metadata: Annotated[
        list[str] | None, Query(description="`key=value`; all must match.", max_length=10)
    ] = None,
) -> RunFilter:
    pairs = [pair.partition("=") for pair in metadata or []]
    if any(not separator or not key for key, separator, _ in pairs):
        raise BadRequest("A metadata filter must have the form key=value.")
    if any("\x00" in text for text in [q or "", workflow_id or "", project_id or "", *(metadata or [])]):
        raise BadRequest("A filter must not contain the NUL character.")
    return RunFilter(
        states=[str(state) for state in status or []],
        workflow_id=workflow_id,
        project_id=project_id,
        text=q,
        since=since,
        until=until,
        metadata={key: value for key, _, value in pairs},
    )


async def _deletion(deps: Annotated[RunDeps, Depends(Provided(RunDeps))]) -> RunDeletionService:
    return RunDeletionService(deps.sessions, deps.queue)


async def _deletion_filter(
    status: Annotated[list[FinishedState] | None, Query(description="Any of these states.")] = None,
    before: Annotated[Moment | None, Query(description="Created before this time.")] = None,
) -> RunDeletionFilter:
    if not status and before is None:
        raise BadRequest("Specify which runs to delete: `status`, `before` or both.")
    return RunDeletionFilter(list(status or []), before)


Runs = Annotated[RunService, Depends(_service, scope="function")]
RunList = Annotated[RunListService, Depends(_run_list)]
Deletion = Annotated[RunDeletionService, Depends(_deletion)]
DeletionFilter = Annotated[RunDeletionFilter, Depends(_deletion_filter)]
Filter = Annotated[RunFilter, Depends(_filter)]
