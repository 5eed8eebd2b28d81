"""FastAPI dependencies of the execution endpoints."""

from typing import Annotated

from fastapi import Depends, Request

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.executions.attached_files import FileStarts
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.preflight import PreflightService
from crewai_runner.features.executions.run_form import RunForm, read_run_form
from crewai_runner.features.executions.service import ExecutionService, RunReader
from crewai_runner.features.executions.stop_service import StopService
from crewai_runner.http.deps import Provided, ReaderDep, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.RUNS_WRITE))]
_Deps = Annotated[ExecutionDeps, Depends(Provided(ExecutionDeps))]


async def _write_service(session: SessionDep, deps: _Deps) -> ExecutionService:
    return ExecutionService(session, deps)


async def _read_service(session: ReadSessionDep, deps: _Deps) -> ExecutionService:
    return ExecutionService(session, deps)


async def _run_reader(reader: ReaderDep, deps: _Deps) -> RunReader:
    return RunReader(reader, deps)


async def _preflight(session: ReadSessionDep, deps: _Deps) -> PreflightService:
    return PreflightService(session, deps)


async def _stop_service(deps: _Deps) -> StopService:
    return StopService(deps)


async def _file_starts(session: SessionDep, deps: _Deps) -> FileStarts:
    return FileStarts(session, deps)


async def _run_form(request: Request, writer: Writer, deps: _Deps) -> RunForm:
    await deps.workspace_quota.check_storage(writer)
    return await read_run_form(request)


FileStartsDep = Annotated[FileStarts, Depends(_file_starts, scope="function")]
RunFormDep = Annotated[RunForm, Depends(_run_form)]
Executions = Annotated[ExecutionService, Depends(_write_service, scope="function")]
ExecutionsToRead = Annotated[ExecutionService, Depends(_read_service, scope="function")]
RunsToRead = Annotated[RunReader, Depends(_run_reader)]
Preflights = Annotated[PreflightService, Depends(_preflight, scope="function")]
Stops = Annotated[StopService, Depends(_stop_service)]
