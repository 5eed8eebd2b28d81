"""What the endpoints of providers are given."""

from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.providers.connections import ConnectionService
from crewai_runner.features.providers.editor import ProviderEditor
from crewai_runner.http.deps import Container, ReadSessionDep, SessionDep


async def _writing(process: Container, session: SessionDep) -> ProviderEditor:
    return _service(process, session)


async def _reading(process: Container, session: ReadSessionDep) -> ProviderEditor:
    return _service(process, session)


def _service(process: Any, session: AsyncSession) -> ProviderEditor:
    return ProviderEditor(
        session,
        cipher=process.cipher,
        mask=process.mask,
        egress=process.egress,
        local=process.local_model,
    )


async def _connections(process: Container) -> ConnectionService:
    return ConnectionService(
        process.sessions,
        cipher=process.cipher,
        mask=process.mask,
        egress=process.egress,
        local=process.local_model,
    )


Providers = Annotated[ProviderEditor, Depends(_writing, scope="function")]
ProvidersToRead = Annotated[ProviderEditor, Depends(_reading, scope="function")]
Connections = Annotated[ConnectionService, Depends(_connections)]
Reader = Annotated[Principal, Depends(Requires(Scope.PROVIDERS_READ))]
MayWrite = Depends(Requires(Scope.PROVIDERS_WRITE))
Writer = Annotated[Principal, MayWrite]
