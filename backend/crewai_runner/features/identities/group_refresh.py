"""Reads the groups of people who are signed in again, so that whoever leaves a group loses its rights."""

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from datetime import datetime, timedelta

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.browser_sessions import ExternalSessionRow
from crewai_runner.features.identities.accounts import ExternalAccounts
from crewai_runner.features.identities.errors import (
    IdTokenInvalid,
    IssuerUnavailable,
    RefreshRefused,
)
from crewai_runner.features.identities.group_audit import record_group_changes
from crewai_runner.features.identities.issuers import Issuer, Issuers, VerifiedAnswer
from crewai_runner.features.identities.repository import ExternalSessionRepository, IdentityRepository

log = get_logger(__name__)
PAUSE_SECONDS = 10.0
"""The least time between two attempts for a session: the issuer may not answer."""
CLAIM_SECONDS = 45.0
"""How long other processes leave a session to the one that refreshes it: longer than its requests take."""
OTHER_PROCESS_SECONDS = 12.0
POLL_SECONDS = 0.2
MAX_REMEMBERED = 10_000


class GroupRefresh:
    """The `GroupReader` of this server: refresh tokens of sessions read the groups.

    Half-way through the time for which groups count, a request of the session starts this in the background;
    only a session that was idle for longer waits for it. While the issuer does not answer, groups count until
    their time is over. A session without a refresh token ends then.
    """

    def __init__(
        self,
        sessions: Sessions,
        cipher: SecretCipher,
        issuers: Issuers,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions, self._cipher, self._issuers = sessions, cipher, issuers
        self._lifetime, self._clock = timedelta(seconds=seconds), clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tried_at: dict[str, float] = {}

    @property
    def fresh_since(self) -> datetime:
        """Groups that were read before do not count any more."""
        return now() - self._lifetime

    def is_current(self, checked_at: datetime | None) -> bool:
        return checked_at is not None and checked_at > self.fresh_since

    async def refresh_session(self, token_hash: str, checked_at: datetime) -> None:
        if checked_at > now() - self._lifetime / 2:
            return
        task = self._start(token_hash)
        if task is not None and not self.is_current(checked_at):
            # Not cancelled with this request: others wait for it too, and most refresh tokens work once.
            await asyncio.wait([task])

    async def refresh_person(self, issuer: str, person_id: str) -> None:
        async with read_session(self._sessions) as session:
            row = await ExternalSessionRepository(session).find_of_person(issuer, person_id)
        if row is not None:
            await self.refresh_session(row.token_hash, row.checked_at)

    async def close(self) -> None:
        """Stop what is in progress."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    def _start(self, token_hash: str) -> asyncio.Task[None] | None:
        """Return the task that refreshes a session; None shortly after one has ended."""
        task = self._tasks.get(token_hash)
        if task is not None:
            return task
        if self._clock() - self._tried_at.get(token_hash, -PAUSE_SECONDS) < PAUSE_SECONDS:
            return None
        # Not in the context of this request: what the groups change is not its doing.
        task = asyncio.create_task(self._run(token_hash), name="refresh-groups", context=Context())
        self._tasks[token_hash] = task
        task.add_done_callback(lambda _: self._forget(token_hash))
        return task

    def _forget(self, token_hash: str) -> None:
        del self._tasks[token_hash]
        if len(self._tried_at) >= MAX_REMEMBERED:
            self._tried_at.clear()
        self._tried_at[token_hash] = self._clock()

    async def _run(self, token_hash: str) -> None:
        try:
            await self._refresh(token_hash)
        except IssuerUnavailable as error:
            log.warning("sign_in.groups_unreadable", reason=error.reason)
        except Exception:
            log.exception("sign_in.refresh_failed")

    async def _refresh(self, token_hash: str) -> None:
        async with unit_of_work(self._sessions) as session:
            due, until = now() - self._lifetime / 2, now() + timedelta(seconds=CLAIM_SECONDS)
            row = await ExternalSessionRepository(session).claim(token_hash, due, now(), until)
        if row is None:
            await self._wait_for_other_process(token_hash)
            return
        try:
            await self._refresh_claimed(row)
        except (RefreshRefused, IdTokenInvalid, SecretUnreadable) as error:
            log.info("sign_in.session_ended", issuer=row.issuer, reason=type(error).__name__)
            await self._end(token_hash)
        except BaseException:
            await self._release(token_hash)
            raise

    async def _refresh_claimed(self, row: ExternalSessionRow) -> None:
        issuer = self._issuers.find(row.issuer)
        if issuer is None:
            raise RefreshRefused
        if row.sealed_refresh_token is None:
            if not self.is_current(row.checked_at):
                raise RefreshRefused
            await self._release(row.token_hash)
            return
        answer = await issuer.refresh(self._cipher.decrypt(row.sealed_refresh_token), row.subject)
        await self._store(issuer, row.token_hash, answer)

    async def _store(self, issuer: Issuer, token_hash: str, answer: VerifiedAnswer) -> None:
        """Store the new tokens, and apply the groups; the session ends if its workspace is not among them."""
        async with unit_of_work(self._sessions) as session:
            row = await ExternalSessionRepository(session).get(token_hash)
            identities = IdentityRepository(session)
            identity = await identities.get(issuer.settings.issuer, answer.person.subject)
            if row is None or identity is None:
                return
            row.checked_at, row.claimed_until = now(), None
            if answer.refresh_token is not None:
                row.sealed_refresh_token = self._cipher.encrypt(answer.refresh_token)
            if answer.id_token is not None:
                row.sealed_id_token = self._cipher.encrypt(answer.id_token)
            before = await identities.list_roles(identity.person_id)
            accounts = ExternalAccounts(session, issuer.settings, self.fresh_since)
            await accounts.apply(identity, answer.person)
            await session.flush()
            after = await identities.list_roles(identity.person_id)
            await record_group_changes(session, identity.person_id, before, after)

    async def _wait_for_other_process(self, token_hash: str) -> None:
        """Wait while another process refreshes the session."""
        end = self._clock() + OTHER_PROCESS_SECONDS
        while self._clock() < end:
            async with read_session(self._sessions) as session:
                row = await ExternalSessionRepository(session).get(token_hash)
            if row is None or row.claimed_until is None or row.claimed_until <= now():
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _end(self, token_hash: str) -> None:
        async with unit_of_work(self._sessions) as session:
            await ExternalSessionRepository(session).end(token_hash)

    async def _release(self, token_hash: str) -> None:
        async with unit_of_work(self._sessions) as session:
            await ExternalSessionRepository(session).release(token_hash)
