"""The query of the list of providers, on a connection of the snapshot reader."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, select, type_coerce

from crewai_runner.db.base import JsonTimestamp, table_of
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.provider import ProviderType

_PROVIDERS = table_of(ProviderRow).c
_COLUMNS = (
    _PROVIDERS.id,
    _PROVIDERS.name,
    _PROVIDERS.type,
    _PROVIDERS.base_url,
    _PROVIDERS.sealed_api_key.is_not(None),
    _PROVIDERS.api_key_hint,
    _PROVIDERS.models,
    _PROVIDERS.options,
    type_coerce(_PROVIDERS.created_at, JsonTimestamp()).label("created_at"),
    type_coerce(_PROVIDERS.updated_at, JsonTimestamp()).label("updated_at"),
    _PROVIDERS.version,
)
"""In the order of the fields of `ProviderRead`; of the key only whether there is one."""
_SELECT_PAGE: Select[Any] = (
    select(*_COLUMNS)
    .where(_PROVIDERS.workspace_id == bindparam("workspace_id"))
    .order_by(_PROVIDERS.id)
    .limit(bindparam("limit", type_=Integer))
)


class ProviderListRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_page(
        self, workspace_id: str, provider_type: ProviderType | None, after: str | None, limit: int
    ) -> Sequence[Sequence[Any]]:
        """Return the fields of `ProviderRead` of the providers with an id above `after`, oldest first."""
        query = _SELECT_PAGE
        if provider_type is not None:
            query = query.where(_PROVIDERS.type == provider_type)
        if after is not None:
            query = query.where(_PROVIDERS.id > after)
        return self._connection.execute(query, {"workspace_id": workspace_id, "limit": limit}).all()
