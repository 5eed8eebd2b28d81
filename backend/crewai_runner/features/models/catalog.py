"""Register, update and delete models."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.domain.local_model import MODEL_ID
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.models.errors import ModelBuiltIn, ModelInvalid
from crewai_runner.features.models.read_repository import ModelReadRepository
from crewai_runner.features.models.repository import ModelRepository
from crewai_runner.features.models.rules import resolve_target
from crewai_runner.features.models.schemas import (
    ModelAnswer,
    ModelCreate,
    ModelRead,
    ModelUpdate,
)
from crewai_runner.features.providers.errors import ProviderNotFound
from crewai_runner.features.providers.service import ProviderDeps, ProviderService

JSON_FIELDS = frozenset({"settings", "capabilities", "pricing"})


class ModelCatalog:
    """Manages models. A lock on the workspace serializes changes of the default model."""

    def __init__(self, session: AsyncSession, deps: ProviderDeps) -> None:
        self._session = session
        self._models = ModelRepository(session)
        self._providers = ProviderService(session, deps)

    async def create(
        self, principal: Principal, request: ModelCreate, idempotency_key: str | None = None
    ) -> ModelAnswer:
        """Register a model. Raises ModelInvalid, ModelNameTaken, IdempotencyKeyReused."""

        async def create() -> ModelAnswer:
            return ModelAnswer(model=await self._create(principal, request))

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "models:create_model", idempotency_key
        )
        return await idempotent(ModelAnswer, request, create)

    async def _create(self, principal: Principal, request: ModelCreate) -> ModelRead:
        workspace_id = principal.workspace_id
        await self._models.lock_workspace(workspace_id)
        target = resolve_target(request.endpoint, request.provider_model)
        provider_model = target.provider_model or request.name
        await self._check_provider(workspace_id, request.provider_id, request.type, provider_model)
        row = ModelRow(
            id=new_id(Prefix.MODEL),
            workspace_id=workspace_id,
            provider_id=request.provider_id,
            name=request.name,
            provider_model=provider_model,
            endpoint=target.endpoint,
            type=request.type.value,
        )
        for name in JSON_FIELDS:
            setattr(row, name, _to_json(request, name))
        is_first = await self._models.get_default_name(workspace_id, request.type) is None
        row.is_default = request.default or is_first
        if row.is_default:
            await self._models.clear_default(workspace_id, request.type, except_id=row.id)
        await self._models.add(row)
        return await self._read(row)

    async def update(
        self, principal: Principal, model_id: str, request: ModelUpdate, expected: int | None
    ) -> ModelRead:
        """Change the fields that were sent.

        Raises ModelNotFound, StaleVersion, ModelInvalid, ModelNameTaken.
        """
        sent = request.model_fields_set
        if "default" in sent:
            await self._models.lock_workspace(principal.workspace_id)
        row = await self._models.get_for_update(model_id, principal.workspace_id, expected)
        if request.default:
            # Before changing the row: this statement flushes it, and a taken name would then raise an
            # IntegrityError here instead of ModelNameTaken in `save`.
            await self._models.clear_default(row.workspace_id, ModelKind(row.type), except_id=row.id)
        await self._update_target(row, request)
        if "default" in sent:
            row.is_default = request.default
        for name in sent & JSON_FIELDS:
            setattr(row, name, _to_json(request, name))
        await self._models.save(row)
        return await self._read(row)

    async def delete(self, principal: Principal, model_id: str, expected: int | None) -> None:
        """Delete a model. Raises ModelNotFound, StaleVersion, ModelBuiltIn."""
        row = await self._models.get_for_update(model_id, principal.workspace_id, expected)
        provider_type = await self._providers.get_type_for_share(row.workspace_id, row.provider_id)
        is_local = provider_type is ProviderType.LOCAL and self._providers.is_local_available()
        if is_local and not await self._models.provider_has_other_models(row):
            raise ModelBuiltIn(
                "The built-in model cannot be deleted while it is available. "
                "Set LOCAL_MODEL=off to disable it."
            )
        await self._models.delete(row)

    async def _read(self, row: ModelRow) -> ModelRead:
        return await self._session.run_sync(
            lambda session: ModelReadRepository(session.connection()).get(row.id, row.workspace_id)
        )

    async def _update_target(self, row: ModelRow, request: ModelUpdate) -> None:
        """Set the name, provider, provider's model and endpoint, which must be valid together."""
        sent = request.model_fields_set
        target = resolve_target(request.endpoint, request.provider_model)
        name = request.name if "name" in sent else row.name
        provider_id = request.provider_id if "provider_id" in sent else row.provider_id
        provider_model = target.provider_model or (name if "provider_model" in sent else row.provider_model)
        if (provider_model, provider_id) != (row.provider_model, row.provider_id):
            kind = ModelKind(row.type)
            await self._check_provider(row.workspace_id, provider_id, kind, provider_model or name)
        row.name, row.provider_model, row.provider_id = name, provider_model, provider_id
        if "endpoint" in sent:
            row.endpoint = target.endpoint

    async def _check_provider(
        self, workspace_id: str, provider_id: str, kind: ModelKind, provider_model: str
    ) -> None:
        try:
            provider_type = await self._providers.get_type_for_share(workspace_id, provider_id)
        except ProviderNotFound as error:
            raise ModelInvalid("/providerId", error.detail) from None
        if provider_type is ProviderType.LOCAL and (provider_model, kind) != (MODEL_ID, ModelKind.LLM):
            detail = f"The built-in provider has one model, the LLM {MODEL_ID!r}."
            raise ModelInvalid("/providerModel", detail)


def _to_json(request: ModelCreate | ModelUpdate, name: str) -> Any:
    value = getattr(request, name)
    return None if value is None else value.model_dump(mode="json", by_alias=False, exclude_none=True)
