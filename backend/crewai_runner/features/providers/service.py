"""Providers, for those who call them: where they are reached, and with which key."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.text import pick_unused_name
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.local_model import PROVIDER_NAME
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.errors import ProviderNotFound
from crewai_runner.features.providers.places import Places, place_of, stored_place
from crewai_runner.features.providers.repository import ProviderRepository
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.localmodel.supervisor import LocalModelSupervisor


@dataclass(frozen=True, slots=True)
class Access:
    """Type, address and key of one provider. Never for the wire."""

    name: str
    type: ProviderType
    base_url: str | None
    api_key: SecretStr | None


class ProviderService:
    """Unseals keys; each is masked from then on."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        cipher: SecretCipher,
        mask: SecretMask,
        egress: EgressPolicy,
        local: LocalModelSupervisor,
    ) -> None:
        self._providers = ProviderRepository(session)
        self._keys = Keyring(cipher, mask)
        self._places = Places(egress)
        self._local = local

    async def stored(self, workspace_id: str, provider_id: str) -> Access:
        """As stored, the built-in provider without its address. Raises ProviderNotFound, SecretUnreadable."""
        row = await self._providers.get(provider_id, workspace_id)
        if row is None:
            raise ProviderNotFound(provider_id)
        return self._unsealed(row)

    async def access(self, workspace_id: str, provider_ids: Sequence[str]) -> dict[str, Access]:
        """How to reach each, by id; waits until the built-in model has an address.

        An id that names nothing is left out. Raises SecretUnreadable, LocalModelUnavailable.
        """
        rows = await self._providers.many(provider_ids, workspace_id)
        return {row.id: await self._reach(row) for row in rows}

    async def expected_models(self, workspace_id: str, provider_id: str) -> list[str]:
        """The provider's own names of models that this workspace counts on. Raises ProviderNotFound."""
        row = await self._providers.get(provider_id, workspace_id)
        if row is None:
            raise ProviderNotFound(provider_id)
        registered = await self._providers.model_endpoints(provider_id, workspace_id)
        return list(dict.fromkeys([*row.models, *registered]))

    async def keep(self, workspace_id: str, provider_id: str) -> ProviderType:
        """The type of a provider that cannot be deleted before this transaction ends.

        Raises ProviderNotFound.
        """
        row = await self._providers.get_kept(provider_id, workspace_id)
        if row is None:
            raise ProviderNotFound(provider_id)
        return ProviderType(row.type)

    async def admit(self, request: ProviderCreate) -> None:
        """Raise ProviderInvalid for a provider that may not be called; looks its host up."""
        await self._places.admit(request)

    async def admit_as_written(self, request: ProviderCreate) -> None:
        """As `admit`, but nothing is looked up. Raises ProviderInvalid."""
        await self._places.admit_as_written(request)

    def inline(self, request: ProviderCreate) -> Access:
        """A provider that is used once and never stored. Raises ProviderInvalid."""
        place = place_of(request)
        key = request.api_key and self._keys.mask_key(request.api_key)
        return Access(request.name, place.type, place.url, key)

    def local_is_available(self) -> bool:
        """Whether the built-in model can be used on this installation."""
        return self._local.unavailable_reason() is None

    async def mask_stored_keys(self) -> list[str]:
        """Mask every key of every workspace, at start; the ids of providers whose key cannot be read."""
        broken = []
        for provider_id, sealed in await self._providers.sealed_keys():
            try:
                self._keys.decrypt(sealed)
            except SecretUnreadable:
                broken.append(provider_id)
        return broken

    async def ensure_local(self, workspace_id: str = BUILTIN_WORKSPACE) -> str:
        """The id of the built-in provider, made if it is not there yet; call when its model is available."""
        await self._providers.lock_workspace(workspace_id)
        row = await self._providers.local(workspace_id)
        if row is None:
            name = pick_unused_name(PROVIDER_NAME, await self._providers.names(workspace_id))
            row = self._local_row(workspace_id, name)
            await self._providers.add(row)
        return row.id

    async def _reach(self, row: ProviderRow) -> Access:
        if row.type == ProviderType.LOCAL:
            endpoint = await self._local.endpoint()
            return Access(
                row.name, ProviderType.LOCAL, endpoint.base_url, self._keys.mask_key(endpoint.token)
            )
        return self._unsealed(row)

    def _unsealed(self, row: ProviderRow) -> Access:
        place = stored_place(row)
        return Access(row.name, place.type, place.url, self._keys.decrypt(row.sealed_api_key))

    @staticmethod
    def _local_row(workspace_id: str, name: str) -> ProviderRow:
        return ProviderRow(
            id=new_id(Prefix.PROVIDER),
            workspace_id=workspace_id,
            name=name,
            type=ProviderType.LOCAL.value,
            options={},
            models=[],
        )
