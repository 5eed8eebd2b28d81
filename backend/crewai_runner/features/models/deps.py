"""FastAPI dependencies of the model endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.models.catalog import ModelCatalog
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep
from crewai_runner.localmodel.supervisor import LocalModelSupervisor


@dataclass(frozen=True, slots=True)
class ModelDeps:
    """What the container provides for models."""

    cipher: SecretCipher
    mask: SecretMask
    egress: EgressPolicy
    local_model: LocalModelSupervisor


_Deps = Annotated[ModelDeps, Depends(Provided(ModelDeps))]


async def _writing_catalog(deps: _Deps, session: SessionDep) -> ModelCatalog:
    return _catalog(deps, session)


async def _reading_catalog(deps: _Deps, session: ReadSessionDep) -> ModelCatalog:
    return _catalog(deps, session)


def _catalog(deps: ModelDeps, session: AsyncSession) -> ModelCatalog:
    return ModelCatalog(
        session,
        cipher=deps.cipher,
        mask=deps.mask,
        egress=deps.egress,
        local=deps.local_model,
    )


Models = Annotated[ModelCatalog, Depends(_writing_catalog, scope="function")]
ModelsToRead = Annotated[ModelCatalog, Depends(_reading_catalog, scope="function")]
Reader = Annotated[Principal, Depends(Requires(Scope.MODELS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.MODELS_WRITE))]
