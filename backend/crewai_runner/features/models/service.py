"""Models, for those who call them: found by name, bound with everything a call needs."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.text import pick_unused_name
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.domain.local_model import CONTEXT_WINDOW, MODEL_ID
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.usage import Pricing
from crewai_runner.executor.port import ModelBinding
from crewai_runner.features.models.errors import ModelNotRegistered
from crewai_runner.features.models.repository import ModelRepository
from crewai_runner.features.models.rules import Directory, Entry, without_owner
from crewai_runner.features.models.schemas import ModelCapabilities, ModelNames, ModelProvider
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.providers.service import Access, ProviderService
from crewai_runner.localmodel.supervisor import LocalModelSupervisor

_LOCAL_CAPABILITIES = ModelCapabilities(
    tools=False, vision=False, json_output=False, context_window=CONTEXT_WINDOW
)


class ModelService:
    """Names are a model's own, or `provider/endpoint` with the provider's name or type."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        cipher: SecretCipher,
        mask: SecretMask,
        egress: EgressPolicy,
        local: LocalModelSupervisor,
    ) -> None:
        self._models = ModelRepository(session)
        self._providers = ProviderService(session, cipher=cipher, mask=mask, egress=egress, local=local)

    async def default_name(self, workspace_id: str, kind: ModelKind) -> str | None:
        """The name of the default model of a type, None when there is none."""
        return await self._models.default_name(workspace_id, kind)

    async def names(self, workspace_id: str) -> ModelNames:
        """What documents may call the models of a workspace."""
        directory = await self._directory(workspace_id)
        return ModelNames(directory.words(ModelKind.LLM), directory.words(ModelKind.EMBEDDER))

    async def endpoints(self, workspace_id: str) -> dict[str, tuple[ProviderType, str]]:
        """Provider type and endpoint of every model, by all that documents may call it; no keys.

        The empty name is the default LLM's, when there is one.
        """
        entries = await self._models.entries(workspace_id)
        directory = Directory(entries)
        words = directory.words(ModelKind.LLM) | directory.words(ModelKind.EMBEDDER)
        found = {word: directory.find(word) for word in words}
        found[""] = next((entry for entry in entries if entry.default and entry.type is ModelKind.LLM), None)
        return {word: (entry.provider_type, entry.endpoint) for word, entry in found.items() if entry}

    async def owners(self, workspace_id: str, names: Collection[str]) -> dict[str, ModelProvider]:
        """Who serves each of these models; a name that is not registered is left out."""
        directory = await self._directory(workspace_id)
        found = {name: entry for name in names if (entry := directory.find(name)) is not None}
        return {
            name: ModelProvider(id=entry.provider_id, name=entry.provider_name, type=entry.provider_type)
            for name, entry in found.items()
        }

    async def local_names(self, workspace_id: str) -> frozenset[str]:
        """What documents may call the models that the built-in provider serves."""
        entries = await self._models.entries(workspace_id)
        local = {entry.id for entry in entries if entry.provider_type is ProviderType.LOCAL}
        directory = Directory(entries)
        words = directory.words(ModelKind.LLM)
        return frozenset(word for word in words if (found := directory.find(word)) and found.id in local)

    async def check_registered(
        self, workspace_id: str, names: Collection[str], kind: ModelKind = ModelKind.LLM
    ) -> None:
        """Raise ModelNotRegistered unless every name is a model of this kind."""
        if names:
            _find_all(await self._directory(workspace_id), names, kind)

    async def bindings(self, workspace_id: str, names: Collection[str]) -> dict[str, ModelBinding]:
        """All that is needed to call these models, by the names asked for. Keys are masked from then on.

        Reads only, so a reading session will do; waits for the built-in model when it is asked for.
        Raises ModelNotRegistered, SecretUnreadable, LocalModelUnavailable.
        """
        if not names:
            return {}
        found = _find_all(await self._directory(workspace_id), names, None)
        rows = await self._models.many([entry.id for entry in found.values()], workspace_id)
        by_id = {row.id: row for row in rows}
        access = await self._providers.access(workspace_id, list({row.provider_id for row in rows}))
        return {
            name: _binding(by_id[entry.id], access[by_id[entry.id].provider_id])
            for name, entry in found.items()
        }

    async def check_inline(self, provider: ProviderCreate) -> None:
        """Raise ProviderInvalid for a provider given with a run that may not be called.

        Looks the host up: call it before a transaction's first statement.
        """
        await self._providers.admit(provider)

    async def check_inline_as_written(self, provider: ProviderCreate) -> None:
        """As `check_inline`, but nothing is looked up. Raises ProviderInvalid."""
        await self._providers.admit_as_written(provider)

    def inline_bindings(
        self, provider: ProviderCreate, names: Collection[str], embedders: Collection[str] = ()
    ) -> dict[str, ModelBinding]:
        """Bind every name to a provider that is given for one run and never stored.

        The provider's name or type in front of a name is left away. Raises ProviderInvalid.
        """
        access = self._providers.inline(provider)
        owners = (provider.name, provider.type.value)
        return {
            name: ModelBinding(
                name=name,
                provider_name=access.name,
                provider_type=access.type,
                model=name if name in provider.models else without_owner(name, owners),
                base_url=access.base_url,
                api_key=access.api_key,
                kind=ModelKind.EMBEDDER if name in embedders else ModelKind.LLM,
                is_registered=False,
            )
            for name in (*names, *embedders)
        }

    async def ensure_local(self, workspace_id: str = BUILTIN_WORKSPACE) -> str | None:
        """The id of the built-in model, made with its provider if it is not there yet.

        It becomes the default only where there is none. None, and nothing made, while it is not available.
        """
        if not self._providers.local_is_available():
            return None
        provider_id = await self._providers.ensure_local(workspace_id)
        entries = await self._models.entries(workspace_id)
        there = next((entry.id for entry in entries if entry.provider_type is ProviderType.LOCAL), None)
        return there or await self._add_local(workspace_id, provider_id, entries)

    async def _add_local(self, workspace_id: str, provider_id: str, entries: Sequence[Entry]) -> str:
        row = ModelRow(
            id=new_id(Prefix.MODEL),
            workspace_id=workspace_id,
            provider_id=provider_id,
            name=pick_unused_name(MODEL_ID, {entry.name for entry in entries}),
            endpoint=MODEL_ID,
            type=ModelKind.LLM.value,
            is_default=not any(entry.default and entry.type is ModelKind.LLM for entry in entries),
            settings={},
            capabilities=_LOCAL_CAPABILITIES.model_dump(mode="json"),
            pricing=Pricing.model_validate({"input_per_million": 0, "output_per_million": 0}).model_dump(
                mode="json"
            ),
        )
        await self._models.add(row)
        return row.id

    async def _directory(self, workspace_id: str) -> Directory:
        return Directory(await self._models.entries(workspace_id))


def _find_all(directory: Directory, names: Collection[str], kind: ModelKind | None) -> dict[str, Entry]:
    found = {name: entry for name in names if (entry := directory.find(name, kind)) is not None}
    missing = {name: directory.nearest(name, kind) for name in names if name not in found}
    if missing:
        raise ModelNotRegistered(missing)
    return found


def _binding(row: Any, access: Access) -> ModelBinding:
    capabilities = ModelCapabilities.model_validate(row.capabilities)
    return ModelBinding(
        name=row.name,
        provider_name=access.name,
        provider_type=access.type,
        model=row.endpoint,
        base_url=access.base_url,
        api_key=access.api_key,
        settings=ModelSettings.model_validate(row.settings),
        pricing=None if row.pricing is None else Pricing.model_validate(row.pricing),
        kind=ModelKind(row.type),
        supports_tools=capabilities.tools,
        context_window=capabilities.context_window,
    )
