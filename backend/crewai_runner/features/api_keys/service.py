"""Creates, lists and revokes the API keys of a workspace."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.api_key import STORED_KEY_PREFIX, hash_stored_key, new_stored_key
from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.features.api_keys.errors import (
    ApiKeyExpiry,
    TooManyApiKeys,
)
from crewai_runner.features.api_keys.repository import ApiKeyRepository
from crewai_runner.features.api_keys.schemas import ApiKeyCreate, ApiKeyList, ApiKeyRead, CreatedApiKey
from crewai_runner.features.auth.errors import PersonNeeded
from crewai_runner.features.auth.service import check_grant

MAX_VALID_KEYS = 500
"""Per workspace."""
HINT_LENGTH = len(STORED_KEY_PREFIX) + 4


class ApiKeyService:
    """The keys of the caller's workspace; with `only_own` those of the calling person."""

    def __init__(self, session: AsyncSession, principal: Principal, *, only_own: bool) -> None:
        if only_own and principal.person_id is None:
            raise PersonNeeded
        self._session, self._principal = session, principal
        self._person_id = principal.person_id if only_own else None
        self._keys = ApiKeyRepository(session, principal.workspace_id, self._person_id)

    async def create(self, body: ApiKeyCreate) -> CreatedApiKey:
        """Create a key. Raises MoreThanOwnRights, ApiKeyExpiry, TooManyApiKeys."""
        scopes = body.get_scopes()
        check_grant(self._principal, scopes)
        if body.expires_at is not None and body.expires_at <= now():
            raise ApiKeyExpiry
        await lock_workspace(self._session, self._principal.workspace_id)
        if await self._keys.count_valid(now()) >= MAX_VALID_KEYS:
            raise TooManyApiKeys(MAX_VALID_KEYS)
        token = new_stored_key()
        row = ApiKeyRow(
            id=new_id(Prefix.API_KEY),
            workspace_id=self._principal.workspace_id,
            person_id=self._person_id,
            name=body.name,
            hint=token[:HINT_LENGTH],
            key_hash=hash_stored_key(token),
            scopes=sorted(scopes),
            created_by=self._principal.subject,
            expires_at=body.expires_at,
        )
        self._keys.add(row)
        await self._session.flush()
        await load_subject_names(self._session, [row])
        return CreatedApiKey(api_key=ApiKeyRead.model_validate(row), token=token)

    async def list_page(self, limit: int, cursor: str | None) -> ApiKeyList:
        """Return one page of keys, newest first, revoked and expired ones included."""
        rows = await self._keys.list_page(decode_id_cursor(cursor, Prefix.API_KEY), limit + 1)
        page = make_page(rows, limit, lambda row: row.id)
        await load_subject_names(self._session, page.items)
        keys = [ApiKeyRead.model_validate(row) for row in page.items]
        return ApiKeyList(api_keys=keys, next_cursor=page.next_cursor)

    async def revoke(self, key_id: str) -> None:
        """Make a key invalid for good; does nothing if it is. Raises ApiKeyNotFound."""
        row = await self._keys.get_for_update(key_id)
        row.revoked_at = row.revoked_at or now()
