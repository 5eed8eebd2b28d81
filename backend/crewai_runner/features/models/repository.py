"""Queries on models."""

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.errors import ModelNameTaken, ModelNotFound
from crewai_runner.features.models.rules import ModelEntry
from crewai_runner.features.models.schemas import ModelRecord


class ModelRepository(NamedRowRepository[ModelRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ModelRow, Prefix.MODEL, not_found=ModelNotFound, name_taken=ModelNameTaken)

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

    async def list_records(self, workspace_id: str) -> list[ModelRecord]:
        """Return what calls of the workspace's models need."""
        columns = [getattr(ModelRow, name) for name in ModelRecord._fields]
        query = select(*columns).where(ModelRow.workspace_id == workspace_id)
        return [ModelRecord(*row) for row in await self._session.execute(query)]

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
