"""FastAPI dependencies of the tool endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.tools.catalog_service import ToolCatalogService
from crewai_runner.features.tools.service import ToolDeps, ToolTrials
from crewai_runner.http.deps import Provided, ReadSessionDep

_Deps = Annotated[ToolDeps, Depends(Provided(ToolDeps))]


async def _catalog(deps: _Deps, session: ReadSessionDep) -> ToolCatalogService:
    return ToolCatalogService(session, deps.registry)


async def _trials(deps: _Deps) -> ToolTrials:
    return ToolTrials(deps)


Catalog = Annotated[ToolCatalogService, Depends(_catalog, scope="function")]
Trials = Annotated[ToolTrials, Depends(_trials)]
Reader = Annotated[Principal, Depends(Requires(Scope.TOOLS_READ))]
Tester = Annotated[Principal, Depends(Requires(Scope.TOOLS_TRY))]
