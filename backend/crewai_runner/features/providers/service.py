"""Providers for other features: connections with decrypted keys, and the built-in provider."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.keyring import Keyring, secret_parts
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.secret_mask import PROCESS_SCOPE, SecretMask
from crewai_runner.core.text import pick_unused_name
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.local_model import PROVIDER_NAME
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.model_requirements import ModelProblem
from crewai_runner.features.providers.endpoint.endpoint_validator import (
    EndpointValidator,
    endpoint_from_request,
    endpoint_from_row,
)
from crewai_runner.features.providers.repository import ProviderRepository
from crewai_runner.features.providers.schemas import ProviderCreate, ProviderRecord
from crewai_runner.localmodel.status import LocalModelUnavailable
from crewai_runner.localmodel.supervisor import LocalModelSupervisor


@dataclass(frozen=True, slots=True)
class ProviderDeps:
    """Dependencies of the provider and model services, built by the container."""

    cipher: SecretCipher
    mask: SecretMask
    egress: EgressPolicy
    local_model: LocalModelSupervisor


@dataclass(frozen=True, slots=True)
class ProviderConnection:
    """Type, URL and decrypted key of a provider. Never part of a response."""

    name: str
    type: ProviderType
    base_url: str | None
    api_key: SecretStr | None


class ProviderService:
    """Decrypts keys. A decrypted key is masked in logs and responses from then on."""

    def __init__(self, session: AsyncSession, deps: ProviderDeps) -> None:
        self._providers = ProviderRepository(session)
        self._keyring, self._mask = Keyring(deps.cipher, deps.mask), deps.mask
        self._validator = EndpointValidator(deps.egress)
        self._local_model = deps.local_model

    async def get_connection(self, workspace_id: str, provider_id: str) -> ProviderConnection:
        """Return a stored connection; that of the built-in provider has no URL.

        Raises ProviderNotFound, SecretUnreadable.
        """
        return self._decrypt(await self._providers.get(provider_id, workspace_id))

    async def list_records(self, workspace_id: str) -> Sequence[ProviderRecord]:
        """Return what connections to the workspace's providers need, with encrypted keys."""
        return await self._providers.list_records(workspace_id)

    async def connect(self, row: ProviderRow | ProviderRecord) -> ProviderConnection:
        """Return a stored connection; waits until the built-in model has a URL.

        Raises SecretUnreadable, LocalModelUnavailable.
        """
        if row.type != ProviderType.LOCAL:
            return self._decrypt(row)
        endpoint = await self._local_model.endpoint()
        self._mask.hold(PROCESS_SCOPE, PROVIDER_NAME, secret_parts(endpoint.token))
        return ProviderConnection(row.name, ProviderType.LOCAL, endpoint.base_url, endpoint.token)

    def find_connection(self, row: ProviderRow | ProviderRecord) -> ProviderConnection | ModelProblem:
        """Return a stored connection, or why there is none, without waiting for anything."""
        if row.type == ProviderType.LOCAL:
            reason = self._local_model.unavailable_reason()
            if reason is not None:
                return ModelProblem(LocalModelUnavailable.slug, "It is not available.", reason)
            return ProviderConnection(row.name, ProviderType.LOCAL, None, None)
        try:
            return self._decrypt(row)
        except SecretUnreadable as error:
            return ModelProblem(error.slug, error.detail, "Enter the key again in the provider's settings.")

    async def list_expected_models(self, workspace_id: str, provider_id: str) -> list[str]:
        """Return the provider's model names that this workspace uses. Raises ProviderNotFound."""
        row = await self._providers.get(provider_id, workspace_id)
        registered = await self._providers.list_llms(provider_id, workspace_id)
        return list(dict.fromkeys([*row.models, *registered]))

    async def get_type_for_share(self, workspace_id: str, provider_id: str) -> ProviderType:
        """Return the type of a provider and keep it from being deleted in this transaction.

        Raises ProviderNotFound.
        """
        return ProviderType((await self._providers.get_for_share(provider_id, workspace_id)).type)

    async def validate(self, request: ProviderCreate) -> None:
        """Raise ProviderInvalid if the provider is not valid or not allowed. Resolves its host name."""
        await self._validator.validate(request)

    async def validate_offline(self, request: ProviderCreate) -> None:
        """`validate` without name resolution. Raises ProviderInvalid."""
        await self._validator.validate_offline(request)

    def build_inline_connection(self, request: ProviderCreate) -> ProviderConnection:
        """Return the connection of a provider that is not stored. Raises ProviderInvalid."""
        endpoint = endpoint_from_request(request)
        return ProviderConnection(request.name, endpoint.type, endpoint.url, request.api_key)

    def is_local_available(self) -> bool:
        """Return whether this installation has the built-in model."""
        return self._local_model.unavailable_reason() is None

    async def mask_stored_keys(self) -> list[str]:
        """Mask the stored keys of all workspaces, and no others any more.

        Returns the ids of providers whose key cannot be decrypted.
        """
        unreadable, stored = [], await self._providers.list_encrypted_keys()
        for workspace_id, provider_id, encrypted in stored:
            try:
                self._keyring.decrypt(encrypted, workspace_id, provider_id)
            except SecretUnreadable:
                unreadable.append(provider_id)
        self._keyring.forget_all_but({provider_id for _, provider_id, _ in stored})
        return unreadable

    async def ensure_local(self, workspace_id: str = BUILTIN_WORKSPACE) -> str:
        """Return the id of the built-in provider, after creating it if needed."""
        await self._providers.lock_workspace(workspace_id)
        row = await self._providers.get_local(workspace_id)
        if row is None:
            names = await self._providers.list_names(workspace_id)
            row = ProviderRow(
                id=new_id(Prefix.PROVIDER),
                workspace_id=workspace_id,
                name=pick_unused_name(PROVIDER_NAME, names),
                type=ProviderType.LOCAL.value,
                options={},
                models=[],
            )
            await self._providers.add(row)
        return row.id

    def _decrypt(self, row: ProviderRow | ProviderRecord) -> ProviderConnection:
        endpoint = endpoint_from_row(row)
        key = self._keyring.decrypt(row.sealed_api_key, row.workspace_id, row.id)
        return ProviderConnection(row.name, endpoint.type, endpoint.url, key)
