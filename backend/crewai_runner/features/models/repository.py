"""Rows of models, joined with their providers' names. Every read starts from the workspace."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.errors import ModelNameTaken
from crewai_runner.features.models.rules import Entry

LISTED = (
    ModelRow.id,
    ModelRow.name,
    ModelRow.type,
    ModelRow.provider_id,
    ProviderRow.name.label("provider_name"),
    ProviderRow.type.label("provider_type"),
    func.coalesce(ModelRow.endpoint, ModelRow.name).label("endpoint"),
    ModelRow.is_default.label("default"),
    ModelRow.settings,
    ModelRow.capabilities,
    ModelRow.pricing,
    ModelRow.created_at,
    ModelRow.updated_at,
    ModelRow.version,
)
FOUND_BY = LISTED[:8]


class ModelRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: ModelRow) -> None:
        """Insert now. Raises ModelNameTaken."""
        self._session.add(row)
        await self.save(row)

    async def save(self, row: ModelRow) -> None:
        """Write changes now. Raises ModelNameTaken."""
        name = row.name  # after a failed flush the row can no longer be read
        try:
            await self._session.flush()
        except IntegrityError:
            raise ModelNameTaken(name) from None

    async def one(self, model_id: str, workspace_id: str) -> Row[Any] | None:
        if not has_prefix(model_id, Prefix.MODEL):
            return None
        result = await self._session.execute(_listed(workspace_id).where(ModelRow.id == model_id))
        row: Row[Any] | None = result.one_or_none()
        return row

    async def get_locked(self, model_id: str, workspace_id: str) -> ModelRow | None:
        if not has_prefix(model_id, Prefix.MODEL):
            return None
        query = select(ModelRow).where(ModelRow.workspace_id == workspace_id, ModelRow.id == model_id)
        return await self._session.scalar(query.with_for_update().execution_options(populate_existing=True))

    async def page(
        self,
        workspace_id: str,
        kind: ModelKind | None,
        provider_id: str | None,
        after: str | None,
        limit: int,
    ) -> Sequence[Row[Any]]:
        """Oldest first; ids are time-sortable, so the id is the cursor."""
        query = _listed(workspace_id)
        if kind is not None:
            query = query.where(ModelRow.type == kind)
        if provider_id is not None:
            query = query.where(ModelRow.provider_id == provider_id)
        if after is not None:
            query = query.where(ModelRow.id > after)
        rows: Sequence[Row[Any]] = (
            await self._session.execute(query.order_by(ModelRow.id).limit(limit))
        ).all()
        return rows

    async def many(self, model_ids: Sequence[str], workspace_id: str) -> Sequence[Row[Any]]:
        rows: Sequence[Row[Any]] = (
            await self._session.execute(_listed(workspace_id).where(ModelRow.id.in_(model_ids)))
        ).all()
        return rows

    async def entries(self, workspace_id: str) -> list[Entry]:
        """Every model, as far as finding it by name goes."""
        query = (
            select(*FOUND_BY)
            .join(ProviderRow, ProviderRow.id == ModelRow.provider_id)
            .where(ModelRow.workspace_id == workspace_id)
        )
        return [
            Entry(
                id=row.id,
                name=row.name,
                type=ModelKind(row.type),
                endpoint=row.endpoint,
                default=row.default,
                provider_name=row.provider_name,
                provider_type=ProviderType(row.provider_type),
                provider_id=row.provider_id,
            )
            for row in await self._session.execute(query)
        ]

    async def default_name(self, workspace_id: str, kind: ModelKind) -> str | None:
        query = select(ModelRow.name).where(
            ModelRow.workspace_id == workspace_id, ModelRow.type == kind, ModelRow.is_default
        )
        return await self._session.scalar(query)

    async def clear_default(self, workspace_id: str, kind: ModelKind, *, but: str) -> None:
        """Take the default from whichever other model has it, now: before another row gets it."""
        await self._session.execute(
            update(ModelRow)
            .where(
                ModelRow.workspace_id == workspace_id,
                ModelRow.type == kind,
                ModelRow.is_default,
                ModelRow.id != but,
            )
            .values(is_default=False, version=ModelRow.version + 1, updated_at=now())
            .execution_options(synchronize_session=False)
        )

    async def delete(self, row: ModelRow) -> None:
        await self._session.delete(row)
        await self._session.flush()

    async def lock_workspace(self, workspace_id: str) -> None:
        """Wait until nobody else changes which model is the default."""
        query = select(WorkspaceRow.id).where(WorkspaceRow.id == workspace_id)
        await self._session.execute(query.with_for_update(key_share=True))


def _listed(workspace_id: str) -> Select[Any]:
    # Every read of whole models starts here: a query that forgets the workspace cannot be written.
    return (
        select(*LISTED)
        .join(ProviderRow, ProviderRow.id == ModelRow.provider_id)
        .where(ModelRow.workspace_id == workspace_id)
    )
