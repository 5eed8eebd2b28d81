"""Signing in with an e-mail address and a password, and links that work without signing in."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from crewai_runner.core.client_address import get_limited_address
from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.core.principal import Principal
from crewai_runner.core.roles import Member, person_principal
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.people import MembershipRow, OneTimeLinkRow, PersonRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.auth.errors import TooManySignInFailures
from crewai_runner.features.auth.service import SignInLimiter
from crewai_runner.features.people.errors import (
    AlreadyMember,
    CodeNeeded,
    CodeWrong,
    LinkInvalid,
    NoWorkspace,
    SignInFailed,
    SignInNeeded,
)
from crewai_runner.features.people.links import LinkPurpose, hash_token
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.features.people.repository import AccountRepository
from crewai_runner.features.people.schemas import (
    InvitationAccept,
    PasswordReset,
    SignIn,
    SignInIssuer,
    SignInOptions,
)
from crewai_runner.features.people.second_factor import SecondFactor

LINKS_ACCOUNT = "one-time-links"
"""All guesses of links are guesses of this account."""


@dataclass(frozen=True, slots=True)
class PeopleDeps:
    """Dependencies of people's services, built by the container."""

    sessions: Sessions
    cipher: SecretCipher
    limiter: SignInLimiter
    passwords: Passwords
    issuers: Sequence[IssuerSettings] = ()


class SignInService:
    """Finds out who is signing in. Passwords are verified while no transaction is open: that takes long."""

    def __init__(self, deps: PeopleDeps) -> None:
        self._deps = deps

    async def describe_options(self) -> SignInOptions:
        """Return how one can sign in."""
        issuers = [SignInIssuer(id=issuer.id, name=issuer.name) for issuer in self._deps.issuers]
        async with read_session(self._deps.sessions) as session:
            has_passwords = await AccountRepository(session).has_passwords()
        return SignInOptions(password=has_passwords, issuers=issuers)

    async def sign_in(self, body: SignIn, address: str) -> Principal:
        """Return the person in the first of their workspaces.

        Raises SignInFailed, CodeNeeded, CodeWrong, NoWorkspace, TooManySignInFailures.
        """
        account = _hash_account(body.email)
        limited = get_limited_address(address)
        await self._check_limit(limited, account)
        try:
            person_id = await self._verify_password(body)
            # Again: simultaneous guesses are verified side by side.
            await self._check_limit(limited, account)
            principal = await self._finish(person_id, body.code)
        except (SignInFailed, CodeWrong):
            await self._deps.limiter.record_failure(limited, account)
            raise
        await self._deps.limiter.record_success(limited, account)
        return principal

    async def accept_invitation(self, body: InvitationAccept, address: str) -> Principal:
        """Create an account for someone new, in the workspace of an invitation.

        Raises LinkInvalid, SignInNeeded if the address has an account, TooManySignInFailures.
        """
        limited = get_limited_address(address)
        await self._check_limit(limited, LINKS_ACCOUNT)
        token_hash = hash_token(LinkPurpose.INVITATION, body.token.get_secret_value())
        link = await self._find_link(token_hash, LinkPurpose.INVITATION, limited)
        async with read_session(self._deps.sessions) as session:
            if await AccountRepository(session).find_by_email(link.email) is not None:
                raise SignInNeeded
        password_hash = await self._deps.passwords.hash(body.password.get_secret_value())
        async with audited_unit_of_work(self._deps.sessions) as session:
            accounts = AccountRepository(session)
            person = PersonRow(
                id=new_id(Prefix.PERSON), email=link.email, name=body.name, password_hash=password_hash
            )
            await accounts.add(person)
            principal = person_principal(await join_workspace(accounts, token_hash, person))
            get_entry().set_principal(principal)
            return principal

    async def reset_password(self, body: PasswordReset, address: str) -> None:
        """Set a new password; all of the person's sessions end. Raises LinkInvalid, TooManySignInFailures."""
        limited = get_limited_address(address)
        await self._check_limit(limited, LINKS_ACCOUNT)
        token_hash = hash_token(LinkPurpose.PASSWORD_RESET, body.token.get_secret_value())
        await self._find_link(token_hash, LinkPurpose.PASSWORD_RESET, limited)
        password_hash = await self._deps.passwords.hash(body.password.get_secret_value())
        async with audited_unit_of_work(self._deps.sessions) as session:
            accounts = AccountRepository(session)
            link = await accounts.take_link(token_hash, LinkPurpose.PASSWORD_RESET, now())
            if link is None or link.person_id is None:
                raise LinkInvalid
            person = await accounts.get(link.person_id, lock=True)
            get_entry().set_target("person", person.id)
            person.password_hash = password_hash
            await accounts.end_sessions(person.id)

    async def _verify_password(self, body: SignIn) -> str:
        async with read_session(self._deps.sessions) as session:
            person = await AccountRepository(session).find_by_email(body.email)
        if person is not None:
            get_entry().set_target("person", person.id)
        stored = person.password_hash if person is not None else None
        is_right = await self._deps.passwords.verify(stored, body.password.get_secret_value())
        if person is None or not is_right or person.disabled_at is not None:
            raise SignInFailed
        return person.id

    async def _finish(self, person_id: str, code: str | None) -> Principal:
        async with unit_of_work(self._deps.sessions) as session:
            accounts = AccountRepository(session)
            person = await accounts.get(person_id, lock=True)
            if person.totp_confirmed_at is not None:
                if code is None:
                    raise CodeNeeded
                if not await SecondFactor(accounts, self._deps.cipher).accept(person, code):
                    raise CodeWrong
            workspaces = await accounts.list_workspaces(person_id)
            if not workspaces:
                raise NoWorkspace
            person.last_sign_in_at = now()
            workspace, role = workspaces[0]
            return person_principal(Member(person_id, workspace.id, role, person.is_administrator))

    async def _find_link(self, token_hash: str, purpose: LinkPurpose, limited: str) -> OneTimeLinkRow:
        async with read_session(self._deps.sessions) as session:
            link = await AccountRepository(session).find_link(token_hash, purpose, now())
        if link is None:
            await self._deps.limiter.record_failure(limited, LINKS_ACCOUNT)
            raise LinkInvalid
        return link

    async def _check_limit(self, address: str, account: str) -> None:
        if wait := await self._deps.limiter.get_wait_seconds(address, account):
            raise TooManySignInFailures(math.ceil(wait))


async def join_workspace(accounts: AccountRepository, token_hash: str, person: PersonRow) -> Member:
    """Use an invitation up, and add the person that it is for to its workspace.

    Raises LinkInvalid, AlreadyMember.
    """
    link = await accounts.take_link(token_hash, LinkPurpose.INVITATION, now())
    if link is None or link.workspace_id is None or link.role is None or link.email != person.email:
        raise LinkInvalid
    if link.workspace_id in [workspace.id for workspace, _ in await accounts.list_workspaces(person.id)]:
        raise AlreadyMember
    entry = get_entry()
    entry.set_workspace(link.workspace_id)
    entry.set_target("person", person.id)
    await accounts.add_member(
        MembershipRow(
            workspace_id=link.workspace_id,
            person_id=person.id,
            role=link.role,
            created_by=link.created_by,
        )
    )
    return Member(person.id, link.workspace_id, link.role, person.is_administrator)


def _hash_account(email: str) -> str:
    """The account of the limiter: a hash, as its table also holds addresses that no account has."""
    return hashlib.sha256(email.encode()).hexdigest()
