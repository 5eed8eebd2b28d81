"""FastAPI dependencies of the provider endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.session import Sessions
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.providers.connections import ConnectionService
from crewai_runner.features.providers.editor import ProviderEditor
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep
from crewai_runner.localmodel.supervisor import LocalModelSupervisor


@dataclass(frozen=True, slots=True)
class ProviderDeps:
    """What the container provides for providers."""

    sessions: Sessions
    cipher: SecretCipher
    mask: SecretMask
    egress: EgressPolicy
    local_model: LocalModelSupervisor


_Deps = Annotated[ProviderDeps, Depends(Provided(ProviderDeps))]


async def _write_editor(deps: _Deps, session: SessionDep) -> ProviderEditor:
    return _editor(deps, session)


async def _read_editor(deps: _Deps, session: ReadSessionDep) -> ProviderEditor:
    return _editor(deps, session)


def _editor(deps: ProviderDeps, session: AsyncSession) -> ProviderEditor:
    return ProviderEditor(
        session,
        cipher=deps.cipher,
        mask=deps.mask,
        egress=deps.egress,
        local=deps.local_model,
    )


async def _connections(deps: _Deps) -> ConnectionService:
    return ConnectionService(
        deps.sessions,
        cipher=deps.cipher,
        mask=deps.mask,
        egress=deps.egress,
        local=deps.local_model,
    )


Providers = Annotated[ProviderEditor, Depends(_write_editor, scope="function")]
ProvidersToRead = Annotated[ProviderEditor, Depends(_read_editor, scope="function")]
Connections = Annotated[ConnectionService, Depends(_connections)]
Reader = Annotated[Principal, Depends(Requires(Scope.PROVIDERS_READ))]
MayWrite = Depends(Requires(Scope.PROVIDERS_WRITE))
Writer = Annotated[Principal, MayWrite]
