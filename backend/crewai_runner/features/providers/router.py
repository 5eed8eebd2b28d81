"""API endpoints of providers."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Response

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.core.errors import BadRequest, StaleVersion, Unprocessable
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.providers.deps import (
    Connections,
    ProviderLists,
    Providers,
    ProvidersToRead,
    Reader,
    RequireWriter,
    Writer,
)
from crewai_runner.features.providers.errors import (
    ApiKeyNeededAgain,
    ProviderBuiltIn,
    ProviderFailed,
    ProviderInUse,
    ProviderInvalid,
    ProviderNameTaken,
    ProviderNotFound,
)
from crewai_runner.features.providers.schemas import (
    ConnectionReport,
    LiveModels,
    ProviderAnswer,
    ProviderEnvelope,
    ProviderList,
    ProviderRead,
    ProviderTestEnvelope,
    ProviderUpdateEnvelope,
)
from crewai_runner.http.deps import LIMIT, Conditional, Cursor, IfMatch, Limit, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/providers", tags=["providers"])


@router.get("", response_model=ProviderList, responses=problems(BadRequest))
async def list_providers(
    principal: Reader,
    providers: ProviderLists,
    provider_type: Annotated[ProviderType | None, Query(alias="type", description="Only this type.")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List the providers of the workspace, oldest first. Keys are never returned."""
    body = await providers.list_page(principal, provider_type, limit, cursor)
    return Response(body, media_type="application/json")


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=problems(ProviderNameTaken, IdempotencyKeyReused, ProviderInvalid),
)
async def create_provider(
    body: ProviderEnvelope,
    principal: Writer,
    providers: Providers,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ProviderAnswer:
    """Create a provider. Its key is stored encrypted and never returned.

    The body may also be the provider itself, without the enclosing `provider` member. The provider is not
    contacted; test the connection with `POST /providers/{id}/test`.
    """
    answer = await providers.create(principal, body.provider, idempotency_key)
    set_etag(response, answer.provider.version)
    return answer


@router.post("/test", dependencies=[RequireWriter], responses=problems(Unprocessable))
async def test_unsaved_provider(body: ProviderTestEnvelope, connections: Connections) -> ConnectionReport:
    """Test a provider without saving it. Takes at most 10 seconds; failures are reported with status 200."""
    return await connections.test_unsaved(body.provider)


@router.get("/{provider_id}", dependencies=[Conditional], responses=problems(ProviderNotFound))
async def get_provider(
    provider_id: str, principal: Reader, providers: ProvidersToRead, response: Response
) -> ProviderRead:
    """Get one provider; its version is in the ETag."""
    provider = await providers.get(principal, provider_id)
    set_etag(response, provider.version)
    return provider


@router.patch(
    "/{provider_id}",
    responses=problems(
        BadRequest, ProviderNotFound, ProviderNameTaken, ProviderBuiltIn, StaleVersion, ApiKeyNeededAgain
    ),
)
async def update_provider(
    provider_id: str,
    body: ProviderUpdateEnvelope,
    principal: Writer,
    providers: Providers,
    response: Response,
    expected: IfMatch,
) -> ProviderRead:
    """Change the fields that are sent. `apiKey: null` removes the key.

    A stored key is never sent to a new address: when the host of `baseUrl` changes, send `apiKey` again.
    """
    provider = await providers.update(principal, provider_id, body.provider, expected)
    set_etag(response, provider.version)
    return provider


@router.delete(
    "/{provider_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(BadRequest, ProviderNotFound, ProviderInUse, ProviderBuiltIn, StaleVersion),
)
async def delete_provider(
    provider_id: str,
    principal: Writer,
    providers: Providers,
    expected: IfMatch,
    force: Annotated[bool, Query(description="Also delete its models.")] = False,
) -> None:
    """Delete a provider and its key. A provider with models requires `force`."""
    await providers.delete(principal, provider_id, force=force, expected=expected)


@router.post("/{provider_id}/test", responses=problems(ProviderNotFound, SecretUnreadable))
async def test_provider(provider_id: str, principal: Writer, connections: Connections) -> ConnectionReport:
    """Test a provider with its stored key. Takes at most 10 seconds; failures are reported with status 200.

    `stage` is the last stage: name resolution, connection, TLS, authentication, list of models.
    """
    return await connections.test_stored(principal, provider_id)


@router.get("/{provider_id}/models", responses=problems(ProviderNotFound, ProviderFailed, SecretUnreadable))
async def list_live_models(provider_id: str, principal: Reader, connections: Connections) -> LiveModels:
    """List the models that the provider currently offers."""
    return await connections.list_live_models(principal, provider_id)
