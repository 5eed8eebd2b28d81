"""Queries on models as the API shows them: columns of the model and its provider, on a plain connection."""

from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.paging import Page, decode_id_cursor, make_page
from crewai_runner.db.base import table_of
from crewai_runner.db.tables.catalog import ModelRow, ProviderRow
from crewai_runner.domain.local_model import DESCRIPTION
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.errors import ModelNotFound
from crewai_runner.features.models.schemas import ModelRead

_MODELS, _PROVIDERS = table_of(ModelRow).c, table_of(ProviderRow).c
_COLUMNS = (
    _MODELS.id,
    _MODELS.name,
    _MODELS.type,
    _MODELS.provider_id,
    _PROVIDERS.name.label("provider_name"),
    _PROVIDERS.type.label("provider_type"),
    _MODELS.provider_model,
    _MODELS.endpoint,
    _MODELS.is_default.label("default"),
    _MODELS.settings,
    _MODELS.capabilities,
    _MODELS.pricing,
    _MODELS.created_at,
    _MODELS.updated_at,
    _MODELS.version,
)
_SELECT: Select[Any] = (
    select(*_COLUMNS)
    .select_from(table_of(ModelRow).join(table_of(ProviderRow), _PROVIDERS.id == _MODELS.provider_id))
    .where(_MODELS.workspace_id == bindparam("workspace_id"))
)
_SELECT_ONE = _SELECT.where(_MODELS.id == bindparam("model_id"))


class ModelReadRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, model_id: str, workspace_id: str) -> ModelRead:
        """Return one model. Raises ModelNotFound."""
        is_id = has_prefix(model_id, Prefix.MODEL)
        rows = self._fetch(_SELECT_ONE, workspace_id, model_id=model_id) if is_id else []
        if not rows:
            raise ModelNotFound(model_id)
        return rows[0]

    def list_page(
        self,
        workspace_id: str,
        kind: ModelKind | None,
        provider_id: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page[ModelRead]:
        """Return one page, oldest first: ids sort by creation time. Raises BadRequest for a bad cursor."""
        query = _SELECT
        if kind is not None:
            query = query.where(_MODELS.type == kind)
        if provider_id is not None:
            query = query.where(_MODELS.provider_id == provider_id)
        if (after := decode_id_cursor(cursor, Prefix.MODEL)) is not None:
            query = query.where(_MODELS.id > after)
        rows = self._fetch(query.order_by(_MODELS.id).limit(limit + 1), workspace_id)
        return make_page(rows, limit, lambda model: model.id)

    def _fetch(self, query: Select[Any], workspace_id: str, **values: str) -> list[ModelRead]:
        rows = self._connection.execute(query, {"workspace_id": workspace_id, **values}).mappings()
        return [_to_schema(dict(row)) for row in rows]


def _to_schema(columns: dict[str, Any]) -> ModelRead:
    is_local = columns["provider_type"] == ProviderType.LOCAL
    return ModelRead(
        **columns | {"provider_model": columns["provider_model"] or columns["name"]},
        description=DESCRIPTION if is_local else None,
    )
