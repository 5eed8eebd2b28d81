"""What the endpoints of models are given."""

from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.models.editor import ModelEditor
from crewai_runner.http.deps import Container, ReadSessionDep, SessionDep


async def _writing(process: Container, session: SessionDep) -> ModelEditor:
    return _editor(process, session)


async def _reading(process: Container, session: ReadSessionDep) -> ModelEditor:
    return _editor(process, session)


def _editor(process: Any, session: AsyncSession) -> ModelEditor:
    return ModelEditor(
        session,
        cipher=process.cipher,
        mask=process.mask,
        egress=process.egress,
        local=process.local_model,
    )


Models = Annotated[ModelEditor, Depends(_writing, scope="function")]
ModelsToRead = Annotated[ModelEditor, Depends(_reading, scope="function")]
Reader = Annotated[Principal, Depends(Requires(Scope.MODELS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.MODELS_WRITE))]
