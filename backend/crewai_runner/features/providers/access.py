"""How to reach a provider, with its key: for those who make calls, never for the wire."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.sealing import Sealer
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.errors import ProviderNotFound
from crewai_runner.features.providers.places import Places, place_of, stored_place
from crewai_runner.features.providers.repository import ProviderRepository
from crewai_runner.features.providers.schemas import ProviderCreate


@dataclass(frozen=True, slots=True)
class Access:
    """`base_url` is None for the built-in provider, whose address moves."""

    name: str
    type: ProviderType
    base_url: str | None
    api_key: SecretStr | None


class ProviderAccess:
    """Unseals keys; each is masked from then on."""

    def __init__(
        self, session: AsyncSession, *, sealer: Sealer, mask: SecretMask, egress: EgressPolicy
    ) -> None:
        self._providers = ProviderRepository(session)
        self._keys = Keyring(sealer, mask)
        self._places = Places(egress)

    async def of(self, workspace_id: str, provider_id: str) -> Access:
        """Raises ProviderNotFound, SealBroken."""
        row = await self._providers.get(provider_id, workspace_id)
        if row is None:
            raise ProviderNotFound(provider_id)
        return self._unsealed(row)

    async def of_many(self, workspace_id: str, provider_ids: Sequence[str]) -> dict[str, Access]:
        """By id; an id that names nothing is left out. Raises SealBroken."""
        rows = await self._providers.many(provider_ids, workspace_id)
        return {row.id: self._unsealed(row) for row in rows}

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

    def inline(self, request: ProviderCreate) -> Access:
        """A provider that is used once and never stored. Raises ProviderInvalid."""
        place = place_of(request)
        key = request.api_key and self._keys.note(request.api_key)
        return Access(request.name, place.type, place.url, key)

    def at(self, access: Access, base_url: str, token: SecretStr) -> Access:
        """The same provider at the address it has now, entered with this token."""
        return replace(access, base_url=base_url, api_key=self._keys.note(token))

    def _unsealed(self, row: ProviderRow) -> Access:
        place = stored_place(row)
        return Access(row.name, place.type, place.url, self._keys.unseal(row.sealed_api_key))
