"""FastAPI dependencies of the model endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.models.catalog import ModelCatalog
from crewai_runner.features.models.model_reader import ModelReader
from crewai_runner.features.providers.service import ProviderDeps
from crewai_runner.http.deps import Provided, ReaderDep, SessionDep

_Deps = Annotated[ProviderDeps, Depends(Provided(ProviderDeps))]


async def _catalog(deps: _Deps, session: SessionDep) -> ModelCatalog:
    return ModelCatalog(session, deps)


async def _reader(reader: ReaderDep) -> ModelReader:
    return ModelReader(reader)


Models = Annotated[ModelCatalog, Depends(_catalog, scope="function")]
ModelsToRead = Annotated[ModelReader, Depends(_reader)]
Reader = Annotated[Principal, Depends(Requires(Scope.MODELS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.MODELS_WRITE))]
