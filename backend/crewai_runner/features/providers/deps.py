"""FastAPI dependencies of the provider endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.providers.catalog.provider_catalog import ProviderCatalog
from crewai_runner.features.providers.probe.connection_tester import ConnectionTester
from crewai_runner.features.providers.provider_list import ProviderListService
from crewai_runner.features.providers.service import ProviderDeps
from crewai_runner.http.deps import Provided, ReaderDep, ReadSessionDep, SessionDep, SessionDeps

_Deps = Annotated[ProviderDeps, Depends(Provided(ProviderDeps))]
_Sessions = Annotated[SessionDeps, Depends(Provided(SessionDeps))]


async def _catalog(deps: _Deps, session: SessionDep) -> ProviderCatalog:
    return ProviderCatalog(session, deps)


async def _read_only_catalog(deps: _Deps, session: ReadSessionDep) -> ProviderCatalog:
    return ProviderCatalog(session, deps)


async def _list_service(reader: ReaderDep) -> ProviderListService:
    return ProviderListService(reader)


async def _connection_tester(deps: _Deps, session_deps: _Sessions) -> ConnectionTester:
    return ConnectionTester(session_deps.sessions, deps)


Providers = Annotated[ProviderCatalog, Depends(_catalog, scope="function")]
ProvidersToRead = Annotated[ProviderCatalog, Depends(_read_only_catalog, scope="function")]
ProviderLists = Annotated[ProviderListService, Depends(_list_service)]
Connections = Annotated[ConnectionTester, Depends(_connection_tester)]
Reader = Annotated[Principal, Depends(Requires(Scope.PROVIDERS_READ))]
RequireWriter = Depends(Requires(Scope.PROVIDERS_WRITE))
Writer = Annotated[Principal, RequireWriter]
