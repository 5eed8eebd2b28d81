"""What stored API keys, and the subjects of browser sessions, may do."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crewai_runner.core.api_key import STORED_KEY_PREFIX, hash_stored_key
from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.roles import SERVER_KEY, person_principal, server_principal
from crewai_runner.db.failures import is_database_unavailable
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.features.auth.external_sessions import GroupReader, NoIssuers
from crewai_runner.features.auth.repository import CredentialRepository, MemberRights

CACHE_SECONDS = 10.0
"""How long a process that missed the notification still accepts a revoked key or a withdrawn right."""
MAX_CACHED = 10_000
LAST_USED_INTERVAL = timedelta(minutes=1)
"""How exact the time of a key's last use is."""


@dataclass(frozen=True, slots=True)
class _Rights:
    """What was found of a credential; no principal if it gives no rights."""

    principal: Principal | None = None
    expires_at: datetime | None = None
    used_key_id: str | None = None
    """The key whose use has not been recorded for LAST_USED_INTERVAL."""
    member: MemberRights | None = None
    """The membership that the rights come from, if an issuer decides about it."""

    def get_principal(self) -> Principal | None:
        return None if self.expires_at is not None and self.expires_at <= now() else self.principal


NO_RIGHTS = _Rights()
_Load = Callable[[CredentialRepository], Awaitable[_Rights]]


class Credentials:
    """Looks up principals, and remembers them for CACHE_SECONDS or until `clear`.

    While the database is unavailable, what was found last still counts. Rights that come from the groups of
    an issuer count while these were read recently; otherwise they are read again.
    """

    def __init__(
        self,
        sessions: Sessions,
        clock: Callable[[], float] = time.monotonic,
        groups: GroupReader | None = None,
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._groups = groups or NoIssuers()
        self._known: dict[tuple[str, str], tuple[float, _Rights]] = {}

    def clear(self) -> None:
        """Forget everything: keys, people or memberships were changed."""
        self._known = {}

    async def find_by_key(self, token: str) -> Principal | None:
        """Return the principal of a stored key; None if it is unknown, revoked or expired."""
        if not token.startswith(STORED_KEY_PREFIX):
            return None
        key_hash = hash_stored_key(token)

        async def load(repository: CredentialRepository) -> _Rights:
            return await _find_key_rights(repository, await repository.get_key_by_hash(key_hash))

        return await self._find(("", key_hash), load)

    async def find_by_subject(self, subject: str, workspace_id: str) -> Principal | None:
        """Return what a person or key may do in a workspace now; None if nothing."""
        if subject == SERVER_KEY:
            return server_principal(workspace_id)

        async def load(repository: CredentialRepository) -> _Rights:
            if has_prefix(subject, Prefix.PERSON):
                member = await repository.get_member(subject, workspace_id)
                return NO_RIGHTS if member is None else _make_person_rights(member)
            return await _find_key_rights(repository, await repository.get_key(subject, workspace_id))

        return await self._find((workspace_id, subject), load)

    async def _find(self, key: tuple[str, str], load: _Load) -> Principal | None:
        known = self._known  # which `clear` replaces: what was read before a change is not kept after it
        until, rights = known.get(key, (0.0, None))
        if rights is None or until <= self._clock() or not self._is_current(rights):
            rights = await self._load_current(rights, load)
            if len(known) >= MAX_CACHED:
                known.clear()
            known[key] = (self._clock() + CACHE_SECONDS, rights)
        return rights.get_principal() if self._is_current(rights) else None

    async def _load_current(self, last: _Rights | None, load: _Load) -> _Rights:
        rights = await self._load(last, load)
        member = rights.member
        if member is None or member.managed_by is None or self._is_current(rights):
            return rights
        await self._groups.refresh_person(member.managed_by, member.member.person_id)
        return await self._load(rights, load)

    def _is_current(self, rights: _Rights) -> bool:
        return rights.member is None or self._groups.is_current(rights.member.checked_at)

    async def _load(self, last: _Rights | None, load: _Load) -> _Rights:
        try:
            async with read_session(self._sessions) as session:
                rights = await load(CredentialRepository(session))
            if rights.used_key_id is not None:
                async with unit_of_work(self._sessions) as session:
                    await CredentialRepository(session).record_use(rights.used_key_id, now())
        except Exception as error:
            if last is None or not is_database_unavailable(error):
                raise
            return last
        return rights


async def _find_key_rights(repository: CredentialRepository, row: ApiKeyRow | None) -> _Rights:
    """Return the rights of a key: its scopes, and for a person's key only those the person has now."""
    if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= now()):
        return NO_RIGHTS
    scopes, member = frozenset(Scope(scope) for scope in row.scopes), None
    if row.person_id is not None:
        member = await repository.get_member(row.person_id, row.workspace_id)
        scopes &= frozenset() if member is None else person_principal(member.member).scopes
    if not scopes:
        return NO_RIGHTS
    is_recorded = row.last_used_at is not None and row.last_used_at > now() - LAST_USED_INTERVAL
    principal = Principal(row.id, row.workspace_id, scopes, person_id=row.person_id)
    decided = member if member is not None and member.managed_by is not None else None
    return _Rights(principal, row.expires_at, None if is_recorded else row.id, decided)


def _make_person_rights(found: MemberRights) -> _Rights:
    principal = person_principal(found.member)
    return _Rights(principal, member=None if found.managed_by is None else found)
