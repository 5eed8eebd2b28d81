"""What the execution endpoints are given."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.executions.readiness import Readiness
from crewai_runner.features.executions.service import ExecutionService, StopService
from crewai_runner.http.deps import Container, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]


async def _service(session: SessionDep, process: Container) -> ExecutionService:
    return ExecutionService(session, process)


async def _reading(session: ReadSessionDep, process: Container) -> ExecutionService:
    return ExecutionService(session, process)


async def _readiness(session: ReadSessionDep, process: Container) -> Readiness:
    return Readiness(session, process)


async def _stops(process: Container) -> StopService:
    return StopService(process)


Executions = Annotated[ExecutionService, Depends(_service, scope="function")]
ExecutionsToRead = Annotated[ExecutionService, Depends(_reading, scope="function")]
RunReadiness = Annotated[Readiness, Depends(_readiness, scope="function")]
Stops = Annotated[StopService, Depends(_stops)]
