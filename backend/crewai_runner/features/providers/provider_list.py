"""Lists providers: one query of columns, then JSON, without objects in between."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from crewai_runner.core.ids import Prefix
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.providers.list_repository import ProviderListRepository
from crewai_runner.features.providers.schemas import ProviderOptions


class ProviderListService:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def list_page(
        self, principal: Principal, provider_type: ProviderType | None, limit: int, cursor: str | None
    ) -> bytes:
        """Return one page, oldest first, as the JSON of a `ProviderList`.

        Raises BadRequest for an invalid cursor.
        """
        after = decode_id_cursor(cursor, Prefix.PROVIDER)

        def read(connection: Connection) -> bytes:
            rows = ProviderListRepository(connection).list_page(
                principal.workspace_id, provider_type, after, limit + 1
            )
            page = make_page(rows, limit, lambda row: str(row[0]))
            providers = [_dump_provider(row) for row in page.items]
            return to_json({"providers": providers, "nextCursor": page.next_cursor})

        return await self._reader.run(read)


def _dump_provider(row: Sequence[Any]) -> dict[str, Any]:
    """Return what `ProviderRead` is as JSON, in its order."""
    id_, name, type_, base_url, has_api_key, hint, models, options, created_at, updated_at, version = row
    return {
        "id": id_,
        "name": name,
        "type": type_,
        "baseUrl": base_url,
        "hasApiKey": bool(has_api_key),
        "apiKeyHint": hint,
        "models": models,
        "options": ProviderOptions.model_validate(options),
        "createdAt": created_at,
        "updatedAt": updated_at,
        "version": version,
    }
