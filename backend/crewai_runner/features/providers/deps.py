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
from crewai_runner.features.providers.catalog.provider_catalog import ProviderCatalog
from crewai_runner.features.providers.probe.connection_tester import ConnectionTester
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


async def _writing_catalog(deps: _Deps, session: SessionDep) -> ProviderCatalog:
    return _catalog(deps, session)


async def _reading_catalog(deps: _Deps, session: ReadSessionDep) -> ProviderCatalog:
    return _catalog(deps, session)


def _catalog(deps: ProviderDeps, session: AsyncSession) -> ProviderCatalog:
    return ProviderCatalog(
        session,
        cipher=deps.cipher,
        mask=deps.mask,
        egress=deps.egress,
        local=deps.local_model,
    )


async def _connections(deps: _Deps) -> ConnectionTester:
    return ConnectionTester(
        deps.sessions,
        cipher=deps.cipher,
        mask=deps.mask,
        egress=deps.egress,
        local=deps.local_model,
    )


Providers = Annotated[ProviderCatalog, Depends(_writing_catalog, scope="function")]
ProvidersToRead = Annotated[ProviderCatalog, Depends(_reading_catalog, scope="function")]
Connections = Annotated[ConnectionTester, Depends(_connections)]
Reader = Annotated[Principal, Depends(Requires(Scope.PROVIDERS_READ))]
MayWrite = Depends(Requires(Scope.PROVIDERS_WRITE))
Writer = Annotated[Principal, MayWrite]
