"""FastAPI dependencies of the API key endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.api_keys.service import ApiKeyService
from crewai_runner.features.auth.deps import Requires
from crewai_runner.http.deps import ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.KEYS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.KEYS_WRITE))]
Member = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]


async def _keys_to_read(session: ReadSessionDep, principal: Reader) -> ApiKeyService:
    return ApiKeyService(session, principal, only_own=False)


async def _keys(session: SessionDep, principal: Writer) -> ApiKeyService:
    return ApiKeyService(session, principal, only_own=False)


async def _own_keys_to_read(session: ReadSessionDep, principal: Member) -> ApiKeyService:
    return ApiKeyService(session, principal, only_own=True)


async def _own_keys(session: SessionDep, principal: Member) -> ApiKeyService:
    return ApiKeyService(session, principal, only_own=True)


ApiKeysToRead = Annotated[ApiKeyService, Depends(_keys_to_read, scope="function")]
ApiKeys = Annotated[ApiKeyService, Depends(_keys, scope="function")]
OwnApiKeysToRead = Annotated[ApiKeyService, Depends(_own_keys_to_read, scope="function")]
OwnApiKeys = Annotated[ApiKeyService, Depends(_own_keys, scope="function")]
