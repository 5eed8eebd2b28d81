"""API endpoints of API keys: those of the workspace, and one's own."""

from http import HTTPStatus

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.api_keys.deps import ApiKeys, ApiKeysToRead, OwnApiKeys, OwnApiKeysToRead
from crewai_runner.features.api_keys.errors import (
    ApiKeyExpiry,
    ApiKeyNotFound,
    TooManyApiKeys,
)
from crewai_runner.features.api_keys.schemas import ApiKeyCreate, ApiKeyList, CreatedApiKey
from crewai_runner.features.auth.errors import MoreThanOwnRights, PersonNeeded
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/api-keys", tags=["keys"])
own_router = PrefixedRouter(prefix="/me/api-keys", tags=["keys"])

CREATE_PROBLEMS = problems(MoreThanOwnRights, ApiKeyExpiry, TooManyApiKeys)


@router.get("", responses=problems(BadRequest))
async def list_api_keys(keys: ApiKeysToRead, limit: Limit = LIMIT, cursor: Cursor = None) -> ApiKeyList:
    """List all keys of the workspace, newest first, revoked and expired ones included."""
    return await keys.list_page(limit, cursor)


@router.post("", status_code=HTTPStatus.CREATED, responses=CREATE_PROBLEMS)
async def create_api_key(body: ApiKeyCreate, keys: ApiKeys) -> CreatedApiKey:
    """Create a key of the workspace, for a program. It belongs to no person, and outlives who created it.

    The answer contains the key, which cannot be read again. A key cannot have scopes that its creator lacks.
    """
    return await keys.create(body)


@router.delete("/{api_key_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(ApiKeyNotFound))
async def revoke_api_key(api_key_id: str, keys: ApiKeys) -> None:
    """Revoke a key, of the workspace or of a person in it. Requests with it fail within seconds."""
    await keys.revoke(api_key_id)


@own_router.get("", responses=problems(BadRequest, PersonNeeded))
async def list_own_api_keys(
    keys: OwnApiKeysToRead, limit: Limit = LIMIT, cursor: Cursor = None
) -> ApiKeyList:
    """List your own keys in this workspace, newest first."""
    return await keys.list_page(limit, cursor)


@own_router.post("", status_code=HTTPStatus.CREATED, responses=CREATE_PROBLEMS | problems(PersonNeeded))
async def create_own_api_key(body: ApiKeyCreate, keys: OwnApiKeys) -> CreatedApiKey:
    """Create a key that acts as you in this workspace: it never has more rights than you have at the time."""
    return await keys.create(body)


@own_router.delete(
    "/{api_key_id}", status_code=HTTPStatus.NO_CONTENT, responses=problems(ApiKeyNotFound, PersonNeeded)
)
async def revoke_own_api_key(api_key_id: str, keys: OwnApiKeys) -> None:
    """Revoke one of your own keys."""
    await keys.revoke(api_key_id)
