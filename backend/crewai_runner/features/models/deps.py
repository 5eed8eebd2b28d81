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
from crewai_runner.features.models.editor import ModelEditor
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


async def _write_editor(deps: _Deps, session: SessionDep) -> ModelEditor:
    return _editor(deps, session)


async def _read_editor(deps: _Deps, session: ReadSessionDep) -> ModelEditor:
    return _editor(deps, session)


def _editor(deps: ModelDeps, session: AsyncSession) -> ModelEditor:
    return ModelEditor(
        session,
        cipher=deps.cipher,
        mask=deps.mask,
        egress=deps.egress,
        local=deps.local_model,
    )


Models = Annotated[ModelEditor, Depends(_write_editor, scope="function")]
ModelsToRead = Annotated[ModelEditor, Depends(_read_editor, scope="function")]
Reader = Annotated[Principal, Depends(Requires(Scope.MODELS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.MODELS_WRITE))]
