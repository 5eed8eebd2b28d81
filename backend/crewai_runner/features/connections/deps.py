"""FastAPI dependencies of the connection endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.connections.connection_catalog import ConnectionCatalog
from crewai_runner.features.connections.connection_tester import ConnectionTester
from crewai_runner.features.connections.service import ConnectionDeps
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep, SessionDeps

_Deps = Annotated[ConnectionDeps, Depends(Provided(ConnectionDeps))]
_Sessions = Annotated[SessionDeps, Depends(Provided(SessionDeps))]


async def _catalog(deps: _Deps, session: SessionDep) -> ConnectionCatalog:
    return ConnectionCatalog(session, deps)


async def _read_only_catalog(deps: _Deps, session: ReadSessionDep) -> ConnectionCatalog:
    return ConnectionCatalog(session, deps)


async def _tester(deps: _Deps, session_deps: _Sessions) -> ConnectionTester:
    return ConnectionTester(session_deps.sessions, deps)


ConnectionsToWrite = Annotated[ConnectionCatalog, Depends(_catalog, scope="function")]
ConnectionsToRead = Annotated[ConnectionCatalog, Depends(_read_only_catalog, scope="function")]
Tester = Annotated[ConnectionTester, Depends(_tester)]
Reader = Annotated[Principal, Depends(Requires(Scope.TOOLS_READ))]
RequireWriter = Depends(Requires(Scope.CONNECTIONS_WRITE))
Writer = Annotated[Principal, RequireWriter]
