"""List, create, update and delete providers."""

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.providers.endpoint.endpoint_validator import (
    EndpointValidator,
    endpoint_after_update,
    endpoint_from_row,
)
from crewai_runner.features.providers.endpoint.provider_endpoint import ProviderEndpoint
from crewai_runner.features.providers.errors import ApiKeyNeededAgain, ProviderBuiltIn, ProviderInUse
from crewai_runner.features.providers.repository import ProviderRepository
from crewai_runner.features.providers.schemas import (
    ProviderAnswer,
    ProviderCreate,
    ProviderRead,
    ProviderUpdate,
)
from crewai_runner.features.providers.service import ProviderDeps

HINT_LENGTH = 4
MIN_KEY_LENGTH_WITH_HINT = 12


class ProviderCatalog:
    """Manages providers. Host names are resolved before the first statement: no transaction waits for DNS."""

    def __init__(self, session: AsyncSession, deps: ProviderDeps) -> None:
        self._session = session
        self._providers = ProviderRepository(session)
        self._keyring = Keyring(deps.cipher, deps.mask)
        self._validator = EndpointValidator(deps.egress)
        self._local_model = deps.local_model

    async def get(self, principal: Principal, provider_id: str) -> ProviderRead:
        """Return one provider. Raises ProviderNotFound."""
        return _to_schema(await self._providers.get(provider_id, principal.workspace_id))

    async def create(
        self, principal: Principal, request: ProviderCreate, idempotency_key: str | None = None
    ) -> ProviderAnswer:
        """Store a provider. Raises ProviderInvalid, ProviderNameTaken, IdempotencyKeyReused."""
        endpoint = await self._validator.validate(request)

        async def create() -> ProviderAnswer:
            row = ProviderRow(
                id=new_id(Prefix.PROVIDER),
                workspace_id=principal.workspace_id,
                name=request.name,
                models=request.models,
            )
            self._set_endpoint(row, endpoint)
            self._set_key(row, request.api_key)
            await self._providers.add(row)
            return ProviderAnswer(provider=_to_schema(row))

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "providers:create_provider", idempotency_key
        )
        return await idempotent(ProviderAnswer, request, create)

    async def update(
        self, principal: Principal, provider_id: str, request: ProviderUpdate, expected: int | None
    ) -> ProviderRead:
        """Change the fields that were sent.

        Raises ProviderNotFound, ProviderBuiltIn, StaleVersion, ProviderInvalid, ApiKeyNeededAgain,
        ProviderNameTaken.
        """
        if request.base_url is not None:
            await self._validator.check_url(request.base_url)
        row = await self._providers.get_for_update(provider_id, principal.workspace_id)
        if row.type == ProviderType.LOCAL:
            raise ProviderBuiltIn("The built-in provider cannot be changed; its models can.")
        check_version(row.version, expected)
        sent = request.model_fields_set
        endpoint = endpoint_after_update(row, request)
        keeps_key = "api_key" not in sent and row.sealed_api_key is not None
        if keeps_key and endpoint.origin != endpoint_from_row(row).origin:
            raise ApiKeyNeededAgain
        shown_by_models = (row.name, row.type)
        self._set_endpoint(row, endpoint)
        if "api_key" in sent:
            self._set_key(row, request.api_key)
        for name in sent & {"name", "models"}:
            setattr(row, name, getattr(request, name))
        await self._providers.save(row)
        if (row.name, row.type) != shown_by_models:
            await self._providers.renew_models(row)
        return _to_schema(row)

    async def delete(
        self, principal: Principal, provider_id: str, *, force: bool, expected: int | None
    ) -> None:
        """Delete a provider, with `force` also its models.

        Raises ProviderNotFound, ProviderBuiltIn, StaleVersion, ProviderInUse.
        """
        await self._providers.lock_workspace(principal.workspace_id)
        row = await self._providers.get_for_update(provider_id, principal.workspace_id, expected)
        if row.type == ProviderType.LOCAL and self._local_model.unavailable_reason() is None:
            raise ProviderBuiltIn(
                "The built-in provider cannot be deleted while its model is available. "
                "Set LOCAL_MODEL=off to disable it."
            )
        models = await self._providers.list_model_names(row.id)
        if models and not force:
            raise ProviderInUse(models)
        await self._providers.delete_with_models(row)
        self._keyring.forget(row.workspace_id, row.id)

    @staticmethod
    def _set_endpoint(row: ProviderRow, endpoint: ProviderEndpoint) -> None:
        row.type, row.base_url, row.options = endpoint.type.value, endpoint.base_url, dict(endpoint.options)

    def _set_key(self, row: ProviderRow, key: SecretStr | None) -> None:
        if key is None:
            self._keyring.forget(row.workspace_id, row.id)
        row.sealed_api_key = None if key is None else self._keyring.encrypt(key, row.workspace_id, row.id)
        row.api_key_hint = None if key is None else make_key_hint(key.get_secret_value())


def make_key_hint(api_key: str) -> str | None:
    """Return the last characters of a key; None for a short key, because they would reveal too much of it."""
    return api_key[-HINT_LENGTH:] if len(api_key) >= MIN_KEY_LENGTH_WITH_HINT else None


def _to_schema(row: ProviderRow) -> ProviderRead:
    return ProviderRead(
        id=row.id,
        name=row.name,
        type=ProviderType(row.type),
        base_url=row.base_url,
        has_api_key=row.sealed_api_key is not None,
        api_key_hint=row.api_key_hint,
        models=row.models,
        options=row.options,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
