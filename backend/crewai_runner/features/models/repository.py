"""Queries on models, with the name and type of their provider."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.paging import Page, make_page
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.errors import ModelNameTaken, ModelNotFound
from crewai_runner.features.models.rules import ModelEntry


class ModelWithProvider(NamedTuple):
    model: ModelRow
    provider_name: str
    provider_type: ProviderType

    @property
    def provider_model(self) -> str:
        """The provider's name for the model."""
        return self.model.provider_model or self.model.name


class ModelRepository(NamedRowRepository[ModelRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ModelRow, Prefix.MODEL, not_found=ModelNotFound, name_taken=ModelNameTaken)

    async def get_with_provider(self, model_id: str, workspace_id: str) -> ModelWithProvider:
        """Return one model. Raises ModelNotFound."""
        is_id = has_prefix(model_id, Prefix.MODEL)
        rows = await self.list_with_provider([model_id], workspace_id) if is_id else []
        if not rows:
            raise ModelNotFound(model_id)
        return rows[0]

    async def list_page(
        self,
        workspace_id: str,
        kind: ModelKind | None,
        provider_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page[ModelWithProvider]:
        """Return one page, oldest first. Raises BadRequest for an invalid cursor."""
        query = _select_with_provider(workspace_id)
        if kind is not None:
            query = query.where(ModelRow.type == kind)
        if provider_id is not None:
            query = query.where(ModelRow.provider_id == provider_id)
        rows = await self._fetch(self._select_page(query, cursor, limit))
        return make_page(rows, limit, lambda row: row.model.id)

    async def list_with_provider(
        self, model_ids: Sequence[str], workspace_id: str
    ) -> Sequence[ModelWithProvider]:
        return await self._fetch(_select_with_provider(workspace_id).where(ModelRow.id.in_(model_ids)))

    async def list_entries(self, workspace_id: str) -> list[ModelEntry]:
        """Return the entries from which model names are resolved."""
        query = (
            select(
                ModelRow.id,
                ModelRow.name,
                ModelRow.type,
                ModelRow.provider_id,
                ProviderRow.name.label("provider_name"),
                ProviderRow.type.label("provider_type"),
                func.coalesce(func.nullif(ModelRow.provider_model, ""), ModelRow.name).label(
                    "provider_model"
                ),
                ModelRow.is_default.label("default"),
            )
            .join(ProviderRow, ProviderRow.id == ModelRow.provider_id)
            .where(ModelRow.workspace_id == workspace_id)
        )
        return [
            ModelEntry(
                id=row.id,
                name=row.name,
                type=ModelKind(row.type),
                provider_model=row.provider_model,
                default=row.default,
                provider_name=row.provider_name,
                provider_type=ProviderType(row.provider_type),
                provider_id=row.provider_id,
            )
            for row in await self._session.execute(query)
        ]

    async def get_default_name(self, workspace_id: str, kind: ModelKind) -> str | None:
        query = select(ModelRow.name).where(
            ModelRow.workspace_id == workspace_id, ModelRow.type == kind, ModelRow.is_default
        )
        return await self._session.scalar(query)

    async def provider_has_other_models(self, row: ModelRow) -> bool:
        """Return whether the model's provider has other models."""
        query = select(ModelRow.id).where(
            ModelRow.workspace_id == row.workspace_id,
            ModelRow.provider_id == row.provider_id,
            ModelRow.id != row.id,
        )
        return await self._session.scalar(query.limit(1)) is not None

    async def clear_default(self, workspace_id: str, kind: ModelKind, *, except_id: str) -> None:
        """Unset the default model of this kind, so that the model `except_id` can become it."""
        await self._session.execute(
            update(ModelRow)
            .where(
                ModelRow.workspace_id == workspace_id,
                ModelRow.type == kind,
                ModelRow.is_default,
                ModelRow.id != except_id,
            )
            .values(is_default=False, version=ModelRow.version + 1, updated_at=now())
            .execution_options(synchronize_session=False)
        )

    async def _fetch(self, query: Select[ModelRow, str, str]) -> Sequence[ModelWithProvider]:
        result = await self._session.execute(query)
        return [ModelWithProvider(model, name, ProviderType(kind)) for model, name, kind in result]


def _select_with_provider(workspace_id: str) -> Select[ModelRow, str, str]:
    return (
        select(ModelRow, ProviderRow.name, ProviderRow.type)
        .join(ProviderRow, ProviderRow.id == ModelRow.provider_id)
        .where(ModelRow.workspace_id == workspace_id)
    )
