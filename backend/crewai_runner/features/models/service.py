"""Resolves model names for other features, and binds models to the connections of their providers."""

import time
from collections.abc import Collection, Sequence
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.text import pick_unused_name
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.domain.local_model import CONTEXT_WINDOW, MODEL_ID
from crewai_runner.domain.model_settings import RegisteredModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.provider_settings import describe_ignored_settings
from crewai_runner.domain.usage import Pricing
from crewai_runner.executor.model_requirements import (
    ModelProblem,
    find_missing_package,
    find_model_problem,
)
from crewai_runner.executor.port import ModelBinding
from crewai_runner.features.models.errors import ModelNotRegistered, ModelUnusable
from crewai_runner.features.models.model_cache import ModelCache, WorkspaceModels
from crewai_runner.features.models.repository import ModelRepository
from crewai_runner.features.models.rules import ModelEntry, ModelIndex, strip_provider_prefix
from crewai_runner.features.models.schemas import ModelCapabilities, ModelNames, ModelProvider, ModelRecord
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.providers.service import ProviderConnection, ProviderDeps, ProviderService

_LOCAL_CAPABILITIES = ModelCapabilities(
    tools=False, vision=False, json_output=False, context_window=CONTEXT_WINDOW
)


class ModelService:
    """A model is found by its name, or by `provider/model` with the provider's name or type.

    The models of a workspace are taken from the cache once: use an instance for one transaction. What they
    refuse is checked again with the stored models.
    """

    def __init__(self, session: AsyncSession, deps: ProviderDeps, cache: ModelCache | None = None) -> None:
        self._models = ModelRepository(session)
        self._session, self._deps, self._cache = session, deps, cache or ModelCache()
        self._read: dict[str, WorkspaceModels] = {}

    @cached_property
    def _providers(self) -> ProviderService:
        # Created on first use: starting a run usually needs only model names.
        return ProviderService(self._session, self._deps)

    async def get_default_name(self, workspace_id: str, kind: ModelKind) -> str | None:
        """Return the name of the default model of a kind; None if there is none."""
        name = (await self._load_index(workspace_id)).find_default_name(kind)
        return name or (await self._read_again(workspace_id)).index.find_default_name(kind)

    async def list_names(self, workspace_id: str) -> ModelNames:
        """Return all names and aliases of the models of a workspace."""
        index = await self._load_index(workspace_id)
        return ModelNames(index.list_names(ModelKind.LLM), index.list_names(ModelKind.EMBEDDER))

    async def list_provider_models(self, workspace_id: str) -> dict[str, tuple[ProviderType, str]]:
        """As `list_called_models`, by all names and aliases, and the default LLM by the empty string too."""
        entries = await self._models.list_entries(workspace_id)
        index = ModelIndex(entries)
        names = index.list_names(ModelKind.LLM) | index.list_names(ModelKind.EMBEDDER)
        found = {name: index.find(name) for name in names}
        found[""] = next((entry for entry in entries if entry.default and entry.type is ModelKind.LLM), None)
        return {name: (entry.provider_type, entry.provider_model) for name, entry in found.items() if entry}

    async def list_called_models(self, workspace_id: str) -> dict[str, tuple[ProviderType, str]]:
        """Return the provider type and the provider's name of every model, by its name only."""
        entries = await self._models.list_entries(workspace_id)
        return {one.name: (one.provider_type, one.provider_model) for one in entries}

    async def get_providers(self, workspace_id: str, names: Collection[str]) -> dict[str, ModelProvider]:
        """Return the providers of models by model name, without unknown names."""
        index = await self._load_index(workspace_id)
        found = {name: entry for name in names if (entry := index.find(name)) is not None}
        return {
            name: ModelProvider(id=entry.provider_id, name=entry.provider_name, type=entry.provider_type)
            for name, entry in found.items()
        }

    async def list_ignored_settings(self, workspace_id: str, names: Collection[str]) -> list[str]:
        """Return a warning for each of these models whose provider ignores settings of its registration."""
        stored = await self._load(workspace_id)
        found = {entry.id: entry for name in names if (entry := stored.index.find(name)) is not None}
        warnings = (
            describe_ignored_settings(
                entry.name, RegisteredModelSettings.model_validate(settings), entry.provider_type
            )
            for id_, entry in found.items()
            if (settings := stored.models[id_].settings)
        )
        return [warning for warning in warnings if warning is not None]

    async def list_local_names(self, workspace_id: str) -> frozenset[str]:
        """Return all names and aliases of the built-in model."""
        index = await self._load_index(workspace_id)
        return frozenset(
            name
            for name in index.list_names(ModelKind.LLM)
            if (entry := index.find(name)) and entry.provider_type is ProviderType.LOCAL
        )

    async def check_usable(
        self, workspace_id: str, names: Collection[str], kind: ModelKind = ModelKind.LLM
    ) -> None:
        """Check that every name is a model of this kind that can be called, without calling it.

        Raises ModelNotRegistered, ModelUnusable.
        """
        if not names:
            return
        try:
            self._check_usable(await self._load(workspace_id), names, kind)
        except (ModelNotRegistered, ModelUnusable):
            self._check_usable(await self._read_again(workspace_id), names, kind)

    def _check_usable(self, stored: WorkspaceModels, names: Collection[str], kind: ModelKind) -> None:
        entries = _find_all(stored.index, names, kind)
        ids = {entry.provider_id for entry in entries.values()}
        found = {id_: self._providers.find_connection(stored.providers[id_]) for id_ in ids}
        problems = {
            name: problem
            for name, entry in entries.items()
            if (problem := _find_problem(name, found[entry.provider_id], kind)) is not None
        }
        if problems:
            raise ModelUnusable(problems)

    def check_inline_usable(
        self, provider: ProviderCreate, names: Collection[str], kind: ModelKind = ModelKind.LLM
    ) -> None:
        """Check that the provider of a run request has what calling these models needs.

        Raises ModelUnusable, ProviderInvalid.
        """
        connection = self._providers.build_inline_connection(provider)
        problem = _find_problem("", connection, kind) if names else None
        if problem is not None:
            raise ModelUnusable(dict.fromkeys(names, problem))

    async def get_bindings(self, workspace_id: str, names: Collection[str]) -> dict[str, ModelBinding]:
        """Return the bindings for calling these models, by the given names. Masks their keys in logs.

        A read-only session is sufficient. Waits for the built-in model if it is among the models.
        Raises ModelNotRegistered, SecretUnreadable, LocalModelUnavailable.
        """
        if not names:
            return {}
        try:
            return await self._bind(await self._load(workspace_id), names)
        except (ModelNotRegistered, SecretUnreadable):
            return await self._bind(await self._read_again(workspace_id), names)

    async def _bind(self, stored: WorkspaceModels, names: Collection[str]) -> dict[str, ModelBinding]:
        entries = _find_all(stored.index, names, None)
        ids = {entry.provider_id for entry in entries.values()}
        connections = {id_: await self._providers.connect(stored.providers[id_]) for id_ in ids}
        return {
            name: _bind(stored.models[entry.id], connections[entry.provider_id])
            for name, entry in entries.items()
        }

    async def validate_inline_provider(self, provider: ProviderCreate) -> None:
        """Raise ProviderInvalid if the provider of a run request is not valid or not allowed.

        Resolves the host name: call it before the first statement of a transaction.
        """
        await self._providers.validate(provider)

    async def validate_inline_provider_offline(self, provider: ProviderCreate) -> None:
        """`validate_inline_provider` without name resolution. Raises ProviderInvalid."""
        await self._providers.validate_offline(provider)

    def build_inline_bindings(
        self, provider: ProviderCreate, names: Collection[str], embedders: Collection[str] = ()
    ) -> dict[str, ModelBinding]:
        """Bind all names to the provider of a run request, which is not stored.

        A prefix with the provider's name or type is removed from the names. Raises ProviderInvalid.
        """
        connection = self._providers.build_inline_connection(provider)
        prefixes = (provider.name, provider.type.value)
        return {
            name: ModelBinding(
                name=name,
                provider_name=connection.name,
                provider_type=connection.type,
                model=name if name in provider.models else strip_provider_prefix(name, prefixes),
                base_url=connection.base_url,
                api_key=connection.api_key,
                kind=ModelKind.EMBEDDER if name in embedders else ModelKind.LLM,
                is_registered=False,
            )
            for name in (*names, *embedders)
        }

    async def ensure_local(self, workspace_id: str = BUILTIN_WORKSPACE) -> str | None:
        """Return the id of the built-in model, after creating it and its provider if needed.

        It becomes the default if there is none. Returns None, and creates nothing, while it is unavailable.
        """
        if not self._providers.is_local_available():
            return None
        provider_id = await self._providers.ensure_local(workspace_id)
        entries = await self._models.list_entries(workspace_id)
        existing = next((entry.id for entry in entries if entry.provider_type is ProviderType.LOCAL), None)
        return existing or await self._add_local(workspace_id, provider_id, entries)

    async def _add_local(self, workspace_id: str, provider_id: str, entries: Sequence[ModelEntry]) -> str:
        row = ModelRow(
            id=new_id(Prefix.MODEL),
            workspace_id=workspace_id,
            provider_id=provider_id,
            name=pick_unused_name(MODEL_ID, {entry.name for entry in entries}),
            provider_model=MODEL_ID,
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

    async def _load_index(self, workspace_id: str) -> ModelIndex:
        return (await self._load(workspace_id)).index

    async def _load(self, workspace_id: str) -> WorkspaceModels:
        read = self._read.get(workspace_id)
        if read is None:
            read = self._read[workspace_id] = await self._cache.get(workspace_id, self._read_stored)
        return read

    async def _read_again(self, workspace_id: str) -> WorkspaceModels:
        read = self._read[workspace_id] = await self._cache.read(workspace_id, self._read_stored)
        return read

    async def _read_stored(self, workspace_id: str) -> WorkspaceModels:
        read_at = time.monotonic()
        providers = {row.id: row for row in await self._providers.list_records(workspace_id)}
        models = {row.id: row for row in await self._models.list_records(workspace_id)}
        entries = await self._models.list_entries(workspace_id)
        # Each query of a transaction on PostgreSQL may see later commits than the one before.
        complete = [entry for entry in entries if entry.id in models and entry.provider_id in providers]
        return WorkspaceModels(ModelIndex(complete), models, providers, read_at)


def _find_all(index: ModelIndex, names: Collection[str], kind: ModelKind | None) -> dict[str, ModelEntry]:
    found = {name: entry for name in names if (entry := index.find(name, kind)) is not None}
    missing = {name: index.suggest(name, kind) for name in names if name not in found}
    if missing:
        raise ModelNotRegistered(missing)
    return found


def _find_problem(
    name: str, connection: ProviderConnection | ModelProblem, kind: ModelKind
) -> ModelProblem | None:
    if isinstance(connection, ModelProblem):
        return connection
    if connection.type is ProviderType.LOCAL and kind is ModelKind.LLM:
        return None
    binding = ModelBinding(
        name=name,
        provider_name=connection.name,
        provider_type=connection.type,
        model=name,
        base_url=connection.base_url,
        api_key=connection.api_key,
        kind=kind,
    )
    return find_model_problem(binding) or find_missing_package(connection.type)


def _bind(model: ModelRecord, connection: ProviderConnection) -> ModelBinding:
    capabilities = ModelCapabilities.model_validate(model.capabilities)
    return ModelBinding(
        name=model.name,
        provider_name=connection.name,
        provider_type=connection.type,
        model=model.provider_model or model.name,
        base_url=connection.base_url,
        api_key=connection.api_key,
        settings=RegisteredModelSettings.model_validate(model.settings),
        pricing=None if model.pricing is None else Pricing.model_validate(model.pricing),
        kind=ModelKind(model.type),
        supports_tools=capabilities.tools,
        context_window=capabilities.context_window,
    )
