"""Signing in at an issuer, and connecting its accounts with accounts here."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.logging import get_logger
from crewai_runner.core.principal import Principal
from crewai_runner.core.roles import Member, person_principal
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.auth.errors import PersonNeeded
from crewai_runner.features.auth.service import ExternalSignIn
from crewai_runner.features.identities.accounts import ExternalAccounts
from crewai_runner.features.identities.attempts import SignInAttempt
from crewai_runner.features.identities.errors import (
    AttemptInvalid,
    IdTokenInvalid,
    IssuerUnavailable,
    LogoutTokenInvalid,
    NoRole,
)
from crewai_runner.features.identities.group_refresh import GroupRefresh
from crewai_runner.features.identities.id_tokens import read_unverified_issuer
from crewai_runner.features.identities.issuers import Issuer, Issuers, VerifiedAnswer
from crewai_runner.features.identities.repository import ExternalSessionRepository, IdentityRepository
from crewai_runner.features.identities.rules import clean_next_path

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IdentityDeps:
    """Dependencies of signing in at issuers, built by the container."""

    sessions: Sessions
    cipher: SecretCipher
    issuers: Issuers
    groups: GroupRefresh


class BegunSignIn(NamedTuple):
    """An attempt, and where the browser continues."""

    attempt: SignInAttempt
    url: str


class EnteredPerson(NamedTuple):
    """Who signed in, and with what the session begins."""

    principal: Principal
    external: ExternalSignIn


class ExternalSignInService:
    """Requests to the issuer are made while no transaction is open: they may take seconds."""

    def __init__(self, deps: IdentityDeps) -> None:
        self._deps = deps

    async def begin(self, issuer_id: str, next_path: str) -> BegunSignIn:
        """Begin a sign-in. Raises IssuerNotFound, IssuerUnavailable."""
        return await self._begin(SignInAttempt.begin(issuer_id, clean_next_path(next_path)))

    async def begin_link(self, issuer_id: str, principal: Principal) -> BegunSignIn:
        """Begin to connect an identity with the caller's account. Raises PersonNeeded, and like `begin`."""
        if principal.person_id is None or principal.subject != principal.person_id:
            raise PersonNeeded
        return await self._begin(SignInAttempt.begin(issuer_id, "/account", principal.person_id))

    async def finish(self, attempt: SignInAttempt, code: str, named_issuer: str | None) -> EnteredPerson:
        """Return who signed in, in the workspace that they joined first.

        Raises AttemptInvalid, IdTokenInvalid, IssuerUnavailable, and like `ExternalAccounts.enter`.
        """
        issuer, answer = await self._ask(attempt, code, named_issuer)
        try:
            principal = await self._enter(issuer, answer)
        except IntegrityError:
            # Someone new signs in twice at the same time: now they are known.
            principal = await self._enter(issuer, answer)
        if principal is None:
            log.info("sign_in.no_role", issuer=issuer.settings.id, groups=list(answer.person.groups[:20]))
            raise NoRole(issuer.settings.name)
        return EnteredPerson(principal, self._seal(issuer, answer))

    async def finish_link(
        self, attempt: SignInAttempt, code: str, named_issuer: str | None, principal: Principal | None
    ) -> None:
        """Connect an identity with the account of whoever began. Raises IdentityTaken, and like `finish`."""
        if principal is None or principal.subject != attempt.person_id:
            raise AttemptInvalid
        issuer, answer = await self._ask(attempt, code, named_issuer)
        get_entry().set_target("person", principal.subject)
        async with audited_unit_of_work(self._deps.sessions) as session:
            accounts = ExternalAccounts(session, issuer.settings, self._deps.groups.fresh_since)
            await accounts.link(answer.person, principal.subject)

    async def find_sign_out_url(self, token_hash: str | None) -> str | None:
        """Return where the issuer of a session ends its own; None if it has none, or does not answer."""
        if token_hash is None:
            return None
        async with read_session(self._deps.sessions) as session:
            row = await ExternalSessionRepository(session).get(token_hash)
        issuer = None if row is None else self._deps.issuers.find(row.issuer)
        if row is None or issuer is None:
            return None
        sealed = row.sealed_id_token
        try:
            return await issuer.make_sign_out_url(sealed and self._deps.cipher.decrypt(sealed))
        except IssuerUnavailable as error:
            log.warning("sign_out.issuer_unavailable", issuer=issuer.settings.id, reason=error.reason)
            return None

    async def end_sessions(self, logout_token: str) -> None:
        """End the sessions that an issuer has ended. Raises LogoutTokenInvalid, IssuerUnavailable."""
        issuer = self._deps.issuers.find(read_unverified_issuer(logout_token))
        if issuer is None:
            raise LogoutTokenInvalid
        try:
            token = await issuer.tokens.verify_logout(logout_token)
        except IdTokenInvalid as error:
            log.warning("sign_out.token_refused", issuer=issuer.settings.id, reason=error.reason)
            raise LogoutTokenInvalid from None
        get_entry().set_target("issuer", issuer.settings.id)
        async with audited_unit_of_work(self._deps.sessions) as session:
            await ExternalSessionRepository(session).end_all(
                issuer.settings.issuer, token.subject, token.sid, token.issued_at
            )

    async def _begin(self, attempt: SignInAttempt) -> BegunSignIn:
        issuer = self._deps.issuers.get(attempt.issuer_id)
        try:
            return BegunSignIn(attempt, await issuer.make_url(attempt))
        except IssuerUnavailable as error:
            log.warning("sign_in.refused", issuer=issuer.settings.id, reason=error.reason)
            raise

    async def _ask(
        self, attempt: SignInAttempt, code: str, named_issuer: str | None
    ) -> tuple[Issuer, VerifiedAnswer]:
        issuer = self._deps.issuers.get(attempt.issuer_id)
        try:
            return issuer, await issuer.finish(attempt, code, named_issuer)
        except (IdTokenInvalid, IssuerUnavailable) as error:
            log.warning("sign_in.refused", issuer=issuer.settings.id, reason=error.reason)
            raise

    async def _enter(self, issuer: Issuer, answer: VerifiedAnswer) -> Principal | None:
        """Return the person; None if they are in no workspace. What they lose is stored in any case."""
        async with unit_of_work(self._deps.sessions) as session:
            accounts = ExternalAccounts(session, issuer.settings, self._deps.groups.fresh_since)
            person = await accounts.enter(answer.person)
            get_entry().set_target("person", person.id)
            memberships = await IdentityRepository(session).list_memberships(person.id)
            if not memberships:
                return None
            person.last_sign_in_at = now()
            first = memberships[0]
            return person_principal(
                Member(person.id, first.workspace_id, first.role, person.is_administrator)
            )

    def _seal(self, issuer: Issuer, answer: VerifiedAnswer) -> ExternalSignIn:
        encrypt = self._deps.cipher.encrypt
        return ExternalSignIn(
            issuer=issuer.settings.issuer,
            subject=answer.person.subject,
            sid=answer.person.sid,
            sealed_refresh_token=answer.refresh_token and encrypt(answer.refresh_token),
            sealed_id_token=answer.id_token and encrypt(answer.id_token),
            checked_at=now(),
        )
