"""Registering and changing models; one default per type at most."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_id_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.catalog import ModelRow
from crewai_runner.domain.local_model import DESCRIPTION, MODEL_ID
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.models.errors import ModelBuiltIn, ModelInvalid, ModelNotFound
from crewai_runner.features.models.repository import ModelRepository
from crewai_runner.features.models.schemas import (
    ModelAnswer,
    ModelCreate,
    ModelList,
    ModelRead,
    ModelUpdate,
)
from crewai_runner.features.providers.errors import ProviderNotFound
from crewai_runner.features.providers.service import ProviderService
from crewai_runner.localmodel.supervisor import LocalModelSupervisor


class ModelEditor:
    """Whoever changes a default holds the workspace's lock, so two changes never meet."""

    def __init__(
        self,
        session: AsyncSession,
        *,
        cipher: SecretCipher,
        mask: SecretMask,
        egress: EgressPolicy,
        local: LocalModelSupervisor,
    ) -> None:
        self._session = session
        self._models = ModelRepository(session)
        self._providers = ProviderService(session, cipher=cipher, mask=mask, egress=egress, local=local)

    async def page(
        self,
        principal: Principal,
        kind: ModelKind | None,
        provider_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> ModelList:
        """One page, oldest first. Raises BadRequest for a foreign cursor."""
        after = decode_id_cursor(cursor, Prefix.MODEL)
        rows = await self._models.page(principal.workspace_id, kind, provider_id, after, limit + 1)
        shown = [_read(row) for row in rows[:limit]]
        more = encode_cursor(shown[-1].id) if len(rows) > limit else None
        return ModelList(models=shown, next_cursor=more)

    async def get(self, principal: Principal, model_id: str) -> ModelRead:
        """Raises ModelNotFound."""
        row = await self._models.one(model_id, principal.workspace_id)
        if row is None:
            raise ModelNotFound(model_id)
        return _read(row)

    async def create(
        self, principal: Principal, request: ModelCreate, idempotency_key: str | None = None
    ) -> ModelAnswer:
        """Register a model. Raises ModelInvalid, ModelNameTaken, IdempotencyKeyReused."""

        async def make() -> ModelAnswer:
            return ModelAnswer(model=await self._create(principal, request))

        once = IdempotencyService(
            self._session, principal.workspace_id, "models:create_model", idempotency_key
        )
        return await once(ModelAnswer, request, make)

    async def _create(self, principal: Principal, request: ModelCreate) -> ModelRead:
        workspace_id = principal.workspace_id
        await self._models.lock_workspace(workspace_id)
        endpoint = request.endpoint or request.name
        await self._check_provider(workspace_id, request.provider_id, request.type, endpoint)
        row = ModelRow(
            id=new_id(Prefix.MODEL),
            workspace_id=workspace_id,
            provider_id=request.provider_id,
            name=request.name,
            endpoint=endpoint,
            type=request.type.value,
        )
        for name in ("settings", "capabilities", "pricing"):
            setattr(row, name, _stored(request, name))
        row.is_default = request.default or await self._is_first(workspace_id, request.type)
        if row.is_default:
            await self._models.clear_default(workspace_id, request.type, but=row.id)
        await self._models.add(row)
        return await self.get(principal, row.id)

    async def update(
        self, principal: Principal, model_id: str, request: ModelUpdate, expected: int | None
    ) -> ModelRead:
        """Change what was sent. Raises ModelNotFound, StaleVersion, ModelInvalid, ModelNameTaken."""
        given = request.model_fields_set
        if "default" in given:
            await self._models.lock_workspace(principal.workspace_id)
        row = await self._locked(principal, model_id, expected)
        if request.default:
            # The other's default goes first: there is never a moment with two. And before this row is
            # touched: the statement would write a taken name, and no one would say what is wrong with it.
            await self._models.clear_default(row.workspace_id, ModelKind(row.type), but=row.id)
        await self._move(row, request)
        if "default" in given:
            row.is_default = request.default
        for name in given & {"settings", "capabilities", "pricing"}:
            setattr(row, name, _stored(request, name))
        row.version += 1
        row.updated_at = now()
        await self._models.save(row)
        return await self.get(principal, row.id)

    async def delete(self, principal: Principal, model_id: str, expected: int | None) -> None:
        """Raises ModelNotFound, StaleVersion, ModelBuiltIn."""
        row = await self._locked(principal, model_id, expected)
        kept = await self._providers.keep(row.workspace_id, row.provider_id)
        if kept is ProviderType.LOCAL and self._providers.local_is_available():
            others = await self._models.page(row.workspace_id, None, row.provider_id, None, 2)
            if len(others) == 1:
                raise ModelBuiltIn(
                    "The built-in model stays as long as it is available; LOCAL_MODEL=off ends that."
                )
        await self._models.delete(row)

    async def _locked(self, principal: Principal, model_id: str, expected: int | None) -> ModelRow:
        row = await self._models.get_locked(model_id, principal.workspace_id)
        if row is None:
            raise ModelNotFound(model_id)
        check_version(row.version, expected)
        return row

    async def _move(self, row: ModelRow, request: ModelUpdate) -> None:
        """Name, endpoint and provider, which must fit together."""
        given = request.model_fields_set
        name = request.name if "name" in given else row.name
        endpoint = (request.endpoint or name) if "endpoint" in given else row.endpoint
        provider_id = request.provider_id if "provider_id" in given else row.provider_id
        if (endpoint, provider_id) != (row.endpoint, row.provider_id):
            kind = ModelKind(row.type)
            await self._check_provider(row.workspace_id, provider_id, kind, endpoint or name)
        row.name, row.endpoint, row.provider_id = name, endpoint, provider_id

    async def _check_provider(
        self, workspace_id: str, provider_id: str, kind: ModelKind, endpoint: str
    ) -> None:
        try:
            provider_type = await self._providers.keep(workspace_id, provider_id)
        except ProviderNotFound as missing:
            raise ModelInvalid("/providerId", missing.detail) from None
        if provider_type is ProviderType.LOCAL and (endpoint, kind) != (MODEL_ID, ModelKind.LLM):
            raise ModelInvalid("/endpoint", f"The built-in provider has one model, the LLM {MODEL_ID!r}.")

    async def _is_first(self, workspace_id: str, kind: ModelKind) -> bool:
        return await self._models.default_name(workspace_id, kind) is None


def _stored(request: ModelCreate | ModelUpdate, name: str) -> Any:
    value = getattr(request, name)
    return None if value is None else value.model_dump(mode="json", by_alias=False, exclude_none=True)


def _read(row: Any) -> ModelRead:
    fields = {name: getattr(row, name) for name in ModelRead.model_fields if name != "description"}
    local = row.provider_type == ProviderType.LOCAL
    return ModelRead.model_validate({**fields, "description": DESCRIPTION if local else None})
