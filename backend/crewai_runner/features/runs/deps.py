"""What the run endpoints are given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, Query
from pydantic import AwareDatetime

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.domain.run import RunState
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.runs.disposal import RunDisposal
from crewai_runner.features.runs.service import RunFilter, RunService
from crewai_runner.http.deps import Container, ReadSessionDep

FinishedState = Literal["completed", "failed", "stopped", "crashed"]


class Doomed(NamedTuple):
    """Which finished runs to delete."""

    states: Sequence[str]
    before: datetime | None


Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]


async def _service(session: ReadSessionDep) -> RunService:
    return RunService(session)


async def _filter(
    status: Annotated[list[RunState] | None, Query(description="Any of these states.")] = None,
    workflow_id: Annotated[str | None, Query(alias="workflowId", max_length=64)] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="Part of the workflow's name or the id.")
    ] = None,
    since: Annotated[AwareDatetime | None, Query(description="Started at or after.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Started before.")] = None,
    metadata: Annotated[
        list[str] | None, Query(description="`key=value`; all must match.", max_length=10)
    ] = None,
) -> RunFilter:
    pairs = [pair.partition("=") for pair in metadata or []]
    if any(not separator or not key for key, separator, _ in pairs):
        raise BadRequest("A metadata filter is written key=value.")
    if any("\x00" in text for text in [q or "", workflow_id or "", *(metadata or [])]):
        raise BadRequest("A filter must not contain the NUL character.")
    return RunFilter(
        states=[str(state) for state in status or []],
        workflow_id=workflow_id,
        text=q,
        since=since,
        until=until,
        metadata={key: value for key, _, value in pairs},
    )


async def _disposal(process: Container) -> RunDisposal:
    return RunDisposal(process.sessions)


async def _doomed(
    status: Annotated[list[FinishedState] | None, Query(description="Any of these states.")] = None,
    before: Annotated[AwareDatetime | None, Query(description="Started before.")] = None,
) -> Doomed:
    if not status and before is None:
        raise BadRequest("Say which runs to delete: `status`, `before` or both.")
    return Doomed(list(status or []), before)


Runs = Annotated[RunService, Depends(_service, scope="function")]
Disposal = Annotated[RunDisposal, Depends(_disposal)]
DoomedRuns = Annotated[Doomed, Depends(_doomed)]
Filter = Annotated[RunFilter, Depends(_filter)]
