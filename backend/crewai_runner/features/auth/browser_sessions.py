"""Sessions of browsers: a cookie stands for a person or a key, so that no script can read credentials."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import Principal
from crewai_runner.core.roles import SERVER_KEY
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.failures import is_database_unavailable
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.auth.errors import GroupsUnchecked, SessionEnded
from crewai_runner.features.auth.external_sessions import ExternalSignIn, GroupReader, NoIssuers
from crewai_runner.features.auth.repository import BrowserSessionRepository

REMEMBERED = timedelta(days=30)
UNTIL_BROWSER_CLOSES = timedelta(days=7)
CACHE_SECONDS = 10.0
"""How long a process that missed the notification still accepts a session that was ended."""
USE_INTERVAL = timedelta(minutes=5)
"""How exact the time of a session's last use is."""
MAX_CACHED = 1000


class SubjectRights(Protocol):
    async def find_by_subject(self, subject: str, workspace_id: str) -> Principal | None:
        """Return what a subject may do in a workspace now; None if nothing."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that has just begun; `cookie` is the value of its cookie."""

    cookie: str
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """Where a session is used from, for the list of sessions."""

    address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class _Cached:
    subject: str
    workspace_id: str
    expires_at: datetime
    until: float
    checked_at: datetime | None
    """When the groups of the person were read, for a sign-in at an issuer."""


