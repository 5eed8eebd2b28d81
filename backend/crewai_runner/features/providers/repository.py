"""Queries on providers, and on the models registered with them."""

from collections.abc import Sequence

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix
from crewai_runner.db.repository import NamedRowRepository
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.providers.errors import ProviderNameTaken, ProviderNotFound
from crewai_runner.features.providers.schemas import ProviderRecord


class ProviderRepository(NamedRowRepository[ProviderRow]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(
            session, ProviderRow, Prefix.PROVIDER, not_found=ProviderNotFound, name_taken=ProviderNameTaken
        )

    async def list_records(self, workspace_id: str) -> list[ProviderRecord]:
        """Return what connections to the workspace's providers need."""
        columns = [getattr(ProviderRow, name) for name in ProviderRecord._fields]
        query = select(*columns).where(ProviderRow.workspace_id == workspace_id)
        return [ProviderRecord(*row) for row in await self._session.execute(query)]

    async def list_encrypted_keys(self) -> Sequence[Row[str, str, str | None]]:
        """Return (workspace id, id, encrypted key) of the providers of all workspaces."""
        query = select(ProviderRow.workspace_id, ProviderRow.id, ProviderRow.sealed_api_key)
        return (await self._session.execute(query.where(ProviderRow.sealed_api_key.is_not(None)))).all()

    async def get_local(self, workspace_id: str) -> ProviderRow | None:
        """Return the built-in provider of the workspace."""
        query = self._in_workspace(workspace_id).where(ProviderRow.type == ProviderType.LOCAL)
        return await self._session.scalar(query.order_by(ProviderRow.id).limit(1))

    async def list_model_names(self, provider_id: str) -> list[str]:
        query = select(ModelRow.name).where(ModelRow.provider_id == provider_id).order_by(ModelRow.name)
        return list(await self._session.scalars(query))

    async def list_llms(self, provider_id: str, workspace_id: str) -> list[str]:
        """Return the provider's names for the language models registered with it."""
        query = select(ModelRow.provider_model).where(
            ModelRow.workspace_id == workspace_id,
            ModelRow.provider_id == provider_id,
            ModelRow.type == ModelKind.LLM,
            ModelRow.provider_model != "",
        )
        return list(await self._session.scalars(query))

    async def renew_models(self, row: ProviderRow) -> None:
        """Give the provider's models a new version: they show its name and type."""
        await self._session.execute(
            update(ModelRow)
            .where(ModelRow.provider_id == row.id)
            .values(version=ModelRow.version + 1)
            .execution_options(synchronize_session=False)
        )

    async def delete_with_models(self, row: ProviderRow) -> None:
        await self._session.execute(delete(ModelRow).where(ModelRow.provider_id == row.id))
        await self.delete(row)
