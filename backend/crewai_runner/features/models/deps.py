"""FastAPI dependencies of the model endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.models.catalog import ModelCatalog
from crewai_runner.features.providers.service import ProviderDeps
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

_Deps = Annotated[ProviderDeps, Depends(Provided(ProviderDeps))]


async def _catalog(deps: _Deps, session: SessionDep) -> ModelCatalog:
    return ModelCatalog(session, deps)


async def _read_only_catalog(deps: _Deps, session: ReadSessionDep) -> ModelCatalog:
    return ModelCatalog(session, deps)


Models = Annotated[ModelCatalog, Depends(_catalog, scope="function")]
ModelsToRead = Annotated[ModelCatalog, Depends(_read_only_catalog, scope="function")]
Reader = Annotated[Principal, Depends(Requires(Scope.MODELS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.MODELS_WRITE))]
