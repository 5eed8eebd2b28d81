"""Adding and changing providers."""

import hashlib

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_id_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.domain.provider import ProviderType
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.providers.errors import (
    ApiKeyNeededAgain,
    ProviderBuiltIn,
    ProviderInUse,
    ProviderNotFound,
)
from crewai_runner.features.providers.places import Places, moved, stored_place
from crewai_runner.features.providers.repository import ProviderRepository
from crewai_runner.features.providers.rules import Place, hint_of
from crewai_runner.features.providers.schemas import (
    ProviderAnswer,
    ProviderCreate,
    ProviderList,
    ProviderRead,
    ProviderUpdate,
)
from crewai_runner.localmodel.supervisor import LocalModelSupervisor


class ProviderEditor:
    """Sessions begin at the first statement, so addresses are looked up before it, without a lock."""

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
        self._providers = ProviderRepository(session)
        self._keys = Keyring(cipher, mask)
        self._places = Places(egress)
        self._local = local

    async def page(
        self, principal: Principal, kind: ProviderType | None, limit: int, cursor: str | None
    ) -> ProviderList:
        """One page, oldest first. Raises BadRequest for a foreign cursor."""
        after = decode_id_cursor(cursor, Prefix.PROVIDER)
        rows = await self._providers.page(principal.workspace_id, kind, after, limit + 1)
        shown = [ProviderRead.model_validate(row) for row in rows[:limit]]
        more = encode_cursor(shown[-1].id) if len(rows) > limit else None
        return ProviderList(providers=shown, next_cursor=more)

    async def get(self, principal: Principal, provider_id: str) -> ProviderRead:
        """Raises ProviderNotFound."""
        row = await self._providers.get(provider_id, principal.workspace_id)
        if row is None:
            raise ProviderNotFound(provider_id)
        return _read(row)

    async def create(
        self, principal: Principal, request: ProviderCreate, idempotency_key: str | None = None
    ) -> ProviderAnswer:
        """Store a provider. Raises ProviderInvalid, ProviderNameTaken, IdempotencyKeyReused."""
        place = await self._places.admit(request)

        async def make() -> ProviderAnswer:
            row = ProviderRow(
                id=new_id(Prefix.PROVIDER),
                workspace_id=principal.workspace_id,
                name=request.name,
                models=request.models,
            )
            self._put(row, place)
            self._put_key(row, request.api_key)
            await self._providers.add(row)
            return ProviderAnswer(provider=_read(row))

        once = IdempotencyService(
            self._session, principal.workspace_id, "providers:create_provider", idempotency_key
        )
        return await once(ProviderAnswer, _Submission.of(request), make)

    async def update(
        self, principal: Principal, provider_id: str, request: ProviderUpdate, expected: int | None
    ) -> ProviderRead:
        """Change what was sent. Raises ProviderNotFound, ProviderBuiltIn, StaleVersion, ProviderInvalid,
        ApiKeyNeededAgain, ProviderNameTaken.
        """
        if request.base_url is not None:
            await self._places.refuse_forbidden(request.base_url)
        row = await self._locked(principal, provider_id)
        if row.type == ProviderType.LOCAL:
            raise ProviderBuiltIn("The built-in provider cannot be changed; its models can.")
        check_version(row.version, expected)
        place = moved(row, request)
        self._refuse_to_take_the_key_along(row, place, request)
        self._put(row, place)
        if "api_key" in request.model_fields_set:
            self._put_key(row, request.api_key)
        for name in request.model_fields_set & {"name", "models"}:
            setattr(row, name, getattr(request, name))
        row.version += 1
        row.updated_at = now()
        await self._providers.save(row)
        return _read(row)

    async def delete(
        self, principal: Principal, provider_id: str, *, force: bool, expected: int | None
    ) -> None:
        """Delete it, with `force` its models too.

        Raises ProviderNotFound, ProviderBuiltIn, StaleVersion, ProviderInUse.
        """
        await self._providers.lock_workspace(principal.workspace_id)
        row = await self._locked(principal, provider_id)
        check_version(row.version, expected)
        if row.type == ProviderType.LOCAL and self._local.unavailable_reason() is None:
            raise ProviderBuiltIn(
                "The built-in provider stays as long as its model is available; LOCAL_MODEL=off ends that."
            )
        models = await self._providers.model_names(row.id)
        if models and not force:
            raise ProviderInUse(models)
        await self._providers.delete_with_models(row)

    async def _locked(self, principal: Principal, provider_id: str) -> ProviderRow:
        row = await self._providers.get_locked(provider_id, principal.workspace_id)
        if row is None:
            raise ProviderNotFound(provider_id)
        return row

    @staticmethod
    def _refuse_to_take_the_key_along(row: ProviderRow, place: Place, request: ProviderUpdate) -> None:
        stays = "api_key" not in request.model_fields_set and row.sealed_api_key is not None
        if stays and place.origin != stored_place(row).origin:
            raise ApiKeyNeededAgain

    @staticmethod
    def _put(row: ProviderRow, place: Place) -> None:
        row.type, row.base_url, row.options = place.type.value, place.base_url, dict(place.options)

    def _put_key(self, row: ProviderRow, key: SecretStr | None) -> None:
        row.sealed_api_key = None if key is None else self._keys.encrypt(key)
        row.api_key_hint = None if key is None else hint_of(key.get_secret_value())


class _Submission(ApiModel):
    """What makes two requests the same: the key counts, but only its digest is looked at."""

    request: ProviderCreate
    key_digest: str | None

    @classmethod
    def of(cls, request: ProviderCreate) -> "_Submission":
        key = request.api_key.get_secret_value() if request.api_key else None
        return cls(request=request, key_digest=key and hashlib.sha256(key.encode()).hexdigest())


def _read(row: ProviderRow) -> ProviderRead:
    return ProviderRead(
        id=row.id,
        name=row.name,
        type=ProviderType(row.type),
        base_url=row.base_url,
        has_api_key=row.sealed_api_key is not None,
        api_key_hint=row.api_key_hint,
        models=row.models,
        options=row.options,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
