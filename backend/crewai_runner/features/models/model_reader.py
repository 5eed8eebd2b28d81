"""Reads models for the API, through the snapshot reader."""

from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.provider import ModelKind
from crewai_runner.features.models.read_repository import ModelReadRepository
from crewai_runner.features.models.schemas import ModelList, ModelRead


class ModelReader:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def list_page(
        self,
        principal: Principal,
        kind: ModelKind | None,
        provider_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> ModelList:
        """Return one page, oldest first. Raises BadRequest for an invalid cursor."""
        page = await self._reader.run(
            lambda connection: ModelReadRepository(connection).list_page(
                principal.workspace_id, kind, provider_id, cursor, limit
            )
        )
        return ModelList(models=list(page.items), next_cursor=page.next_cursor)

    async def get(self, principal: Principal, model_id: str) -> ModelRead:
        """Return one model. Raises ModelNotFound."""
        return await self._reader.run(
            lambda connection: ModelReadRepository(connection).get(model_id, principal.workspace_id)
        )
