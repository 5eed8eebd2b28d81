"""FastAPI dependencies of the endpoints of HTTP APIs."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.apis.api_catalog import ApiCatalog
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.connections.service import ConnectionDeps
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

_Deps = Annotated[ConnectionDeps, Depends(Provided(ConnectionDeps))]


async def _catalog(deps: _Deps, session: SessionDep) -> ApiCatalog:
    return ApiCatalog(session, deps)


async def _read_only_catalog(deps: _Deps, session: ReadSessionDep) -> ApiCatalog:
    return ApiCatalog(session, deps)


ApisToWrite = Annotated[ApiCatalog, Depends(_catalog, scope="function")]
ApisToRead = Annotated[ApiCatalog, Depends(_read_only_catalog, scope="function")]
Reader = Annotated[Principal, Depends(Requires(Scope.TOOLS_READ))]
RequireWriter = Depends(Requires(Scope.CONNECTIONS_WRITE))
Writer = Annotated[Principal, RequireWriter]
