"""Rows of providers, and of the models that hang on one. Every read starts from the workspace."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.providers.errors import ProviderNameTaken

LISTED = (
    ProviderRow.id,
    ProviderRow.name,
    ProviderRow.type,
    ProviderRow.base_url,
    ProviderRow.sealed_api_key.is_not(None).label("has_api_key"),
    ProviderRow.api_key_hint,
    ProviderRow.models,
    ProviderRow.options,
    ProviderRow.created_at,
    ProviderRow.updated_at,
    ProviderRow.version,
)


class ProviderRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, row: ProviderRow) -> None:
        """Insert now. Raises ProviderNameTaken."""
        self._session.add(row)
        await self.save(row)

    async def save(self, row: ProviderRow) -> None:
        """Write changes now. Raises ProviderNameTaken."""
        name = row.name  # after a failed flush the row can no longer be read
        try:
            await self._session.flush()
        except IntegrityError:
            raise ProviderNameTaken(name) from None

    async def get(self, provider_id: str, workspace_id: str) -> ProviderRow | None:
        if not has_prefix(provider_id, Prefix.PROVIDER):
            return None
        return await self._session.scalar(
            self._in_workspace(workspace_id).where(ProviderRow.id == provider_id)
        )

    async def get_locked(self, provider_id: str, workspace_id: str) -> ProviderRow | None:
        """The row to change; other writers wait, and so does who would hang a model on it."""
        if not has_prefix(provider_id, Prefix.PROVIDER):
            return None
        query = self._in_workspace(workspace_id).where(ProviderRow.id == provider_id)
        return await self._session.scalar(query.with_for_update())

    async def get_kept(self, provider_id: str, workspace_id: str) -> ProviderRow | None:
        """The row, kept from being deleted until this transaction ends."""
        if not has_prefix(provider_id, Prefix.PROVIDER):
            return None
        query = self._in_workspace(workspace_id).where(ProviderRow.id == provider_id)
        return await self._session.scalar(query.with_for_update(read=True, key_share=True))

    async def many(self, provider_ids: Sequence[str], workspace_id: str) -> Sequence[ProviderRow]:
        query = self._in_workspace(workspace_id).where(ProviderRow.id.in_(provider_ids))
        return (await self._session.scalars(query)).all()

    async def page(
        self, workspace_id: str, kind: ProviderType | None, after: str | None, limit: int
    ) -> Sequence[Row[Any]]:
        """Oldest first, without keys; ids are time-sortable, so the id is the cursor."""
        query: Select[Any] = select(*LISTED).where(ProviderRow.workspace_id == workspace_id)
        if kind is not None:
            query = query.where(ProviderRow.type == kind)
        if after is not None:
            query = query.where(ProviderRow.id > after)
        result = await self._session.execute(query.order_by(ProviderRow.id).limit(limit))
        rows: Sequence[Row[Any]] = result.all()
        return rows

    async def sealed_keys(self) -> Sequence[Row[str, str | None]]:
        """The one read without a workspace: (id, sealed key) of all providers, for masking."""
        query = select(ProviderRow.id, ProviderRow.sealed_api_key)
        return (await self._session.execute(query.where(ProviderRow.sealed_api_key.is_not(None)))).all()

    async def names(self, workspace_id: str) -> set[str]:
        query = select(ProviderRow.name).where(ProviderRow.workspace_id == workspace_id)
        return set(await self._session.scalars(query))

    async def local(self, workspace_id: str) -> ProviderRow | None:
        """The workspace's built-in provider."""
        query = self._in_workspace(workspace_id).where(ProviderRow.type == ProviderType.LOCAL)
        return await self._session.scalar(query.order_by(ProviderRow.id).limit(1))

    async def model_names(self, provider_id: str) -> list[str]:
        query = select(ModelRow.name).where(ModelRow.provider_id == provider_id).order_by(ModelRow.name)
        return list(await self._session.scalars(query))

    async def model_endpoints(self, provider_id: str, workspace_id: str) -> list[str]:
        """The provider's own names of the language models registered with it."""
        query = select(ModelRow.endpoint).where(
            ModelRow.workspace_id == workspace_id,
            ModelRow.provider_id == provider_id,
            ModelRow.type == ModelKind.LLM,
            ModelRow.endpoint.is_not(None),
        )
        return [str(endpoint) for endpoint in await self._session.scalars(query)]

    async def delete_with_models(self, row: ProviderRow) -> None:
        await self._session.execute(delete(ModelRow).where(ModelRow.provider_id == row.id))
        await self._session.delete(row)
        await self._session.flush()

    async def lock_workspace(self, workspace_id: str) -> None:
        """Wait until nobody else changes what there is at most one of in this workspace."""
        query = select(WorkspaceRow.id).where(WorkspaceRow.id == workspace_id)
        await self._session.execute(query.with_for_update(key_share=True))

    @staticmethod
    def _in_workspace(workspace_id: str) -> Select[ProviderRow]:
        return select(ProviderRow).where(ProviderRow.workspace_id == workspace_id)