class BrowserSessions:
    """Begins, checks and ends browser sessions; they are rows, so that all processes know them.

    A cookie is the encrypted token: a forged one is rejected without a query.
    """

    def __init__(
        self,
        sessions: Sessions,
        cipher: SecretCipher,
        api_key: str,
        rights: SubjectRights,
        clock: Callable[[], float] = time.monotonic,
        groups: GroupReader | None = None,
    ) -> None:
        self._sessions, self._cipher, self._clock = sessions, cipher, clock
        self._rights, self._groups = rights, groups or NoIssuers()
        self._api_key = api_key.encode()
        # The port is not part of a cookie's scope: two servers on one host need two names.
        self.cookie_name = f"crewai_runner_{_hash('cookie name', api_key)[:8]}"
        self._cache: OrderedDict[str, _Cached] = OrderedDict()

    async def start(
        self,
        principal: Principal,
        *,
        remember: bool,
        client: Client | None = None,
        external: ExternalSignIn | None = None,
        continued: str | None = None,
    ) -> NewSession:
        """Begin a session of `principal`; expired ones of any browser are deleted.

        `external` is the sign-in at an issuer that it begins with, or that of the session with the cookie
        `continued`.
        """
        client = client or Client()
        token = secrets.token_urlsafe(32)
        expires_at = now() + (REMEMBERED if remember else UNTIL_BROWSER_CLOSES)
        entry = get_entry()
        entry.set_principal(principal)
        entry.declare_change()
        async with audited_unit_of_work(self._sessions) as session:
            repository = BrowserSessionRepository(session)
            await repository.delete_expired(now())
            if continued is not None:
                external = await self._find_external(repository, continued)
            token_hash = _hash("session", token)
            await repository.add(
                BrowserSessionRow(
                    id=new_id(Prefix.SESSION),
                    token_hash=token_hash,
                    workspace_id=principal.workspace_id,
                    subject=principal.subject,
                    key_proof=self._key_proof(token),
                    expires_at=expires_at,
                    last_used_at=now(),
                    address=client.address[:64],
                    user_agent=client.user_agent[:300],
                ),
                None if external is None else external.make_row(token_hash),
            )
        return NewSession(self._cipher.encrypt(token), _csrf_token(token), expires_at)

    async def authenticate(self, cookie: str) -> Principal:
        """Return the principal of a session. Raises SessionEnded if it is unknown, expired or ended."""
        token = self._decrypt(cookie)
        token_hash = _hash("session", token)
        cached = self._cache.get(token_hash)
        if cached is None or cached.until <= self._clock():
            cached = await self._refresh(token, token_hash, cached)
        if cached.checked_at is not None:
            cached = await self._refresh_groups(token, token_hash, cached, cached.checked_at)
        principal = None
        if cached.expires_at > now():
            principal = await self._rights.find_by_subject(cached.subject, cached.workspace_id)
        if principal is None:
            raise SessionEnded
        return principal

    def clear_cache(self) -> None:
        """Read every session again: some were ended."""
        self._cache = OrderedDict()

    def is_csrf_token(self, cookie: str, offered: str) -> bool:
        """Whether `offered` is the CSRF token of this session."""
        expected = _csrf_token(self._decrypt(cookie))
        return hmac.compare_digest(expected.encode(), offered.encode("utf-8", "surrogateescape"))

    def find_token_hash(self, cookie: str | None) -> str | None:
        """Return the hash under which the session of a cookie is stored; None for no or a forged cookie."""
        if cookie is None:
            return None
        try:
            return _hash("session", self._decrypt(cookie))
        except SessionEnded:
            return None

    async def end(self, cookie: str) -> None:
        """End a session; does nothing if it has ended. Other processes notice within CACHE_SECONDS."""
        try:
            token_hash = _hash("session", self._decrypt(cookie))
        except SessionEnded:
            return
        async with audited_unit_of_work(self._sessions) as session:
            await BrowserSessionRepository(session).delete(token_hash)
        self._cache.pop(token_hash, None)

    async def _refresh(self, token: str, token_hash: str, cached: _Cached | None) -> _Cached:
        """Load the session; while the database is unavailable, keep what is known of it."""
        try:
            return await self._load(token, token_hash)
        except Exception as error:
            if cached is None or not is_database_unavailable(error):
                self._cache.pop(token_hash, None)
                raise
            return cached

    async def _refresh_groups(
        self, token: str, token_hash: str, cached: _Cached, checked_at: datetime
    ) -> _Cached:
        """Keep the groups of the person current. Raises SessionEnded, GroupsUnchecked."""
        await self._groups.refresh_session(token_hash, checked_at)
        if self._groups.is_current(checked_at):
            return cached
        cached = await self._load(token, token_hash)
        if not self._groups.is_current(cached.checked_at):
            raise GroupsUnchecked
        return cached

    async def _find_external(
        self, repository: BrowserSessionRepository, cookie: str
    ) -> ExternalSignIn | None:
        """Return the sign-in of a session. Raises SessionEnded."""
        found = await repository.get(_hash("session", self._decrypt(cookie)))
        if found is None:
            raise SessionEnded
        return None if found[1] is None else ExternalSignIn.read(found[1])

    async def _load(self, token: str, token_hash: str) -> _Cached:
        cache = (
            self._cache
        )  # which `clear_cache` replaces: what was read before a change is not kept after it
        async with read_session(self._sessions) as session:
            found = await BrowserSessionRepository(session).get(token_hash)
        if found is None or not self._is_of_current_key(found[0], token):
            raise SessionEnded
        row, external = found
        if row.last_used_at is None or row.last_used_at < now() - USE_INTERVAL:
            async with unit_of_work(self._sessions) as session:
                await BrowserSessionRepository(session).record_use(token_hash, now())
        cached = _Cached(
            row.subject,
            row.workspace_id,
            row.expires_at,
            self._clock() + CACHE_SECONDS,
            None if external is None else external.checked_at,
        )
        cache[token_hash] = cached
        if len(cache) > MAX_CACHED:
            cache.popitem(last=False)
        return cached

    def _is_of_current_key(self, row: BrowserSessionRow, token: str) -> bool:
        """Whether the session is not one of the server's former API key."""
        return row.subject != SERVER_KEY or hmac.compare_digest(row.key_proof, self._key_proof(token))

    def _key_proof(self, token: str) -> str:
        return hmac.new(token.encode(), self._api_key, hashlib.sha256).hexdigest()

    def _decrypt(self, cookie: str) -> str:
        try:
            return self._cipher.decrypt(cookie)
        except (SecretUnreadable, UnicodeError):
            raise SessionEnded from None


def _hash(purpose: str, value: str) -> str:
    return hashlib.sha256(f"crewai-runner {purpose}\0{value}".encode()).hexdigest()


def _csrf_token(token: str) -> str:
    return _hash("csrf", token)
